//! A node: the site for peers, the coordinator for clients, and the upkeep.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use substrate::{Listeners, listen};

use crate::bug::Bug;
use crate::cluster::Cluster;
use crate::coordinator::Coordinator;
use crate::horizons::Horizons;
use crate::journal::Journal;
use crate::participant::Participant;
use crate::site::Site;
use crate::upkeep::{hear_of_others, settle};
use crate::{PORT, Serve};

/// Runs a node until it is killed.
#[tokio::main]
pub async fn run(Serve { seat, bug }: Serve) -> anyhow::Result<ExitCode> {
    let Listeners { peers, clients } = seat.listen(PORT).await?;
    let (journal, memory) = Journal::open(&seat.data_dir)
        .await
        .with_context(|| format!("cannot open the log in {}", seat.data_dir.display()))?;
    let id = seat.node.clone();
    let (journal, clock) = (Arc::new(journal), Arc::new(memory.clock));
    let site = Arc::new(Site {
        participant: Participant::new(memory.shard, journal.clone(), clock.clone()),
        decisions: memory.decisions,
        horizons: Horizons::new(id.clone()),
        clock,
    });
    let cluster = Arc::new(Cluster::new(&seat, &site));
    println!("{id} serves with bug {bug:?}");
    let coordinator =
        Coordinator::new(id, bug, memory.starts, site.clone(), cluster.clone(), journal);
    let coordinator = Arc::new(coordinator);
    tokio::join!(
        settle(cluster.clone(), site.clone()),
        hear(bug, cluster, site.clone()),
        listen(peers, move |request| {
            let site = site.clone();
            async move { site.answer(request).await }
        }),
        listen(clients, move |request| {
            let coordinator = coordinator.clone();
            async move { coordinator.answer(request).await }
        }),
    );
    Ok(ExitCode::SUCCESS)
}

/// Only snapshots of what was heard need any hearing.
async fn hear(bug: Bug, cluster: Arc<Cluster>, site: Arc<Site>) {
    if bug == Bug::LongFork {
        hear_of_others(cluster, site).await;
    }
}
