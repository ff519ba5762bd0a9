//! The controller's line to a wire: asks, waits for the answer, and keeps the lease.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};

use super::protocol::{Answered, Asked, Reply, Request};

/// How long the wire gets for an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// A line to a wire. When it is dropped, everything that was asked for over it is undone.
#[derive(Debug)]
pub struct Line {
    ends: Arc<Mutex<Ends>>,
    pinging: JoinHandle<()>,
}

#[derive(Debug)]
struct Ends {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    next: u64,
}

impl Line {
    /// Connects to the wire that listens at `path`; silent for longer than `lease`, it
    /// undoes everything.
    pub async fn open(path: &Path, lease: Duration) -> Result<Self, String> {
        let stream = UnixStream::connect(path).await;
        let stream = stream
            .map_err(|error| format!("the wire does not answer: {}: {error}", path.display()))?;
        let (reader, writer) = stream.into_split();
        let ends = Ends { reader: BufReader::new(reader), writer, next: 1 };
        let ends = Arc::new(Mutex::new(ends));
        let pinging = tokio::spawn(keep(ends.clone(), lease / 4));
        let line = Self { ends, pinging };
        line.ask(Request::Lease { milliseconds: lease.as_millis() as u64 }).await?;
        Ok(line)
    }

    /// Asks, and waits for the answer. The error is the wire's, or says that it is gone.
    pub async fn ask(&self, request: Request) -> Result<Reply, String> {
        match exchange(&self.ends, request).await? {
            Reply::Failed { why } => Err(why),
            reply => Ok(reply),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.pinging.abort();
    }
}

async fn exchange(ends: &Mutex<Ends>, request: Request) -> Result<Reply, String> {
    let mut ends = ends.lock().await;
    match timeout(PATIENCE, ends.exchange(request)).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(error)) => Err(format!("the wire is gone: {error}")),
        Err(_) => Err(format!("the wire did not answer within {} s", PATIENCE.as_secs())),
    }
}

impl Ends {
    async fn exchange(&mut self, request: Request) -> std::io::Result<Reply> {
        let id = self.next;
        self.next += 1;
        let mut line = serde_json::to_vec(&Asked { id, request })?;
        line.push(b'\n');
        self.writer.write_all(&line).await?;
        loop {
            let mut text = String::new();
            if self.reader.read_line(&mut text).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            // The answer to one that was given up on may still come.
            let answered: Answered = serde_json::from_str(&text)?;
            if answered.id == id {
                return Ok(answered.reply);
            }
        }
    }
}

async fn keep(ends: Arc<Mutex<Ends>>, every: Duration) {
    let mut ticks = interval(every);
    loop {
        ticks.tick().await;
        if exchange(&ends, Request::Ping).await.is_err() {
            return;
        }
    }
}
