//! The harness's end of the client protocol: a client that is a program of any language.
//!
//! One process a worker, one request in flight. A program that misses a
//! deadline, exits or says what is not of the protocol is ended, and the call
//! is an `info`; the next `open` starts it anew.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustix::process::{Pid, Signal, kill_process_group, set_parent_process_death_signal};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tribunal_client::protocol::{Request, Response, VERSION, from_line, to_line};
use tribunal_client::{Client, Failure, Node, Outcome};
use tribunal_history::Call;

use crate::deadline::Deadline;

/// How long a program that was told to quit may take.
const GRACE: Duration = Duration::from_millis(500);

/// What to run, and what to ask of it.
#[derive(Debug)]
pub struct Program {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// The folder it runs in: the test file's.
    pub directory: PathBuf,
    /// The workload it will serve.
    pub workload: String,
    /// How long a call may take.
    pub deadline: Deadline,
    /// Where its standard error goes.
    pub log: PathBuf,
}

/// A client that is a program.
pub struct ClientProgram {
    program: Arc<Program>,
    running: Option<Running>,
    next_id: u64,
    /// Its last request found no answer, or none of the protocol's.
    broken: bool,
}

struct Running {
    child: Child,
    stdin: ChildStdin,
    stdout: Lines<BufReader<ChildStdout>>,
    log: PathBuf,
    /// A request was sent whose answer has not been read: no other may be sent.
    owed: bool,
}

impl ClientProgram {
    /// A client whose process is started before its first `open`.
    pub fn new(program: Arc<Program>) -> Self {
        Self { program, running: None, next_id: 0, broken: false }
    }

    fn spawn(&mut self) -> Result<(), Failure> {
        let [command, arguments @ ..] = self.program.command.as_slice() else {
            return Err(Failure::fail("[client] command is empty"));
        };
        let log = File::options().create(true).append(true).open(&self.program.log)?;
        let mut spawn = Command::new(command);
        // SAFETY: prctl(2) is async-signal-safe and allocates nothing, so it may
        // be called between fork and exec. Without it a client that hangs would
        // outlive a controller that was killed.
        unsafe {
            spawn.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
        }
        let mut child = spawn
            .args(arguments)
            .current_dir(&self.program.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(log)
            // Out of the reach of Ctrl-C: the load ends call by call, not by its clients' death.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                Failure::Fail(format!("the client program {command} does not start: {error}"))
            })?;
        let stdin = child.stdin.take().expect("stdin is piped");
        let stdout = child.stdout.take().expect("stdout is piped");
        let stdout = BufReader::new(stdout).lines();
        self.running =
            Some(Running { child, stdin, stdout, log: self.program.log.clone(), owed: false });
        Ok(())
    }

    async fn greet(&mut self) -> Result<(), Failure> {
        let workload = self.program.workload.clone();
        match self.ask(|id| Request::hello(id, &workload)).await? {
            Response::Ready { protocol: VERSION, workloads, .. } => {
                if workloads.contains(&workload) {
                    return Ok(());
                }
                Err(Failure::Fail(format!(
                    "the client program does not serve the workload {workload}; it serves {}",
                    workloads.join(", ")
                )))
            }
            Response::Ready { protocol, .. } => Err(Failure::Fail(format!(
                "the client program speaks protocol {protocol}, and this is protocol {VERSION}"
            ))),
            other => other.into_outcome().map(drop),
        }
    }

    /// Sends a request and reads its answer. Whoever drops this half-way leaves
    /// the answer owed, and `close` will end the program.
    async fn ask(&mut self, request: impl FnOnce(u64) -> Request) -> Result<Response, Failure> {
        let id = self.next_id;
        self.next_id += 1;
        // Whoever has no patience left drops this: that is no breach.
        self.broken = false;
        let running = self.running.as_mut().ok_or_else(|| Failure::fail("not connected"))?;
        running.owed = true;
        let answer = running.exchange(&to_line(&request(id)), id).await;
        self.broken =
            matches!(&answer, Err(_) | Ok(Response::Error { .. } | Response::Ready { .. }));
        let response = answer?;
        running.owed = false;
        Ok(response)
    }

    /// Ends the program: politely if it owes nothing.
    async fn end(&mut self) {
        let Some(mut running) = self.running.take() else { return };
        if !running.owed {
            let quit = to_line(&Request::Quit { id: self.next_id });
            let polite = async {
                running.exchange(&quit, self.next_id).await.ok()?;
                running.child.wait().await.ok()
            };
            if tokio::time::timeout(GRACE, polite).await.is_ok() {
                return;
            }
        }
        running.kill_group();
        let _ = running.child.wait().await;
    }
}

impl Running {
    /// Kills the program and whatever it has started: a script is more than its shell.
    fn kill_group(&self) {
        // No number once it was waited for: then it may be somebody else's.
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid as i32));
        if let Some(pid) = pid {
            let _ = kill_process_group(pid, Signal::KILL);
        }
    }

    async fn exchange(&mut self, line: &str, id: u64) -> Result<Response, Failure> {
        self.stdin.write_all(line.as_bytes()).await?;
        self.stdin.write_all(b"\n").await?;
        self.stdin.flush().await?;
        let answer = self.stdout.next_line().await?.ok_or_else(|| {
            let log = self.log.display();
            io::Error::other(format!("the client program exited; its log is {log}"))
        })?;
        let response: Response = from_line(&answer)?;
        match response.id() {
            Some(found) if found != id => Err(Failure::Info(format!(
                "the client program answered request {found} when {id} was asked"
            ))),
            _ => Ok(response),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.kill_group();
    }
}

#[async_trait]
impl Client for ClientProgram {
    async fn start(&mut self) -> Result<(), Failure> {
        if self.running.is_some() {
            return Ok(());
        }
        self.spawn()?;
        if let Err(failure) = self.greet().await {
            self.end().await;
            return Err(failure);
        }
        Ok(())
    }

    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        let node = node.clone();
        self.ask(|id| Request::Open { id, node }).await?.into_outcome().map(drop)
    }

    async fn setup(&mut self) -> Result<(), Failure> {
        self.ask(|id| Request::Setup { id }).await?.into_outcome().map(drop)
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        let timeout_ms = self.program.deadline.now().as_millis() as u64;
        self.ask(|id| Request::op(id, call, Some(timeout_ms))).await?.into_outcome()
    }

    fn is_broken(&self) -> bool {
        self.broken
    }

    /// Between calls the worker closes only what failed. A program that still
    /// answers is kept; its next `open` makes a new connection.
    async fn close(&mut self) {
        if self.running.as_ref().is_some_and(|running| running.owed) {
            self.end().await;
        }
    }

    async fn quit(&mut self) {
        self.end().await;
    }
}
