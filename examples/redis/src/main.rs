//! Tribunal's client for Redis under Sentinel. Bound to a node, it makes its calls at the primary that this
//! node's sentinel names, as a client would that knows one sentinel. Nothing is sent twice, and nothing
//! to a replica but by the workload `leader`, which asks each node itself.
//!
//!     redis-client-program each-call | each-connection        # when the sentinel is asked

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
use route::Asks;

// A connection has a task of its own, which runs while this thread waits for the next line.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> ExitCode {
    let asks = match std::env::args().nth(1).as_deref() {
        None | Some("each-call") => Asks::EachCall,
        Some("each-connection") => Asks::EachConnection,
        Some(other) => {
            eprintln!("`{other}` is not each-call or each-connection");
            return ExitCode::from(64);
        }
    };
    tribunal_client::serve(WORKLOADS, |workload| Program::new(workload, asks)).await
}
