//! Tribunal's client for RabbitMQ: durable queues, with publisher confirms, through the
//! node that it is bound to and no other.
//!
//! It is not a way to use RabbitMQ well: it publishes nothing twice, so that each
//! acknowledgement is the server's own word on one message.

mod answers;
mod client;
mod connection;
mod errors;
mod queue;

use std::process::ExitCode;

use connection::Kind;

// The driver's connection has tasks of its own, which run while this thread waits
// for the next line.
#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> ExitCode {
    // `rabbitmq-client-program [classic|quorum]`
    let kind = match std::env::args().nth(1).as_deref() {
        None | Some("classic") => Kind::Classic,
        Some("quorum") => Kind::Quorum,
        Some(other) => {
            eprintln!("a queue is `classic` or `quorum`, not `{other}`");
            return ExitCode::from(64);
        }
    };
    tribunal_client::serve(&["queue"], |_workload| client::Rabbit::new(kind)).await
}
