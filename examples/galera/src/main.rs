//! Tribunal's client for MariaDB's Galera Cluster, on the node it is bound to and no other.
//!
//! Every call is one transaction, tried once. `session` has the connection and says
//! which errors are definite; the other files are a workload each.

mod bank;
mod lists;
mod registers;
mod session;
mod set;

use std::process::ExitCode;

use session::{Bound, Calls};

const WORKLOADS: &[&str] = &["register", "rw-register", "list-append", "bank", "set", "set-full"];

fn calls(workload: &str) -> Box<dyn Calls> {
    match workload {
        "bank" => Box::new(bank::Bank),
        "list-append" => Box::new(lists::Lists),
        "set" | "set-full" => Box::new(set::Set),
        _ => Box::new(registers::Registers),
    }
}

// A connection that is let go of is closed by a task of its own.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> ExitCode {
    tribunal_client::serve(WORKLOADS, |workload| Bound::new(calls(workload))).await
}
