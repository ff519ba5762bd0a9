//! Tribunal's client for etcd, on the node it is bound to and no other.
//!
//! One file a workload; `bound` has the connection, `failure` says which errors
//! are definite. Nothing is tried again here, nor by the driver: what a call's one
//! request came to is what is said of it.

mod bound;
mod failure;
mod fenced_store;
mod keep_alive;
mod leader;
mod list_append;
mod lock;
mod register;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use bound::{Bound, Calls};
use fenced_store::{FencedStore, Fencing};
use leader::Leader;
use list_append::ListAppend;
use lock::{Locks, Terms};
use register::{Reads, Register};
use watch::Watch;

const WORKLOADS: &[&str] = &[
    "cas-register",
    "register",
    "list-append",
    "lock",
    "fenced-lock",
    "fenced-store",
    "watch",
    "leader",
];

/// Tribunal's client for etcd.
#[derive(Parser)]
struct Options {
    /// What a register's reads ask for.
    #[arg(long, value_enum, default_value_t = Reads::Linearizable)]
    reads: Reads,
    /// How long a lock is held without a keep-alive, in seconds; etcd makes it at least 2.
    #[arg(long, default_value_t = 3)]
    ttl: i64,
    /// How many of a client's holds there are to one whose keep-alive stands still; 0: none.
    #[arg(long, default_value_t = 0)]
    stall: u64,
    /// What a write to the store that a lock guards is made to depend on.
    #[arg(long, value_enum, default_value_t = Fencing::Revision)]
    fencing: Fencing,
}

impl Options {
    fn calls(&self, workload: &str) -> Box<dyn Calls> {
        let locks = || Locks::new(Terms { ttl: self.ttl, stall: self.stall });
        match workload {
            "list-append" => Box::new(ListAppend),
            "lock" | "fenced-lock" => Box::new(locks()),
            "fenced-store" => Box::new(FencedStore::new(locks(), self.fencing)),
            "watch" => Box::new(Watch::default()),
            "leader" => Box::new(Leader),
            _ => Box::new(Register { reads: self.reads }),
        }
    }
}

// The gRPC connection has tasks of its own, which run while this thread waits
// for the next line; and so have the keep-alives of locks.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> ExitCode {
    let options = Options::parse();
    tribunal_client::serve(WORKLOADS, |workload| Bound::new(options.calls(workload))).await
}
