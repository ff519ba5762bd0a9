//! A leaderless replicated key-value store that resolves conflicts by last write
//! wins, and its client for Tribunal. With `--bug` it is guilty of one of the
//! ways in which such stores go wrong.

mod bug;
mod client;
mod coordinator;
mod interval;
mod message;
mod replica;
mod server;
mod stamp;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use substrate::Seat;

use crate::bug::Bug;

/// A leaderless replicated key-value store.
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
    Client {
        /// As what a key reads that holds nothing; to write it deletes the key.
        #[arg(long, default_value = "null", value_parser = json)]
        empty: serde_json::Value,
    },
    /// Exits with 0 when a node answers.
    Ready {
        /// Its client address: 10.0.0.1:7000.
        #[arg(long)]
        address: String,
    },
}

/// The port of clients; the one of peers is the next.
pub(crate) const PORT: u16 = 7000;

#[derive(clap::Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    seat: Seat,
    /// What it is guilty of.
    #[arg(long, value_enum, default_value_t = Bug::None)]
    bug: Bug,
    /// How wrong any clock may be, in milliseconds to either side: writes wait until their time is past on all
    /// of them, as Spanner's do. With 0 clocks are taken at their word.
    #[arg(long, default_value_t = 0)]
    bound_ms: u64,
}

/// A value as JSON; any text could be taken for a string, too.
fn json(text: &str) -> Result<serde_json::Value, serde_json::Error> {
    serde_json::from_str(text)
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Serve(options) => server::run(options),
        Command::Client { empty } => client::run(empty),
        Command::Ready { address } => client::ready(&address),
    };
    result.unwrap_or_else(|error| {
        eprintln!("lww-store: {error:#}");
        ExitCode::FAILURE
    })
}
