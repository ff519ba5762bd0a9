//! A connection to one server that is made when it is needed and given up when
//! it is silent for too long. Many requests may be in flight on it.
//!
//! Giving it up matters: after a partition, TCP waits ever longer before it
//! sends again, while a new connection works at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::BufReader;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::frame::{self, Frame};

/// Why there is no answer; it tells whether the request can have arrived.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// There was no connection; nothing was sent.
    #[error("{address} cannot be reached: {why}")]
    Unreached {
        /// Who was called.
        address: String,
        /// What the system said.
        why: String,
    },
    /// It was sent, and nobody knows what became of it.
    #[error("{address} did not answer: {why}")]
    Unanswered {
        /// Who was called.
        address: String,
        /// What is known.
        why: String,
    },
}

/// Asks one server. `Q` are its requests, `A` its answers.
pub struct Link<Q, A> {
    address: String,
    patience: Duration,
    wire: Mutex<Option<Wire<Q, A>>>,
    generations: AtomicU64,
}

/// One TCP connection.
struct Wire<Q, A> {
    generation: u64,
    requests: mpsc::UnboundedSender<(Q, oneshot::Sender<A>)>,
}

impl<Q, A> Link<Q, A>
where
    Q: Serialize + Send + 'static,
    A: DeserializeOwned + Send + 'static,
{
    /// A link to `address` that waits for `patience` for an answer, connecting included.
    pub fn new(address: impl Into<String>, patience: Duration) -> Self {
        Self {
            address: address.into(),
            patience,
            wire: Mutex::new(None),
            generations: AtomicU64::new(0),
        }
    }

    /// Connects, unless it is connected.
    pub async fn connect(&self) -> Result<(), LinkError> {
        self.wire(Instant::now() + self.patience).await.map(|_| ())
    }

    /// Sends a request and waits for its answer.
    pub async fn ask(&self, request: Q) -> Result<A, LinkError> {
        let deadline = Instant::now() + self.patience;
        let (generation, requests) = self.wire(deadline).await?;
        let (answer, answered) = oneshot::channel();
        if requests.send((request, answer)).is_err() {
            return Err(self.unreached("the connection is closed"));
        }
        let why = match timeout_at(deadline, answered).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(_)) => "the connection was closed".to_owned(),
            Err(_) => format!("nothing came within {:?}", self.patience),
        };
        let mut wire = self.wire.lock().await;
        if wire.as_ref().is_some_and(|wire| wire.generation == generation) {
            *wire = None;
        }
        Err(LinkError::Unanswered { address: self.address.clone(), why })
    }

    fn unreached(&self, why: impl ToString) -> LinkError {
        LinkError::Unreached { address: self.address.clone(), why: why.to_string() }
    }

    async fn wire(
        &self,
        deadline: Instant,
    ) -> Result<(u64, mpsc::UnboundedSender<(Q, oneshot::Sender<A>)>), LinkError> {
        let too_long = || self.unreached(format!("no connection within {:?}", self.patience));
        let mut wire = timeout_at(deadline, self.wire.lock()).await.map_err(|_| too_long())?;
        if let Some(wire) = wire.as_ref().filter(|wire| !wire.requests.is_closed()) {
            return Ok((wire.generation, wire.requests.clone()));
        }
        let stream = timeout_at(deadline, TcpStream::connect(&self.address))
            .await
            .map_err(|_| too_long())?
            .map_err(|error| self.unreached(error))?;
        let _ = stream.set_nodelay(true);
        let (requests, queue) = mpsc::unbounded_channel();
        let generation = self.generations.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(carry(stream, queue));
        *wire = Some(Wire { generation, requests: requests.clone() });
        Ok((generation, requests))
    }
}

type Waiting<A> = Arc<std::sync::Mutex<HashMap<u64, oneshot::Sender<A>>>>;

/// Carries requests and answers over one connection until either end lets go.
async fn carry<Q: Serialize, A: DeserializeOwned + Send + 'static>(
    stream: TcpStream,
    queue: mpsc::UnboundedReceiver<(Q, oneshot::Sender<A>)>,
) {
    let (reader, writer) = stream.into_split();
    let waiting = Waiting::default();
    // Whichever half ends first takes the other along; who still waits then
    // learns of it by its dropped sender.
    tokio::select! {
        () = send(writer, queue, waiting.clone()) => {}
        () = receive(reader, waiting) => {}
    }
}

async fn send<Q: Serialize, A>(
    mut writer: OwnedWriteHalf,
    mut queue: mpsc::UnboundedReceiver<(Q, oneshot::Sender<A>)>,
    waiting: Waiting<A>,
) {
    let mut id = 0;
    while let Some((body, answer)) = queue.recv().await {
        id += 1;
        waiting.lock().expect("no panic under this lock").insert(id, answer);
        if frame::write(&mut writer, Frame { id, body }).await.is_err() {
            return;
        }
    }
}

async fn receive<A: DeserializeOwned>(reader: OwnedReadHalf, waiting: Waiting<A>) {
    let mut reader = BufReader::new(reader);
    while let Some(Frame { id, body }) = frame::read(&mut reader).await {
        let asked = waiting.lock().expect("no panic under this lock").remove(&id);
        if let Some(asked) = asked {
            let _ = asked.send(body);
        }
    }
}
