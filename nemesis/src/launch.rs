//! Getting an agent to run on a node: the executable goes there over SSH, once
//! a version, and is started in the session.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use openssh::Stdio;
use tokio::io::{AsyncReadExt, AsyncWrite};
use tribunal_harness::cluster::Session;

use crate::agent::DIRECTORY;
use crate::link::{Greeting, Link};

/// Starts agents on one node: the first one, and successors of those that die.
#[async_trait]
pub trait Launch: Send + Sync {
    /// Starts one and waits until it is ready. The error says why, without the node's name.
    async fn launch(&self) -> Result<(Link, Greeting), String>;
}

/// The executable that is the agent, read once for all nodes.
#[derive(Clone)]
pub struct Executable {
    content: Arc<Vec<u8>>,
    path: String,
}

impl Executable {
    /// Reads it, usually from `std::env::current_exe()`.
    pub async fn read(path: &Path) -> Result<Self, String> {
        let content = tokio::fs::read(path)
            .await
            .map_err(|error| format!("the agent {} cannot be read: {error}", path.display()))?;
        let path = format!("{DIRECTORY}/tribunal-{:016x}", hash(&content));
        Ok(Self { content: Arc::new(content), path })
    }

    /// Makes sure that the node has it; its path there.
    pub async fn install(&self, session: &Session) -> Result<&str, String> {
        let (path, size) = (&self.path, self.content.len());
        let there = format!("test \"$(stat -c %s {path} 2>/dev/null)\" = {size} && touch {path}");
        let there = session.run(&there).await.map_err(|error| error.to_string())?;
        if there.code != Some(0) {
            let uploaded = session.upload(&self.content, path, 0o755).await;
            uploaded.map_err(|error| error.to_string())?;
            // Versions that nobody started for a day are of no use any more.
            let old = format!("find {DIRECTORY} -name 'tribunal-*' -mtime +1 -delete");
            let _ = session.run(&old).await;
        }
        Ok(path)
    }
}

/// FNV-1a, 64 bits: it tells versions apart, and guards against nothing.
fn hash(content: &[u8]) -> u64 {
    content.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Starts agents through a node's SSH session.
pub struct OverSsh {
    /// The session.
    pub session: Arc<Session>,
    /// The agent.
    pub executable: Executable,
    /// How long agents live without a word from here.
    pub lease: Duration,
    /// Whom they serve: a word that is no other controller's.
    pub tenant: String,
}

#[async_trait]
impl Launch for OverSsh {
    async fn launch(&self) -> Result<(Link, Greeting), String> {
        let path = self.executable.install(&self.session).await?;
        let lease = self.lease.as_secs().max(1).to_string();
        let mut command = self.session.ssh().clone().arc_command(path.to_owned());
        command.args(["agent", "--lease", &lease, "--tenant", &self.tenant]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().await.map_err(|error| error.to_string())?;
        let stdin = child.stdin().take().expect("stdin is piped");
        let stdout = child.stdout().take().expect("stdout is piped");
        let mut stderr = child.stderr().take().expect("stderr is piped");
        let said = tokio::spawn(async move {
            let mut said = String::new();
            let _ = stderr.read_to_string(&mut said).await;
            // The child is kept as long as its streams.
            drop(child);
            said
        });
        let stdin: Box<dyn AsyncWrite + Send + Unpin> = Box::new(stdin);
        match Link::open(stdout, stdin, ping(self.lease)).await {
            Ok(opened) => Ok(opened),
            Err(error) => {
                let said = tokio::time::timeout(Duration::from_secs(1), said).await;
                let said = said.ok().and_then(Result::ok).unwrap_or_default();
                Err(format!("{error}; it said: {}", said.trim().replace('\n', "; ")))
            }
        }
    }
}

/// How often a lease is renewed: often enough to lose a few.
pub fn ping(lease: Duration) -> Duration {
    (lease / 5).max(Duration::from_millis(100))
}
