//! The command line that all databases on this floor have.

use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use substrate::Seat;

use crate::database::Database;
use crate::machine::machine;
use crate::{client, server};

/// A bundled database that is replicated by Raft.
#[derive(Parser)]
#[command(version)]
struct Arguments<B: ValueEnum + Send + Sync + 'static> {
    #[command(subcommand)]
    command: Command<B>,
}

#[derive(Subcommand)]
enum Command<B: ValueEnum + Send + Sync + 'static> {
    /// Runs a node.
    Serve(Serve<B>),
    /// Performs Tribunal's calls: the client protocol on standard input and output.
    Client,
    /// Exits with 0 when a node answers and knows a leader.
    Ready {
        /// Its client address: 10.0.0.1:7200.
        #[arg(long)]
        address: String,
    },
    /// Exits with 0 when a node holds itself leader, with 1 when it does not or does not answer.
    IsLeader {
        /// Its client address: 10.0.0.1:7200.
        #[arg(long)]
        address: String,
    },
}

#[derive(clap::Args)]
struct Serve<B: ValueEnum + Send + Sync + 'static> {
    #[command(flatten)]
    seat: Seat,
    /// What the database is to be guilty of.
    #[arg(long, value_enum, default_value = "none")]
    bug: B,
    /// A leader that is not heard from for three to four times as long is replaced: openraft lets its lease
    /// of twice as long run out first.
    #[arg(long, default_value_t = 400)]
    election_ms: u64,
}

/// The whole of a database's executable.
pub fn run<D: Database>() -> ExitCode {
    let matches = Arguments::<D::Bug>::command().name(D::NAME).get_matches();
    let arguments = Arguments::<D::Bug>::from_arg_matches(&matches);
    let result = match arguments.unwrap_or_else(|error| error.exit()).command {
        Command::Serve(Serve { seat, bug, election_ms }) => {
            let election = Duration::from_millis(election_ms);
            server::run(seat, D::PORT, machine::<D>(bug), D::flaw(bug), election)
        }
        Command::Client => client::run::<D>(),
        Command::Ready { address } => client::ready::<D>(&address),
        Command::IsLeader { address } => client::is_leader::<D>(&address),
    };
    result.unwrap_or_else(|error| {
        eprintln!("{}: {error:#}", D::NAME);
        ExitCode::FAILURE
    })
}
