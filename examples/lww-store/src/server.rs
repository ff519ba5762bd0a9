//! A node: the coordinator for clients and the replica for peers, each on its port.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use substrate::{Link, Listeners, listen};

use crate::coordinator::Coordinator;
use crate::interval::Interval;
use crate::replica::Replica;
use crate::stamp::Stamper;
use crate::{PORT, Serve};

/// How long a peer may take; a write that misses its majority twice over still
/// answers within a second.
const PATIENCE: Duration = Duration::from_millis(300);

/// Runs a node until it is killed.
#[tokio::main]
pub async fn run(Serve { seat, bug, bound_ms }: Serve) -> anyhow::Result<ExitCode> {
    let Listeners { peers, clients } = seat.listen(PORT).await?;
    let replica = Replica::open(&seat.data_dir, bug)
        .with_context(|| format!("cannot open the log in {}", seat.data_dir.display()))?;
    let replica = Arc::new(replica);
    let links = seat.others().map(|peer| Link::new(seat.peer_address(peer, PORT), PATIENCE));
    let coordinator = Arc::new(Coordinator {
        bug,
        interval: Interval::of_ms(bound_ms),
        stamper: Stamper::new(bug, &seat.node, replica.newest_ns()),
        replica: replica.clone(),
        peers: links.map(Arc::new).collect(),
    });
    println!("{} serves with bug {bug:?}", seat.node);
    tokio::join!(
        listen(peers, move |request| {
            let replica = replica.clone();
            async move { replica.answer(request).await }
        }),
        listen(clients, move |request| {
            let coordinator = coordinator.clone();
            async move { coordinator.answer(request).await }
        }),
    );
    Ok(ExitCode::SUCCESS)
}
