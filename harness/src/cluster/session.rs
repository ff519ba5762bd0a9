//! A multiplexed SSH connection to one node, through the `openssh` crate: the
//! system's own `ssh`, so `~/.ssh/config`, keys, agents and jump hosts work.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use openssh::{KnownHosts, SessionBuilder, Stdio};
use tokio::io::AsyncWriteExt;

use super::Node;

/// How `ssh` is called. The default leaves all to the user's own configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SshOptions {
    /// `ssh -F`.
    pub config: Option<PathBuf>,
    /// `ssh -i`.
    pub identity: Option<PathBuf>,
    /// Where host keys are looked up instead of `~/.ssh/known_hosts`.
    pub known_hosts: Option<PathBuf>,
    /// The folder of the control sockets; a temporary one where there is none.
    pub control_directory: Option<PathBuf>,
}

/// What a remote command left.
#[derive(Clone, Debug)]
pub struct Output {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output, as text.
    pub stdout: String,
    /// Standard error, as text.
    pub stderr: String,
}

/// Why a node could not be talked to. Every message names the node.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// No connection.
    #[error("node {node} ({destination}) refuses SSH: {why}")]
    Connect {
        /// Which node.
        node: String,
        /// Where it was looked for.
        destination: String,
        /// What `ssh` said.
        why: String,
    },
    /// The connection broke.
    #[error("node {node}: the SSH session failed: {why}")]
    Session {
        /// Which node.
        node: String,
        /// What `ssh` said.
        why: String,
    },
    /// A command failed.
    #[error("node {node}: `{command}` exited with {code}: {stderr}")]
    Command {
        /// Which node.
        node: String,
        /// What was run.
        command: String,
        /// Its exit code in words.
        code: String,
        /// The end of what it said.
        stderr: String,
    },
}

/// An open session. Cheap to share through `Arc`; commands run side by side.
#[derive(Debug)]
pub struct Session {
    node: Node,
    ssh: Arc<openssh::Session>,
}

impl Session {
    /// Connects to a node.
    pub async fn connect(node: &Node, options: &SshOptions) -> Result<Self, SessionError> {
        let mut builder = SessionBuilder::default();
        builder
            .known_hosts_check(KnownHosts::Strict)
            .connect_timeout(Duration::from_secs(10))
            .server_alive_interval(Duration::from_secs(5));
        if let Some(path) = &options.config {
            builder.config_file(path);
        }
        if let Some(path) = &options.identity {
            builder.keyfile(path);
        }
        if let Some(path) = &options.known_hosts {
            builder.user_known_hosts_file(path);
        }
        if let Some(path) = &options.control_directory {
            builder.control_directory(path);
        }
        let ssh = builder.connect_mux(&node.destination).await.map_err(|error| {
            SessionError::Connect {
                node: node.id.to_string(),
                destination: node.destination.clone(),
                why: causes(&error),
            }
        })?;
        Ok(Self { node: node.clone(), ssh: Arc::new(ssh) })
    }

    /// The node at the other end.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// The connection itself, for a child whose standard streams are held open
    /// (`session.ssh().arc_command("…")`).
    pub fn ssh(&self) -> &Arc<openssh::Session> {
        &self.ssh
    }

    /// Runs `script` with `sh -c` and waits, whatever its exit code.
    pub async fn run(&self, script: &str) -> Result<Output, SessionError> {
        let output = self.ssh.command("sh").args(["-c", script]).output().await;
        let output = output.map_err(|error| self.broken(&error))?;
        Ok(Output {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        })
    }

    /// Runs `script`, which must succeed; its standard output comes back.
    pub async fn run_ok(&self, script: &str) -> Result<String, SessionError> {
        let output = self.run(script).await?;
        if output.code == Some(0) {
            return Ok(output.stdout);
        }
        Err(SessionError::Command {
            node: self.node.id.to_string(),
            command: script.lines().next().unwrap_or_default().to_owned(),
            code: output.code.map_or("a signal".to_owned(), |code| format!("code {code}")),
            stderr: last_lines(&output.stderr, 5),
        })
    }

    /// Writes `content` to the file `to` on the node, by way of a temporary
    /// name, so that a running program can be replaced.
    pub async fn upload(&self, content: &[u8], to: &str, mode: u32) -> Result<(), SessionError> {
        let script = r#"mkdir -p "$(dirname "$0")" && cat > "$0.new" && chmod "$1" "$0.new" && mv -f "$0.new" "$0""#;
        let mode = format!("{mode:o}");
        let mut child = self
            .ssh
            .command("sh")
            .args(["-c", script, to, &mode])
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .await
            .map_err(|error| self.broken(&error))?;
        let mut stdin = child.stdin().take().expect("stdin is piped");
        let sent = stdin.write_all(content).await;
        drop(stdin);
        let output = child.wait_with_output().await.map_err(|error| self.broken(&error))?;
        if output.status.success() && sent.is_ok() {
            return Ok(());
        }
        Err(SessionError::Command {
            node: self.node.id.to_string(),
            command: format!("write {to}"),
            code: output.status.to_string(),
            stderr: last_lines(&String::from_utf8_lossy(&output.stderr), 5),
        })
    }

    /// Writes the local file `from` to the node.
    pub async fn upload_file(&self, from: &Path, to: &str, mode: u32) -> Result<(), SessionError> {
        let content = tokio::fs::read(from).await.map_err(|error| SessionError::Session {
            node: self.node.id.to_string(),
            why: format!("cannot read {}: {error}", from.display()),
        })?;
        self.upload(&content, to, mode).await
    }

    fn broken(&self, error: &openssh::Error) -> SessionError {
        SessionError::Session { node: self.node.id.to_string(), why: causes(error) }
    }
}

/// An error and what caused it, on one line.
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        source = cause.source();
    }
    text.trim().replace('\n', "; ")
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("; ")
}
