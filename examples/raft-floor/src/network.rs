//! Raft's requests over substrate's links.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use openraft::error::{
    Fatal, NetworkError, RPCError, RaftError, ReplicationClosed, StreamingError, Unreachable,
};
use openraft::network::{Backoff, RPCOption};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use openraft::{EmptyNode, OptionalSend, RaftNetwork, RaftNetworkFactory};
use substrate::{Link, LinkError};

use crate::message::{PeerAnswer, PeerRequest};
use crate::types::{NodeId, Snapshot, Types, Vote};

/// A link to a peer.
pub type PeerLink = Arc<Link<PeerRequest, PeerAnswer>>;

/// How long openraft leaves a peer alone that cannot be reached: short, for one that comes back
/// should soon be a member like the others.
const BACKOFF: Duration = Duration::from_millis(100);

type Asked<T> = Result<T, RPCError<NodeId, EmptyNode, RaftError<NodeId>>>;

/// Links to all peers, by their numbers.
#[derive(Clone)]
pub struct Network {
    /// One a peer, for all that openraft sends there.
    pub links: HashMap<NodeId, PeerLink>,
}

impl RaftNetworkFactory<Types> for Network {
    type Network = Peer;

    async fn new_client(&mut self, target: NodeId, _: &EmptyNode) -> Peer {
        Peer { link: self.links[&target].clone() }
    }
}

/// One peer.
pub struct Peer {
    link: PeerLink,
}

impl Peer {
    /// Asks in a task of its own: openraft drops a request that takes too long, and only a link
    /// that has waited for its answer in vain gives a dead connection up.
    async fn ask(&self, request: PeerRequest) -> Asked<PeerAnswer> {
        let link = self.link.clone();
        let asked = tokio::spawn(async move { link.ask(request).await }).await;
        match asked {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error @ LinkError::Unreached { .. })) => {
                Err(RPCError::Unreachable(Unreachable::new(&error)))
            }
            Ok(Err(error)) => Err(RPCError::Network(NetworkError::new(&error))),
            Err(error) => Err(RPCError::Network(NetworkError::new(&error))),
        }
    }
}

fn unexpected(answer: PeerAnswer) -> RPCError<NodeId, EmptyNode, RaftError<NodeId>> {
    let error = std::io::Error::other(format!("unexpected answer: {answer:?}"));
    RPCError::Network(NetworkError::new(&error))
}

impl RaftNetwork<Types> for Peer {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<Types>,
        _: RPCOption,
    ) -> Asked<AppendEntriesResponse<NodeId>> {
        match self.ask(PeerRequest::Append(request)).await? {
            PeerAnswer::Appended(answer) => Ok(answer),
            other => Err(unexpected(other)),
        }
    }

    async fn vote(
        &mut self,
        request: VoteRequest<NodeId>,
        _: RPCOption,
    ) -> Asked<VoteResponse<NodeId>> {
        match self.ask(PeerRequest::Vote(request)).await? {
            PeerAnswer::Voted(answer) => Ok(answer),
            other => Err(unexpected(other)),
        }
    }

    async fn full_snapshot(
        &mut self,
        vote: Vote,
        snapshot: Snapshot,
        cancel: impl Future<Output = ReplicationClosed> + OptionalSend + 'static,
        _: RPCOption,
    ) -> Result<SnapshotResponse<NodeId>, StreamingError<Types, Fatal<NodeId>>> {
        let request = PeerRequest::Install { vote, meta: snapshot.meta, data: *snapshot.snapshot };
        let answered = tokio::select! {
            answered = self.ask(request) => answered,
            closed = cancel => return Err(closed.into()),
        };
        match answered {
            Ok(PeerAnswer::Installed(answer)) => Ok(answer),
            Ok(other) => {
                let error = std::io::Error::other(format!("unexpected answer: {other:?}"));
                Err(StreamingError::Network(NetworkError::new(&error)))
            }
            Err(error) => Err(StreamingError::Network(NetworkError::new(&error))),
        }
    }

    fn backoff(&self) -> Backoff {
        Backoff::new(std::iter::repeat(BACKOFF))
    }
}
