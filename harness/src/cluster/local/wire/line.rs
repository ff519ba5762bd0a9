//! The controller's line to a wire: asks, waits for the answer, and keeps the lease.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
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
    /// What was read of a line outlives whoever gave up waiting for the rest of it.
    reader: Lines<BufReader<OwnedReadHalf>>,
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
        let ends = Ends { reader: BufReader::new(reader).lines(), writer, next: 1 };
        let ends = Arc::new(Mutex::new(ends));
        let pinging = tokio::spawn(keep(ends.clone(), lease / 4));
        let line = Self { ends, pinging };
        line.ask(Request::Lease { milliseconds: lease.as_millis() as u64 }).await?;
        Ok(line)
    }

    /// Asks, and waits for the answer. The error is the wire's, or says that it is gone.
    pub async fn ask(&self, request: Request) -> Result<Reply, String> {
        match exchange(&self.ends, request).await {
            Ok(Reply::Failed { why }) => Err(why),
            Ok(reply) => Ok(reply),
            Err(silence) => Err(silence.to_string()),
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.pinging.abort();
    }
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Silence {
    #[error("the wire is gone: {0}")]
    Gone(#[from] std::io::Error),
    #[error("the wire did not answer within {} s", PATIENCE.as_secs())]
    Late,
}

async fn exchange(ends: &Mutex<Ends>, request: Request) -> Result<Reply, Silence> {
    let mut ends = ends.lock().await;
    match timeout(PATIENCE, ends.exchange(request)).await {
        Ok(answered) => Ok(answered?),
        Err(_) => Err(Silence::Late),
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
            let text = self.reader.next_line().await?;
            let text = text.ok_or(std::io::ErrorKind::UnexpectedEof)?;
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
        // One that is answered late, on a busy machine, has renewed the lease; the next one must not
        // be left out.
        if let Err(Silence::Gone(_)) = exchange(&ends, Request::Ping).await {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::UnixListener;

    use super::*;

    /// On a busy machine one answer comes too late. The lease is kept all the same.
    #[tokio::test]
    async fn a_ping_that_is_not_answered_in_time_is_followed_by_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("wire.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let serving = tokio::spawn(async move {
            let (reader, mut writer) = listener.accept().await.unwrap().0.into_split();
            let mut lines = BufReader::new(reader).lines();
            let mut pings = Vec::new();
            while pings.len() < 3 {
                let line = lines.next_line().await.unwrap().expect("it goes on asking");
                let Asked { id, request } = serde_json::from_str(&line).unwrap();
                if request == Request::Ping {
                    pings.push(id);
                }
                // The first ping is answered when the second one is there, half a line at a time.
                let done = |id| {
                    let answered = Answered { id, reply: Reply::Done };
                    serde_json::to_string(&answered).unwrap() + "\n"
                };
                match &pings[..] {
                    [first] if *first == id => {
                        writer.write_all(&done(id).as_bytes()[..5]).await.unwrap();
                    }
                    [first, second] if *second == id => {
                        let both = done(*first)[5..].to_owned() + &done(id);
                        writer.write_all(both.as_bytes()).await.unwrap();
                    }
                    _ => writer.write_all(done(id).as_bytes()).await.unwrap(),
                }
            }
        });
        let line = Line::open(&path, Duration::from_secs(1)).await.unwrap();
        timeout(PATIENCE * 3, serving).await.unwrap().unwrap();
        drop(line);
    }
}
