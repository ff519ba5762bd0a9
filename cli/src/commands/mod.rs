//! One file a command.

use clap::Subcommand;

use crate::Exit;

/// Everything `tribunal` can do.
#[derive(Subcommand)]
pub enum Command {}

impl Command {
    /// Does it.
    pub fn run(self) -> anyhow::Result<Exit> {
        match self {}
    }
}
