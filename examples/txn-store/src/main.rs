//! A small sharded store with transactions, and its client for Tribunal. Keys are
//! spread over the nodes; every node coordinates the transactions of its own clients by strict
//! two-phase locking and two-phase commit. With `--bug` it isolates them worse than it says.

mod attempt;
mod bug;
mod client;
mod clock;
mod cluster;
mod coordinator;
mod decisions;
mod horizons;
mod journal;
mod locks;
mod message;
mod participant;
mod program;
mod server;
mod shard;
mod site;
mod translation;
mod upkeep;
mod versions;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use substrate::Seat;

use crate::bug::Bug;
use crate::client::Bank;

/// A sharded store with strictly serializable transactions.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a node.
    Serve(Serve),
    /// Performs Tribunal's calls: the client protocol on standard input and output.
    Client(Bank),
    /// Exits with 0 when a node answers.
    Ready {
        /// Its client address: 10.0.0.1:7300.
        #[arg(long)]
        address: String,
    },
}

/// The port of clients; the one of peers is the next.
pub(crate) const PORT: u16 = 7300;

#[derive(clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    seat: Seat,
    /// What is wrong with it.
    #[arg(long, value_enum, default_value_t = Bug::None)]
    bug: Bug,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve(options) => server::run(options),
        Command::Client(bank) => client::run(bank),
        Command::Ready { address } => client::ready(&address),
    };
    result.unwrap_or_else(|error| {
        eprintln!("txn-store: {error:#}");
        ExitCode::FAILURE
    })
}
