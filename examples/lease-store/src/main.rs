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

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use substrate::Member;

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

#[derive(clap::Args)]
pub(crate) struct Serve {
    /// This node's name among the peers.
    #[arg(long)]
    node: String,
    /// All members, this one included: n1=10.0.0.1,n2=10.0.0.2,…
    #[arg(long, value_delimiter = ',', required = true)]
    peers: Vec<Member>,
    /// Where the log is kept.
    #[arg(long)]
    data_dir: PathBuf,
    /// What it is guilty of.
    #[arg(long, value_enum, default_value_t = Bug::None)]
    bug: Bug,
    /// The port of clients, on every member.
    #[arg(long, default_value_t = 7100)]
    client_port: u16,
    /// The port of peers, on every member.
    #[arg(long, default_value_t = 7101)]
    peer_port: u16,
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
