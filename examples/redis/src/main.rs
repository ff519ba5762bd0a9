//! Tribunal's client for Redis under Sentinel. Bound to a node, it asks that node's sentinel who the
//! primary is, before every call, and makes the call there: as a client would that knows one sentinel.
//! Nothing is sent twice, and nothing to a replica but by the workload `leader`, which asks each node itself.

mod errors;
mod leader;
mod link;
mod lock;
mod program;
mod register;
mod route;
mod set;

use std::process::ExitCode;

use program::{Program, WORKLOADS};

// A connection has a task of its own, which runs while this thread waits for the next line.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> ExitCode {
    tribunal_client::serve(WORKLOADS, Program::new).await
}
