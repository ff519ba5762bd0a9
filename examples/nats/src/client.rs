//! One worker's client: a connection, and what its workload keeps between calls.
//! What a call does is not here but in the workload's own file.

use async_nats::jetstream::stream::RetentionPolicy;
use async_trait::async_trait;
use tokio::time::sleep;
use tribunal_client::{Call, Client, Failure, Node, Outcome};

use crate::connection::{Connection, PAUSE};
use crate::log::Log;
use crate::queue::Queue;
use crate::set::Set;
use crate::stream::{Kind, Stream};

/// A client of one node.
pub struct Nats {
    connection: Connection,
    kind: Kind,
    work: Work,
}

enum Work {
    Set(Set),
    Log(Log),
    Queue(Queue),
}

impl Nats {
    /// A client for a workload's calls on a stream of so many replicas.
    pub fn new(workload: &str, replicas: usize) -> Self {
        let (work, retention) = match workload {
            "log" => (Work::Log(Log::default()), RetentionPolicy::Limits),
            "queue" => (Work::Queue(Queue), RetentionPolicy::WorkQueue),
            _ => (Work::Set(Set), RetentionPolicy::Limits),
        };
        let kind = Kind { replicas, retention };
        Self { connection: Connection::default(), kind, work }
    }

    async fn call(&mut self, call: &Call) -> Outcome {
        let stream = Stream::new(self.connection.jetstream().await?, self.kind);
        match &mut self.work {
            Work::Set(set) => set.call(&stream, call).await,
            Work::Log(log) => log.call(&stream, call).await,
            Work::Queue(queue) => queue.call(&stream, call).await,
        }
    }
}

#[async_trait]
impl Client for Nats {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        // A consumer of a log begins anew: whoever lost its connection does not know
        // what else was lost, and reading all again finds out.
        if let Work::Log(log) = &mut self.work {
            *log = Log::default();
        }
        self.connection.open(node).await
    }

    /// Makes the stream. The servers elect who may, which takes them seconds.
    async fn setup(&mut self) -> Result<(), Failure> {
        loop {
            let stream = Stream::new(self.connection.jetstream().await?, self.kind);
            match stream.create().await {
                Ok(()) => return Ok(()),
                Err(why) => eprintln!("the stream is not made yet: {why:?}"),
            }
            sleep(PAUSE).await;
        }
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        let outcome = self.call(call).await;
        // Whatever went wrong, the next call gets a connection of its own.
        if matches!(outcome, Err(Failure::Info(_))) {
            self.connection.drop();
        }
        outcome
    }

    async fn close(&mut self) {
        self.connection.drop();
    }
}
