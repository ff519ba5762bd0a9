//! A node: the coordinator for clients and the replica for peers, each on its port.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use substrate::{Link, Listeners, Member, Seat, listen};

use crate::coordinator::{Coordinator, Voice, Way};
use crate::handoff::hand_off;
use crate::liar::Liar;
use crate::quorum::Quorum;
use crate::replica::Replica;
use crate::stamp::Stamper;
use crate::{PORT, Serve};

/// How long a peer may take; a write that misses its majority twice over still answers within a
/// second.
const PATIENCE: Duration = Duration::from_millis(300);

/// Runs a node until it is killed.
#[tokio::main]
pub async fn run(Serve { seat, bug, liars, lies }: Serve) -> anyhow::Result<ExitCode> {
    let quorum = Quorum { bug, liars };
    let (members, needed) = (seat.peers.len(), quorum.replicas());
    anyhow::ensure!(
        liars == 0 || members >= needed,
        "{liars} liars among {members} nodes cannot be told from the honest: it takes {needed} nodes"
    );
    let Listeners { peers, clients } = seat.listen(PORT).await?;
    let replica = Replica::open(&seat.data_dir)
        .await
        .with_context(|| format!("cannot open the log in {}", seat.data_dir.display()))?;
    let replica = Arc::new(replica);
    let members = Arc::new(voices(&seat, &replica));
    let coordinator = Arc::new(Coordinator {
        quorum,
        stamper: Stamper::new(&seat.node, replica.life),
        members: members.clone(),
    });
    let liar = lies.then(Liar::default).map(Arc::new);
    println!("{} serves in life {} with bug {bug:?}", seat.node, replica.life);
    tokio::join!(
        hand_off(replica.clone(), members),
        listen(peers, move |request| {
            let (replica, liar) = (replica.clone(), liar.clone());
            async move {
                match liar {
                    Some(liar) => liar.answer(request),
                    None => replica.answer(request).await,
                }
            }
        }),
        listen(clients, move |request| {
            let coordinator = coordinator.clone();
            async move { coordinator.answer(request).await }
        }),
    );
    Ok(ExitCode::SUCCESS)
}

fn voices(seat: &Seat, replica: &Arc<Replica>) -> Vec<Voice> {
    let way = |peer: &Member| match peer.id == seat.node {
        true => Way::Own(replica.clone()),
        false => Way::Other(Arc::new(Link::new(seat.peer_address(peer, PORT), PATIENCE))),
    };
    seat.peers.iter().map(|peer| Voice { id: peer.id.clone(), way: way(peer) }).collect()
}
