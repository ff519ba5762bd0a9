//! Runs a node: opens its disk, starts Raft, and listens to peers and clients.

use std::collections::{BTreeMap, HashMap};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use openraft::error::{InitializeError, RaftError};
use openraft::{Config, EmptyNode, Raft, SnapshotPolicy};
use serde_json::Value;
use substrate::{Link, Listeners, Member, Seat, listen};
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

/// The member that begins a cluster.
const FIRST: NodeId = 1;

/// Entries from one snapshot to the next: few, so that a short run sees several.
const ENTRIES_A_SNAPSHOT: u64 = 1000;

/// Runs a node until it is killed.
#[tokio::main]
pub async fn run(
    seat: Seat,
    port: u16,
    machine: Box<dyn Machine>,
    flaw: Option<Flaw>,
    election: Duration,
) -> anyhow::Result<ExitCode> {
    let Listeners { peers, clients } = seat.listen(port).await?;
    let node = Arc::new(start(&seat, port, machine, flaw, config(election)?).await?);
    tokio::spawn(watch(seat.node.clone(), node.raft.clone()));
    let members: BTreeMap<NodeId, EmptyNode> =
        (1..=seat.peers.len() as NodeId).map(|id| (id, EmptyNode {})).collect();
    let serving = node.clone();
    tokio::spawn(listen(peers, move |request| {
        let node = serving.clone();
        async move { node.answer(request).await }
    }));
    if node.own == FIRST {
        initialize(&node.raft, members).await?;
    }
    tokio::spawn(chores::keep(node.clone()));
    println!("{} serves", seat.node);
    listen(clients, move |request| {
        let node = node.clone();
        async move { answer(&node, request).await }
    })
    .await;
    Ok(ExitCode::SUCCESS)
}

async fn start(
    seat: &Seat,
    port: u16,
    machine: Box<dyn Machine>,
    flaw: Option<Flaw>,
    config: Config,
) -> anyhow::Result<Node> {
    let own = seat.place()? as NodeId + 1;
    let folder = &seat.data_dir;
    let opening = || format!("cannot open the data in {}", folder.display());
    std::fs::create_dir_all(folder).with_context(opening)?;
    let log = LogStore::open(folder, flaw).with_context(opening)?;
    let store = Store::open(folder, machine).with_context(opening)?;
    let network = Network { links: links(seat, port, PATIENCE) };
    let raft = Raft::new(own, Arc::new(config), network, log, store.clone()).await?;
    let links = links(seat, port, LEADER_PATIENCE);
    let (name, ahead) = (seat.node.clone(), Mutex::new(None));
    Ok(Node { own, name, raft, store, links, flaw, ahead })
}

/// Leaders are missed after twice the time at the latest, and replaced within as much again. They show
/// themselves twice and more within it.
fn config(election: Duration) -> anyhow::Result<Config> {
    let election = election.as_millis() as u64;
    let config = Config {
        heartbeat_interval: election * 3 / 8,
        election_timeout_min: election,
        election_timeout_max: 2 * election,
        install_snapshot_timeout: 1000,
        snapshot_policy: SnapshotPolicy::LogsSinceLast(ENTRIES_A_SNAPSHOT),
        replication_lag_threshold: ENTRIES_A_SNAPSHOT + 500,
        max_in_snapshot_log_to_keep: 500,
        purge_batch_size: 500,
        ..Config::default()
    };
    Ok(config.validate()?)
}

fn links(seat: &Seat, port: u16, patience: Duration) -> HashMap<NodeId, PeerLink> {
    let numbered = (1..).zip(&seat.peers).filter(|(_, member)| member.id != seat.node);
    let link = |member: &Member| Link::new(seat.peer_address(member, port), patience);
    numbered.map(|(id, member)| (id, Arc::new(link(member)))).collect()
}

/// The first member of a new cluster says who the members are, stands for election, and so leads the
/// first term. It does not where it has been a member before.
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
