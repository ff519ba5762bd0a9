//! Tribunal's client for NATS JetStream: sets, logs and queues in one replicated
//! stream, through the node that it is bound to and no other.
//!
//! It is not a way to use JetStream well: it names no message (`Nats-Msg-Id`) and
//! repeats none, so that each acknowledgement is the server's own word on one publish.

mod client;
mod connection;
mod errors;
mod log;
mod queue;
mod reader;
mod set;
mod stream;

use std::process::ExitCode;

// The driver's connection has tasks of its own, which run while this thread waits
// for the next line.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> ExitCode {
    // `nats-client-program [REPLICAS]`
    let replicas = match std::env::args().nth(1).map(|replicas| replicas.parse()) {
        None => 3,
        Some(Ok(replicas)) => replicas,
        Some(Err(error)) => {
            eprintln!("how many replicas the stream has is a number: {error}");
            return ExitCode::from(64);
        }
    };
    let client = |workload: &str| client::Nats::new(workload, replicas);
    tribunal_client::serve(&["set", "set-full", "log", "queue"], client).await
}
