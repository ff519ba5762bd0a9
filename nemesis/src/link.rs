//! The controller's end of the line to one agent.
//!
//! Requests go out as they come; replies find their way back by number, each
//! within a deadline. A ping goes out every so often, which is what keeps the
//! agent's lease.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{Mutex as AsyncMutex, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};

use crate::agent::protocol::{Answered, Asked, Reply, Request};

/// How long an agent gets for an answer. Its own deadlines are shorter, but a busy host stops its
/// NTP service, say, in ten seconds.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it gets to start: a predecessor may have to be waited for, and undone.
const START: Duration = Duration::from_secs(60);

/// Why an agent did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It ended, or the connection did.
    #[error("the agent is gone")]
    Gone,
    /// It is there, but says nothing.
    #[error("the agent did not answer within {} s", .0.as_secs())]
    Silent(Duration),
    /// It said no.
    #[error("{0}")]
    Refused(String),
}

type Waiting = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<Reply>>>>>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// A line to a running agent. Dropping it ends the agent, which undoes all.
pub struct Link {
    writer: Arc<AsyncMutex<Writer>>,
    /// Who waits for which reply; `None` once nobody will answer any more.
    waiting: Waiting,
    next: AtomicU64,
    gone: watch::Receiver<bool>,
    tasks: [JoinHandle<()>; 2],
}

/// What an agent reported when it started: what it undid, and what it could not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Greeting {
    /// Done.
    pub undone: Vec<String>,
    /// Still there.
    pub left: Vec<String>,
    /// The boot id of the node's kernel, where that could be read.
    pub boot_id: Option<String>,
    /// What the node has not, by what it is called, with a sentence each.
    pub lacks: BTreeMap<String, String>,
    /// The node's own addresses.
    pub addresses: Vec<IpAddr>,
}

impl Link {
    /// Waits for a started agent to be ready, then keeps its lease with a ping
    /// every `ping`.
    pub async fn open(
        reader: impl AsyncRead + Send + Unpin + 'static,
        writer: impl AsyncWrite + Send + Unpin + 'static,
        ping: Duration,
    ) -> Result<(Self, Greeting), LinkError> {
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::new())));
        let greeting = expect(&waiting, 0)?;
        let (on_end, gone) = watch::channel(false);
        let reading = tokio::spawn(read(reader, waiting.clone(), on_end));
        let writer: Arc<AsyncMutex<Writer>> = Arc::new(AsyncMutex::new(Box::new(writer)));
        let pinging = tokio::spawn(keep(writer.clone(), ping));
        let tasks = [reading, pinging];
        let link = Self { writer, waiting, next: AtomicU64::new(1), gone, tasks };
        match timeout(START, greeting).await {
            Err(_) => Err(LinkError::Silent(START)),
            Ok(Ok(Reply::Ready { undone, left, boot_id, addresses, lacks })) => {
                Ok((link, Greeting { undone, left, boot_id, addresses, lacks }))
            }
            Ok(_) => Err(LinkError::Gone),
        }
    }

    /// Asks, and waits for the answer.
    pub async fn ask(&self, request: Request) -> Result<Reply, LinkError> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let reply = expect(&self.waiting, id)?;
        let exchange = async {
            write(&self.writer, &Asked { id, request }).await.map_err(|_| LinkError::Gone)?;
            reply.await.map_err(|_| LinkError::Gone)
        };
        match timeout(PATIENCE, exchange).await {
            Err(_) => Err(LinkError::Silent(PATIENCE)),
            Ok(Ok(Reply::Failed { why })) => Err(LinkError::Refused(why)),
            Ok(answer) => answer,
        }
    }

    /// Waits until the agent is gone.
    pub async fn gone(&self) {
        // The sender's end is as good as its word.
        let _ = self.gone.clone().wait_for(|gone| *gone).await;
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn expect(waiting: &Waiting, id: u64) -> Result<oneshot::Receiver<Reply>, LinkError> {
    let (sender, receiver) = oneshot::channel();
    let mut waiting = waiting.lock().expect("nobody panics holding it");
    waiting.as_mut().ok_or(LinkError::Gone)?.insert(id, sender);
    Ok(receiver)
}

async fn read(reader: impl AsyncRead + Unpin, waiting: Waiting, gone: watch::Sender<bool>) {
    let mut lines = BufReader::new(reader).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        // A login script may say something first; it is not for us.
        let Ok(Answered { id, reply }) = serde_json::from_str(&line) else {
            tracing::debug!(line, "not an agent's reply");
            continue;
        };
        let mut waiting = waiting.lock().expect("nobody panics holding it");
        if let Some(sender) = waiting.as_mut().and_then(|waiting| waiting.remove(&id)) {
            let _ = sender.send(reply);
        }
    }
    // Dropping the senders tells all who wait.
    waiting.lock().expect("nobody panics holding it").take();
    gone.send_replace(true);
}

async fn keep(writer: Arc<AsyncMutex<Writer>>, every: Duration) {
    let mut ticks = interval(every);
    loop {
        ticks.tick().await;
        // Its reply has a number that nobody waits for.
        let ping = Asked { id: u64::MAX, request: Request::Ping };
        if write(&writer, &ping).await.is_err() {
            return;
        }
    }
}

async fn write(writer: &AsyncMutex<Writer>, asked: &Asked) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(asked)?;
    line.push(b'\n');
    let mut writer = writer.lock().await;
    writer.write_all(&line).await?;
    writer.flush().await
}
