//! One file a command.

mod agent;
pub mod check;
pub mod cluster;
pub mod doctor;
pub mod explain;
pub mod export;
mod fault;
pub mod heal;
pub mod holder;
pub mod ls;
mod places;
pub mod replay;
pub mod run;
pub mod self_test;
pub mod show;
pub mod suite;

use clap::Subcommand;
use tribunal_harness::cluster::ClusterError;

use crate::Exit;

/// Everything `tribunal` can do.
#[derive(Subcommand)]
pub enum Command {
    /// Puts a database on trial: a cluster, a workload, faults, a verdict.
    Run(Box<run::Run>),
    /// Runs a stored run again, with the faults that it has recorded at the same times.
    Replay(replay::Replay),
    /// Tries every bundled database with its bugs and without: the harness itself on trial.
    SelfTest(self_test::SelfTest),
    /// Many runs as one: cells, seeds, one table.
    #[command(subcommand)]
    Suite(suite::Suite),
    /// Judges histories again: stored runs, or files of anybody's.
    Check(check::Check),
    /// Lists the stored runs, the newest first.
    Ls(ls::Ls),
    /// Shows a stored run: its verdict, its evidence and where its files are.
    Show(show::Show),
    /// Writes a history as JSON lines, as Jepsen's EDN, or in the store's own format.
    Export(export::Export),
    /// Says what an anomaly of transactions is, with an example.
    Explain(explain::Explain),
    /// Undoes what a killed controller or agent left on nodes.
    Heal(heal::Heal),
    /// Nodes on this machine: make, list, end, run commands on them.
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    /// Says what this machine lacks for local nodes and faults, and the remedy.
    Doctor(doctor::Doctor),
    /// The first process of a local node.
    #[command(hide = true)]
    NodeInit(holder::NodeInit),
    /// The process that holds the network of a local cluster.
    #[command(hide = true)]
    Wire(holder::Wire),
    /// The process that serves a node's bad disk.
    #[command(hide = true)]
    Disk(holder::Disk),
    /// Tribunal's own process on a node.
    #[command(hide = true)]
    Agent(agent::AgentCommand),
}

impl Command {
    /// Does it.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self {
            Self::Run(command) => command.run(),
            Self::Replay(command) => command.run(),
            Self::SelfTest(command) => command.run(),
            Self::Suite(command) => command.run(),
            Self::Check(command) => command.run(),
            Self::Ls(command) => command.run(),
            Self::Show(command) => command.run(),
            Self::Export(command) => command.run(),
            Self::Explain(command) => command.run(),
            Self::Heal(command) => command.run(),
            Self::Cluster(command) => command.run(),
            Self::Doctor(command) => command.run(),
            Self::NodeInit(command) => command.run(),
            Self::Wire(command) => command.run(),
            Self::Disk(command) => command.run(),
            Self::Agent(command) => command.run(),
        }
    }
}

/// The runtime of a command that talks to nodes.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Chooses the exit code: asking for what is not there is bad usage, all else is
/// a set-up failure.
pub(crate) fn explain(error: ClusterError) -> anyhow::Error {
    let usage = error.is_usage();
    let error = anyhow::Error::from(error);
    if usage { error.context(Exit::Usage) } else { error }
}
