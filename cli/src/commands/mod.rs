//! One file a command.

mod agent;
pub mod cluster;
pub mod doctor;
pub mod holder;

use clap::Subcommand;
use tribunal_harness::cluster::ClusterError;

use crate::Exit;

/// Everything `tribunal` can do.
#[derive(Subcommand)]
pub enum Command {
    /// Tribunal's own process on a node.
    #[command(hide = true)]
    Agent(agent::AgentCommand),
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
}

impl Command {
    /// Does it.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self {
            Command::Agent(command) => command.run(),
            Self::Cluster(command) => command.run(),
            Self::Doctor(command) => command.run(),
            Self::NodeInit(command) => command.run(),
            Self::Wire(command) => command.run(),
        }
    }
}

/// The runtime of a command that talks to nodes.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().enable_all().build()?)
}

/// Chooses the exit code: asking for what is not there is bad usage, all else is
/// a set-up failure.
fn explain(error: ClusterError) -> anyhow::Error {
    let usage = error.is_usage();
    let error = anyhow::Error::from(error);
    if usage { error.context(Exit::Usage) } else { error }
}
