//! A multiplexed SSH connection to one node, through the `openssh` crate: the
//! system's own `ssh`, so `~/.ssh/config`, keys, agents and jump hosts work.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use openssh::{Child, KnownHosts, SessionBuilder, Stdio};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Node;

/// How long a host may take until it greets: a busy one takes ten seconds and more.
const CONNECT: Duration = Duration::from_secs(30);

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

impl SessionError {
    /// The attempt to connect to `node` ended in a panic.
    pub(super) fn aborted(node: &Node, panic: &dyn std::error::Error) -> Self {
        Self::Connect {
            node: node.id.to_string(),
            destination: node.destination.clone(),
            why: panic.to_string(),
        }
    }
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
            .connect_timeout(CONNECT)
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
                why: refusal(&error),
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
        let mut command = self.ssh.command("sh");
        command.args(["-c", script]).stdin(Stdio::null());
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().await;
        let (code, stdout, stderr) =
            self.finish(child.map_err(|error| self.broken(&error))?).await?;
        Ok(Output { code, stdout, stderr })
    }

    /// Runs a program whose standard streams are this process' own. Returns its exit
    /// code; `None` when a signal ended it. Like `ssh`, it waits until nobody on
    /// the node holds the program's output any more.
    pub async fn run_attached(&self, command: &[String]) -> Result<Option<i32>, SessionError> {
        let (program, arguments) = command.split_first().expect("a command names a program");
        let mut remote = self.ssh.command(program);
        remote.args(arguments).stdin(Stdio::inherit());
        // Relayed rather than inherited: the exit code may come before the last of the output,
        // and with who has been told the code openssh drops what is still on its way.
        let child = remote.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().await;
        let mut child = child.map_err(|error| self.broken(&error))?;
        let (stdout, stderr) = (child.stdout().take(), child.stderr().take());
        tokio::join!(relay(stdout, tokio::io::stdout()), relay(stderr, tokio::io::stderr()));
        self.code(child.wait().await)
    }

    /// Runs `script`, which must succeed; its standard output comes back.
    pub async fn run_ok(&self, script: &str) -> Result<String, SessionError> {
        let output = self.run(script).await?;
        if output.code == Some(0) {
            return Ok(output.stdout);
        }
        Err(self.failed(script, output.code, &output.stderr))
    }

    /// Writes `content` to the file `to` on the node, by way of a temporary
    /// name, so that a running program can be replaced.
    pub async fn upload(&self, content: &[u8], to: &str, mode: u32) -> Result<(), SessionError> {
        let script = r#"mkdir -p "$(dirname "$0")" && cat > "$0.new" && chmod "$1" "$0.new" && mv -f "$0.new" "$0""#;
        let mode = format!("{mode:o}");
        let mut command = self.ssh.command("sh");
        command.args(["-c", script, to, &mode]).stdin(Stdio::piped());
        let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().await;
        let mut child = child.map_err(|error| self.broken(&error))?;
        let mut stdin = child.stdin().take().expect("stdin is piped");
        // A full disk ends `cat` and breaks the pipe: what it said is the better error.
        let sent = stdin.write_all(content).await;
        drop(stdin);
        let (code, _, mut stderr) = self.finish(child).await?;
        if let (Err(error), true) = (&sent, stderr.is_empty()) {
            stderr = error.to_string();
        }
        if sent.is_ok() && code == Some(0) {
            return Ok(());
        }
        Err(self.failed(&format!("write {to}"), code, &stderr))
    }

    /// Writes the local file `from` to the node.
    pub async fn upload_file(&self, from: &Path, to: &str, mode: u32) -> Result<(), SessionError> {
        let content = tokio::fs::read(from).await.map_err(|error| SessionError::Session {
            node: self.node.id.to_string(),
            why: format!("cannot read {}: {error}", from.display()),
        })?;
        self.upload(&content, to, mode).await
    }

    /// Reads what a child says to its end, then its exit code.
    async fn finish(
        &self,
        mut child: Child<&openssh::Session>,
    ) -> Result<(Option<i32>, String, String), SessionError> {
        let (stdout, stderr) = (child.stdout().take(), child.stderr().take());
        let (stdout, stderr) = tokio::join!(read_all(stdout), read_all(stderr));
        let code = self.code(child.wait().await)?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        Ok((code, text(stdout), text(stderr)))
    }

    /// openssh makes errors of two ways to exit: code 127, which a shell gives to
    /// a command that it does not find, and a signal.
    fn code(
        &self,
        exit: Result<std::process::ExitStatus, openssh::Error>,
    ) -> Result<Option<i32>, SessionError> {
        match exit {
            Ok(status) => Ok(status.code()),
            Err(openssh::Error::Remote(error)) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Some(127))
            }
            Err(openssh::Error::RemoteProcessTerminated) => Ok(None),
            Err(error) => Err(self.broken(&error)),
        }
    }

    fn failed(&self, script: &str, code: Option<i32>, stderr: &str) -> SessionError {
        SessionError::Command {
            node: self.node.id.to_string(),
            command: script.lines().next().unwrap_or_default().to_owned(),
            code: code.map_or("a signal".to_owned(), |code| format!("code {code}")),
            stderr: last_lines(stderr, 5),
        }
    }

    /// The connection is gone: the master's log says why, where it still is.
    fn broken(&self, error: &openssh::Error) -> SessionError {
        let log = self.ssh.control_socket().with_file_name("log");
        let log = std::fs::read_to_string(log).unwrap_or_default();
        let mut why = causes(error);
        if !log.trim().is_empty() {
            why = format!("{why}: {}", last_lines(&log, 3));
        }
        SessionError::Session { node: self.node.id.to_string(), why }
    }
}

async fn read_all(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let mut content = Vec::new();
    if let Some(mut stream) = stream {
        // A stream that breaks off is a child that ends: `wait` says how.
        let _ = stream.read_to_end(&mut content).await;
    }
    content
}

/// Passes on what a stream brings. Who does not want to read it closes it for the writer, too.
async fn relay(from: Option<impl AsyncRead + Unpin>, mut to: impl AsyncWrite + Unpin) {
    if let Some(mut from) = from {
        let _ = tokio::io::copy(&mut from, &mut to).await;
        let _ = to.flush().await;
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
    last_lines(&text, 5)
}

/// What `ssh` said when it gave up; its last lines say what its banners are about.
fn refusal(error: &openssh::Error) -> String {
    match error {
        openssh::Error::Connect(said) if !said.to_string().trim().is_empty() => {
            last_lines(&said.to_string(), 2)
        }
        other => causes(other),
    }
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim().lines().map(str::trim_end).collect();
    lines[lines.len().saturating_sub(count)..].join("; ")
}
