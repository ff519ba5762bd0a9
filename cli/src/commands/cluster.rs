//! `tribunal cluster`: nodes on this machine, made and ended by hand.

use std::io::Write as _;
use std::time::Instant;

use clap::{Args, Subcommand};
use tribunal_harness::cluster::Session;
use tribunal_harness::cluster::local::{self, Lifetime, Listing, State};

use super::fault::Fault;
use super::{explain, runtime};
use crate::Exit;
use crate::terminal::age;

/// Makes, lists and ends local nodes, and runs commands on them.
#[derive(Subcommand)]
pub enum ClusterCommand {
    /// Makes nodes on this machine that stay until `cluster down`.
    Up(Up),
    /// Ends local clusters: without a name, all that no living run uses.
    Down(Down),
    /// Lists local clusters.
    Ps,
    /// Runs a command on a node: `cluster exec n1 -- hostname`.
    Exec(Exec),
    /// Injects a fault by hand, and heals it.
    Fault(Fault),
}

/// What `cluster up` is told.
#[derive(Args)]
pub struct Up {
    /// What to call it; c1, c2, … by default.
    name: Option<String>,
    /// How many nodes.
    #[arg(long, default_value_t = 5)]
    nodes: usize,
}

/// What `cluster down` is told.
#[derive(Args)]
pub struct Down {
    /// The clusters to end, whoever uses them.
    names: Vec<String>,
    /// End every cluster, also those that a living run uses.
    #[arg(long, conflicts_with = "names")]
    all: bool,
}

/// What `cluster exec` is told.
#[derive(Args)]
pub struct Exec {
    /// The cluster, where there is more than one, and the node.
    #[arg(value_name = "[CLUSTER] NODE", num_args = 1..=2, required = true)]
    place: Vec<String>,
    /// The command and its arguments.
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
}

impl ClusterCommand {
    /// Does it.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Up(up) => runtime()?.block_on(make(up)),
            Self::Down(down) => end(&down),
            Self::Ps => list(),
            Self::Exec(exec) => runtime()?.block_on(execute(exec)),
            Self::Fault(fault) => runtime()?.block_on(fault.run()),
        }
    }
}

async fn make(up: Up) -> anyhow::Result<Exit> {
    let began = Instant::now();
    let cluster = local::up(up.name, up.nodes, Lifetime::Kept).await.map_err(explain)?;
    cluster.connect().await?;
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "cluster {}: {} after {:.2} s",
        cluster.name,
        match cluster.nodes.len() {
            1 => "1 node answers".to_owned(),
            count => format!("{count} nodes answer"),
        },
        began.elapsed().as_secs_f64()
    )?;
    for node in &cluster.nodes {
        writeln!(out, "  {:<4} {}", node.id, node.ip)?;
    }
    writeln!(out, "\n  tribunal cluster exec {} n1 -- hostname", cluster.name)?;
    if let Some(config) = &cluster.ssh.config {
        writeln!(out, "  ssh -F {} n1", config.display())?;
    }
    writeln!(out, "  tribunal cluster down {}", cluster.name)?;
    Ok(Exit::Valid)
}

fn end(down: &Down) -> anyhow::Result<Exit> {
    let clusters = local::list().map_err(explain)?;
    let (ended, left): (Vec<String>, Vec<&Listing>) = if down.names.is_empty() {
        let spared = |found: &&Listing| !down.all && matches!(found.state, State::InUse(_));
        let (left, ended): (Vec<_>, Vec<_>) = clusters.iter().partition(spared);
        (ended.into_iter().map(|found| found.name.clone()).collect(), left)
    } else {
        (down.names.clone(), Vec::new())
    };
    if ended.is_empty() && left.is_empty() {
        println!("there is no cluster");
    }
    // One that cannot be ended does not save the others.
    let outcomes: Vec<_> = ended.iter().map(|name| (name, local::down(name))).collect();
    for (name, outcome) in &outcomes {
        if outcome.is_ok() {
            println!("cluster {name} is gone");
        }
    }
    for found in left {
        if let State::InUse(pid) = found.state {
            println!("cluster {} is in use by process {pid} and stays", found.name);
        }
    }
    let failed = outcomes.into_iter().find_map(|(_, outcome)| outcome.err());
    failed.map_or(Ok(Exit::Valid), |error| Err(explain(error)))
}

fn list() -> anyhow::Result<Exit> {
    let clusters = local::list().map_err(explain)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:<25}{:<8}{:<18}{:<16}{:<10}AGE", "NAME", "NODES", "SUBNET", "OWNER", "STATE")?;
    for found in clusters {
        let record = found.record.as_ref();
        let planned = record.map_or(0, |record| record.nodes.len());
        let alive = found.nodes_alive();
        let owner = match found.state {
            State::InUse(pid) => format!("process {pid}"),
            State::Kept => "kept".to_owned(),
            State::Orphaned => "nobody".to_owned(),
        };
        writeln!(
            out,
            "{:<25}{:<8}{:<18}{owner:<16}{:<10}{}",
            found.name,
            format!("{alive}/{planned}"),
            record.map_or("?".to_owned(), |record| record.subnet.to_string()),
            state(alive, planned),
            found.age().map_or("?".to_owned(), age),
        )?;
    }
    Ok(Exit::Valid)
}

fn state(alive: usize, planned: usize) -> &'static str {
    match alive {
        0 => "dead",
        _ if alive == planned => "up",
        _ => "broken",
    }
}

async fn execute(exec: Exec) -> anyhow::Result<Exit> {
    let (name, node) = match &exec.place[..] {
        [node] => (None, node),
        [name, node, ..] => (Some(name.as_str()), node),
        [] => unreachable!("clap demands a place"),
    };
    let cluster = local::find(name).map_err(explain)?;
    let node = cluster.node(node).map_err(explain)?;
    let session = Session::connect(node, &cluster.ssh).await?;
    let code = session.run_attached(&exec.command).await?;
    drop(session);
    // Not one of our own exit codes: the command's, or what `ssh` makes of a signal.
    std::process::exit(code.unwrap_or(255));
}
