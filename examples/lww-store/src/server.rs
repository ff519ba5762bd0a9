//! A node: the coordinator for clients and the replica for peers, each on its port.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use substrate::{Link, Member, listen};
use tokio::net::TcpListener;

use crate::Serve;
use crate::coordinator::Coordinator;
use crate::replica::Replica;
use crate::stamp::Stamper;

/// How long a peer may take; a write that misses its majority twice over still
/// answers within a second.
const PATIENCE: Duration = Duration::from_millis(300);

/// Runs a node until it is killed.
#[tokio::main]
pub async fn run(options: Serve) -> anyhow::Result<ExitCode> {
    let (own, others): (Vec<&Member>, Vec<&Member>) =
        options.peers.iter().partition(|member| member.id == options.node);
    ensure!(own.len() == 1, "--peers must name {} once", options.node);
    let replica = Replica::open(&options.data_dir, options.bug)
        .with_context(|| format!("cannot open the log in {}", options.data_dir.display()))?;
    let replica = Arc::new(replica);
    let link = |peer: &Member| Link::new(format!("{}:{}", peer.ip, options.peer_port), PATIENCE);
    let coordinator = Arc::new(Coordinator {
        bug: options.bug,
        stamper: Stamper::new(options.bug, &options.node, replica.newest_ns()),
        replica: replica.clone(),
        peers: others.into_iter().map(|peer| Arc::new(link(peer))).collect(),
    });
    let peers = bind(&own[0].ip, options.peer_port).await?;
    let clients = bind(&own[0].ip, options.client_port).await?;
    println!("{} serves with bug {:?}", options.node, options.bug);
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

async fn bind(ip: &str, port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((ip, port)).await.with_context(|| format!("cannot listen on {ip}:{port}"))
}
