//! One file a command.

mod agent;

use clap::Subcommand;

use crate::Exit;

/// Everything `tribunal` can do.
#[derive(Subcommand)]
pub enum Command {
    /// Tribunal's own process on a node.
    #[command(hide = true)]
    Agent(agent::AgentCommand),
}

impl Command {
    /// Does it.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self {
            Command::Agent(command) => command.run(),
        }
    }
}
