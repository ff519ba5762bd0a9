//! Runs a node: opens its disk, starts Raft, and listens to peers and clients.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use openraft::error::{InitializeError, RaftError};
use openraft::{Config, EmptyNode, Raft, SnapshotPolicy};
use serde_json::Value;
use substrate::{Link, Member, listen};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::chores;
use crate::database::Flaw;
use crate::log_store::LogStore;
use crate::machine::Machine;
use crate::message::{ClientAnswer, ClientRequest, Order, Performed, Request};
use crate::network::{Network, PeerLink};
use crate::node::Node;
use crate::store::Store;
use crate::types::{Command, NodeId, Types};

/// How long a peer may take for what Raft asks, before the connection is given up.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long the leader may take for what a client wants, before it is asked again.
const LEADER_PATIENCE: Duration = Duration::from_millis(300);

/// Entries from one snapshot to the next: few, so that a short run sees several.
const ENTRIES_A_SNAPSHOT: u64 = 1000;

/// Who the node is, and where.
#[derive(clap::Args)]
pub struct Options {
    /// This node's name among the peers.
    #[arg(long)]
    node: String,
    /// All members, this one included, in the same order on each: n1=10.0.0.1,n2=10.0.0.2,…
    #[arg(long, value_delimiter = ',', required = true)]
    peers: Vec<Member>,
    /// Where the log and the snapshots are kept.
    #[arg(long)]
    data_dir: PathBuf,
    /// The port of clients, on every member; by default one of the database's own.
    #[arg(long)]
    client_port: Option<u16>,
    /// The port of peers, on every member; by default the one after that.
    #[arg(long)]
    peer_port: Option<u16>,
}

/// Runs a node until it is killed.
#[tokio::main]
pub async fn run(
    options: Options,
    port: u16,
    machine: Box<dyn Machine>,
    flaw: Option<Flaw>,
) -> anyhow::Result<ExitCode> {
    let place = options.peers.iter().position(|member| member.id == options.node);
    let names = options.peers.iter().filter(|member| member.id == options.node);
    ensure!(names.count() == 1, "--peers must name {} once", options.node);
    let place = place.expect("it is named");
    let ip = options.peers[place].ip.clone();
    let client_port = options.client_port.unwrap_or(port);
    let peer_port = options.peer_port.unwrap_or(port + 1);
    let peers = bind(&ip, peer_port).await?;
    let clients = bind(&ip, client_port).await?;
    let node = Arc::new(start(&options, place as NodeId + 1, peer_port, machine, flaw).await?);
    tokio::spawn(watch(options.node.clone(), node.raft.clone()));
    let members: BTreeMap<NodeId, EmptyNode> =
        (1..=options.peers.len() as NodeId).map(|id| (id, EmptyNode {})).collect();
    let serving = node.clone();
    tokio::spawn(listen(peers, move |request| {
        let node = serving.clone();
        async move { node.answer(request).await }
    }));
    initialize(&node.raft, members).await?;
    tokio::spawn(chores::keep(node.clone()));
    println!("{} serves", options.node);
    listen(clients, move |request| {
        let node = node.clone();
        async move { answer(&node, request).await }
    })
    .await;
    Ok(ExitCode::SUCCESS)
}

async fn bind(ip: &str, port: u16) -> anyhow::Result<TcpListener> {
    TcpListener::bind((ip, port)).await.with_context(|| format!("cannot listen on {ip}:{port}"))
}

async fn start(
    options: &Options,
    own: NodeId,
    peer_port: u16,
    machine: Box<dyn Machine>,
    flaw: Option<Flaw>,
) -> anyhow::Result<Node> {
    let folder = &options.data_dir;
    let opening = || format!("cannot open the data in {}", folder.display());
    std::fs::create_dir_all(folder).with_context(opening)?;
    let log = LogStore::open(folder, flaw).with_context(opening)?;
    let store = Store::open(folder, machine).with_context(opening)?;
    let network = Network { links: links(&options.peers, own, peer_port, PATIENCE) };
    let raft = Raft::new(own, Arc::new(config()?), network, log, store.clone()).await?;
    let links = links(&options.peers, own, peer_port, LEADER_PATIENCE);
    let (name, ahead) = (options.node.clone(), Mutex::new(None));
    Ok(Node { own, name, raft, store, links, flaw, ahead })
}

/// Leaders are missed after 0.8 s at the latest, and replaced within 0.8 s more.
fn config() -> anyhow::Result<Config> {
    let config = Config {
        heartbeat_interval: 150,
        election_timeout_min: 400,
        election_timeout_max: 800,
        install_snapshot_timeout: 1000,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(ENTRIES_A_SNAPSHOT),
        replication_lag_threshold: ENTRIES_A_SNAPSHOT + 500,
        max_in_snapshot_log_to_keep: 500,
        purge_batch_size: 500,
        ..Config::default()
    };
    Ok(config.validate()?)
}

fn links(
    members: &[Member],
    own: NodeId,
    port: u16,
    patience: Duration,
) -> HashMap<NodeId, PeerLink> {
    let numbered = (1..).zip(members).filter(|(id, _)| *id != own);
    let link = |member: &Member| Link::new(format!("{}:{port}", member.ip), patience);
    numbered.map(|(id, member)| (id, Arc::new(link(member)))).collect()
}

/// Every member of a new cluster says who the members are, and all say the same. It is too late
/// for that where others have, and have asked this one for its vote: then it will hear of it.
async fn initialize(
    raft: &Raft<Types>,
    members: BTreeMap<NodeId, EmptyNode>,
) -> anyhow::Result<()> {
    match raft.initialize(members).await {
        Err(RaftError::APIError(InitializeError::NotAllowed(_))) => Ok(()),
        initialized => Ok(initialized?),
    }
}

/// Tells the log who leads, and ends the process when Raft has ended: a node that does not take
/// part serves nobody.
async fn watch(name: String, raft: Raft<Types>) {
    let mut metrics = raft.metrics();
    let mut known = None;
    while metrics.changed().await.is_ok() {
        let metrics = metrics.borrow_and_update();
        if let Err(error) = &metrics.running_state {
            eprintln!("raft has ended: {error}");
            break;
        }
        let now = (metrics.current_leader, metrics.current_term);
        if known.replace(now) != Some(now) {
            match now {
                (Some(leader), term) => println!("{name} follows member {leader} in term {term}"),
                (None, term) => println!("{name} knows no leader in term {term}"),
            }
        }
    }
    std::process::abort();
}

async fn answer(node: &Node, request: ClientRequest<Value, Value>) -> ClientAnswer<Value> {
    let order = match request {
        ClientRequest::Role => {
            let leader = node.leader();
            let (leads, serves) = (leader == Some(node.own), leader.is_some());
            return ClientAnswer::Role { leader: leads, serves };
        }
        ClientRequest::Perform { client, sequence, request: Request::Change(change) } => {
            Order::Change(Command { client, sequence, change })
        }
        ClientRequest::Perform { request: Request::Ask(question), .. } => Order::Ask(question),
    };
    match node.perform(order).await {
        Performed::Done { answer, node, term } => ClientAnswer::Done { answer, node, term },
        Performed::Refused(why) => ClientAnswer::Refused(why),
        Performed::Unknown(why) => ClientAnswer::Unknown(why),
    }
}
