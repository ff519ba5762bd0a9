//! All nodes, as one of them asks them: itself without a network. And whose a key is.

use std::sync::Arc;
use std::time::Duration;

use substrate::{Link, Member, Seat};

use crate::PORT;
use crate::message::{PeerAnswer, PeerRequest};
use crate::site::Site;

/// How long a peer may take: longer than an operation waits there, and than a sync takes.
const PATIENCE: Duration = Duration::from_millis(400);

/// All nodes.
pub struct Cluster {
    nodes: Vec<(String, Voice)>,
}

/// One node, this or another.
enum Voice {
    Own(Arc<Site>),
    Other(Link<PeerRequest, PeerAnswer>),
}

impl Cluster {
    /// The cluster of which the node on `seat` is the one at hand.
    pub fn new(seat: &Seat, site: &Arc<Site>) -> Self {
        let mut members = seat.peers.clone();
        // The same order on every node, so that all agree whose a key is.
        members.sort_by(|one, other| one.id.cmp(&other.id));
        let voice = |member: &Member| match member.id == seat.node {
            true => Voice::Own(site.clone()),
            false => Voice::Other(Link::new(seat.peer_address(member, PORT), PATIENCE)),
        };
        Self { nodes: members.iter().map(|member| (member.id.clone(), voice(member))).collect() }
    }

    /// The node that has this key.
    pub fn owner(&self, key: &str) -> &str {
        let place = hash(key) % self.nodes.len() as u64;
        &self.nodes[place as usize].0
    }

    /// The other nodes.
    pub fn others(&self) -> impl Iterator<Item = &str> {
        let other = |(_, voice): &&(String, Voice)| matches!(voice, Voice::Other(_));
        self.nodes.iter().filter(other).map(|(id, _)| id.as_str())
    }

    /// Asks a node; nothing, when it does not answer.
    pub async fn ask(&self, node: &str, request: PeerRequest) -> Option<PeerAnswer> {
        match &self.nodes.iter().find(|(id, _)| id == node)?.1 {
            Voice::Own(site) => Some(site.answer(request).await),
            Voice::Other(link) => link.ask(request).await.ok(),
        }
    }
}

/// FNV-1a: the same on every node, today and tomorrow.
fn hash(key: &str) -> u64 {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    key.bytes().fold(0xcbf2_9ce4_8422_2325, mix)
}
