//! A node: the site for peers, the coordinator for clients, and the upkeep.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, ensure};
use substrate::listen;
use tokio::net::TcpListener;

use crate::Serve;
use crate::bug::Bug;
use crate::cluster::Cluster;
use crate::coordinator::Coordinator;
use crate::horizons::Horizons;
use crate::journal::Journal;
use crate::participant::Participant;
use crate::site::Site;
use crate::upkeep::{hear_of_others, settle};

/// Runs a node until it is killed.
#[tokio::main]
pub async fn run(options: Serve) -> anyhow::Result<ExitCode> {
    let Serve { node: id, peers: members, data_dir, bug, client_port, peer_port } = options;
    let own: Vec<_> = members.iter().filter(|member| member.id == id).collect();
    ensure!(own.len() == 1, "--peers must name {id} once");
    let ip = own[0].ip.clone();
    let (journal, memory) = Journal::open(&data_dir)
        .await
        .with_context(|| format!("cannot open the log in {}", data_dir.display()))?;
    let (journal, clock) = (Arc::new(journal), Arc::new(memory.clock));
    let site = Arc::new(Site {
        participant: Participant::new(memory.shard, journal.clone(), clock.clone()),
        decisions: memory.decisions,
        horizons: Horizons::new(id.clone()),
        clock,
    });
    let cluster = Arc::new(Cluster::new(members, &id, &site, peer_port));
    let peers = bind(&ip, peer_port).await?;
    let clients = bind(&ip, client_port).await?;
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

async fn bind(ip: &str, port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((ip, port)).await.with_context(|| format!("cannot listen on {ip}:{port}"))
}
