//! A replicated key-value store of linearizable registers without a leader, and its client for
//! Tribunal. With `--bug` it is guilty of one of the ways in which such stores go wrong.

mod bug;
mod client;
mod coordinator;
mod handoff;
mod liar;
mod message;
mod placement;
mod quorum;
mod replica;
mod server;
mod stamp;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use substrate::Seat;

use crate::bug::Bug;

/// A key-value store without a leader.
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
        /// Its client address: 10.0.0.1:7200.
        #[arg(long)]
        address: String,
    },
}

/// The port of clients; the one of peers is the next.
pub(crate) const PORT: u16 = 7200;

#[derive(clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    seat: Seat,
    /// What it is guilty of.
    #[arg(long, value_enum, default_value_t = Bug::None)]
    bug: Bug,
    /// How many replicas of a key may lie, and nothing comes of it; five replicas keep a key for one liar.
    #[arg(long, default_value_t = 0)]
    liars: usize,
    /// This node is a liar.
    #[arg(long)]
    lies: bool,
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve(options) => server::run(options),
        Command::Client => client::run(),
        Command::Ready { address } => client::ready(&address),
    };
    result.unwrap_or_else(|error| {
        eprintln!("quorum-store: {error:#}");
        ExitCode::FAILURE
    })
}
