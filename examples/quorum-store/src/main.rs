//! A replicated key-value store of linearizable registers without a leader, and its client for
//! Tribunal. With `--bug` it is guilty of one of the ways in which such stores go wrong.

mod bug;
mod client;
mod coordinator;
mod handoff;
mod message;
mod placement;
mod replica;
mod server;
mod stamp;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use substrate::Member;

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

#[derive(clap::Args)]
pub(crate) struct Serve {
    /// This node's name among the peers.
    #[arg(long)]
    node: String,
    /// All members, this one included, in the same order on all: n1=10.0.0.1,n2=10.0.0.2,…
    #[arg(long, value_delimiter = ',', required = true)]
    peers: Vec<Member>,
    /// Where the log is kept.
    #[arg(long)]
    data_dir: PathBuf,
    /// What it is guilty of.
    #[arg(long, value_enum, default_value_t = Bug::None)]
    bug: Bug,
    /// The port of clients, on every member.
    #[arg(long, default_value_t = 7200)]
    client_port: u16,
    /// The port of peers, on every member.
    #[arg(long, default_value_t = 7201)]
    peer_port: u16,
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
