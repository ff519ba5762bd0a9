//! A node: the coordinator for clients and the replica for peers, each on its port.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use substrate::{Link, Member, listen};
use tokio::net::TcpListener;

use crate::Serve;
use crate::coordinator::{Coordinator, Voice, Way};
use crate::handoff::hand_off;
use crate::replica::Replica;
use crate::stamp::Stamper;

/// How long a peer may take; a write that misses its majority twice over still answers within a
/// second.
const PATIENCE: Duration = Duration::from_millis(300);

/// Runs a node until it is killed.
#[tokio::main]
pub async fn run(options: Serve) -> anyhow::Result<ExitCode> {
    let own: Vec<&Member> =
        options.peers.iter().filter(|member| member.id == options.node).collect();
    ensure!(own.len() == 1, "--peers must name {} once", options.node);
    let replica = Replica::open(&options.data_dir).await;
    let replica = replica
        .with_context(|| format!("cannot open the log in {}", options.data_dir.display()))?;
    let replica = Arc::new(replica);
    let members = Arc::new(voices(&options, &replica));
    let coordinator = Arc::new(Coordinator {
        bug: options.bug,
        stamper: Stamper::new(&options.node, replica.life),
        members: members.clone(),
    });
    let peers = bind(&own[0].ip, options.peer_port).await?;
    let clients = bind(&own[0].ip, options.client_port).await?;
    println!("{} serves in life {} with bug {:?}", options.node, replica.life, options.bug);
    tokio::join!(
        hand_off(replica.clone(), members),
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

fn voices(options: &Serve, replica: &Arc<Replica>) -> Vec<Voice> {
    let way = |peer: &Member| match peer.id == options.node {
        true => Way::Own(replica.clone()),
        false => {
            let address = format!("{}:{}", peer.ip, options.peer_port);
            Way::Other(Arc::new(Link::new(address, PATIENCE)))
        }
    };
    options.peers.iter().map(|peer| Voice { id: peer.id.clone(), way: way(peer) }).collect()
}

async fn bind(ip: &str, port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((ip, port)).await.with_context(|| format!("cannot listen on {ip}:{port}"))
}
