//! Tribunal's client for PostgreSQL under Patroni. Bound to a node, it asks that node's Patroni who the
//! leader is whenever it has no connection, and makes its calls there for as long as the connection
//! lasts. Nothing is sent twice.
//!
//!     patroni-client-program serializable | repeatable-read | read-committed

mod bank;
mod errors;
mod leader;
mod list_append;
mod program;
mod session;
mod set;

use std::process::ExitCode;

use program::{Program, WORKLOADS};
use tokio_postgres::IsolationLevel;

// A connection has a task of its own, which runs while this thread waits for the next line.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> ExitCode {
    let isolation = match std::env::args().nth(1).as_deref() {
        None | Some("serializable") => IsolationLevel::Serializable,
        Some("repeatable-read") => IsolationLevel::RepeatableRead,
        Some("read-committed") => IsolationLevel::ReadCommitted,
        Some(other) => {
            eprintln!("`{other}` is not serializable, repeatable-read or read-committed");
            return ExitCode::from(64);
        }
    };
    tribunal_client::serve(WORKLOADS, |workload| Program::new(workload, isolation)).await
}
