//! `tribunal agent`: Tribunal's own process on a node. Started over SSH by the
//! controller, never by a user, and so hidden from the help.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tribunal_nemesis::agent::{self, Agent};

use crate::Exit;

/// Performs and undoes faults on this node; requests come as JSON lines.
#[derive(Args)]
pub struct AgentCommand {
    /// Undo every fault when nothing is heard from the controller for so many seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    lease: u64,
    /// The controller, by a word of its own: ground that was laid for it stays.
    #[arg(long, value_name = "WORD")]
    tenant: Option<String>,
    /// Undo what a killed agent left on this node, and exit.
    #[arg(long)]
    heal: bool,
    /// Wait for the end of standard input, and undo then what nobody else does.
    #[arg(long, conflicts_with = "heal")]
    guard: bool,
    /// Write a file and remove it: on a disk that hangs, until it goes on.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["heal", "guard"])]
    touch: Option<PathBuf>,
    /// The folder of the journal.
    #[arg(long, value_name = "FOLDER", default_value = agent::DIRECTORY)]
    state: PathBuf,
}

impl AgentCommand {
    /// Serves, heals, or stands guard.
    pub fn run(self) -> anyhow::Result<Exit> {
        if let Some(path) = &self.touch {
            agent::touch(path)?;
            return Ok(Exit::Valid);
        }
        let left = if self.heal {
            let healed = agent::heal(&self.state).context("the agent cannot heal")?;
            for undone in healed.undone {
                println!("undone: {undone}");
            }
            healed.left
        } else if self.guard {
            agent::watch(&self.state, Duration::from_secs(self.lease))?.left
        } else {
            let started = Agent::start(self.state, self.tenant.as_deref());
            let (agent, before) = started.context("the agent cannot start")?;
            agent.serve(before, Duration::from_secs(self.lease))
        };
        for sentence in &left {
            eprintln!("tribunal agent: not undone: {sentence}");
        }
        Ok(if left.is_empty() { Exit::Valid } else { Exit::Harness })
    }
}
