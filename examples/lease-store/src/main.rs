//! A key-value store with one leader at a time, by lease, and its client for
//! Tribunal. With `--bug` it is guilty of one of the ways in which such stores go
//! wrong.

mod bug;
mod client;
mod election;
mod group;
mod leader;
mod message;
mod office;
mod own_lease;
mod replica;
mod server;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use substrate::Seat;

use crate::bug::Bug;

/// A key-value store with a leader by lease.
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
    Client,
    /// Exits with 0 when a node answers.
    Ready {
        /// Its client address: 10.0.0.1:7100.
        #[arg(long)]
        address: String,
    },
    /// Exits with 0 when a node holds itself leader, with 1 when it does not or does not answer.
    IsLeader {
        /// Its client address: 10.0.0.1:7100.
        #[arg(long)]
        address: String,
    },
}

/// The port of clients; the one of peers is the next.
pub(crate) const PORT: u16 = 7100;

#[derive(clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    seat: Seat,
    /// What it is guilty of.
    #[arg(long, value_enum, default_value_t = Bug::None)]
    bug: Bug,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve(options) => server::run(options),
        Command::Client => client::run(),
        Command::Ready { address } => client::ready(&address),
        Command::IsLeader { address } => client::is_leader(&address),
    };
    result.unwrap_or_else(|error| {
        eprintln!("lease-store: {error:#}");
        ExitCode::FAILURE
    })
}
