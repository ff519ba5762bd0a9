//! The real agent and its victims, as child processes of the test.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use tribunal_nemesis::agent::protocol::{Answered, Asked, Harm, Reply, Request};

pub const TRIBUNAL: &str = env!("CARGO_BIN_EXE_tribunal");

/// A child process with lines in and lines out; killed when it is dropped.
pub struct Piped {
    pub child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Piped {
    pub fn start(mut command: Command) -> std::io::Result<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Ok(Self { child, input, output })
    }

    pub fn say(&mut self, line: &str) {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{line}").and_then(|()| input.flush()).unwrap();
    }

    pub fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line
    }

    /// Closes its standard input and waits for its end.
    pub fn close(mut self) -> Option<i32> {
        self.input.take();
        self.child.wait().unwrap().code()
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running agent.
pub struct Agent {
    pub process: Piped,
    asked: u64,
    /// What it undid when it started.
    pub undone: Vec<String>,
}

impl Agent {
    /// Starts one with its journal in `state`; `inside` is a command to start it with.
    pub fn start(state: &Path, lease: u64, inside: &[&str]) -> Self {
        Self::start_for("nobody", state, lease, inside)
    }

    /// Starts one that serves a certain controller.
    pub fn start_for(tenant: &str, state: &Path, lease: u64, inside: &[&str]) -> Self {
        let arguments = ["--lease", &lease.to_string(), "--tenant", tenant];
        let process = Piped::start(command(state, &arguments, inside));
        let mut agent = Self { process: process.unwrap(), asked: 0, undone: Vec::new() };
        match agent.hear() {
            Answered { id: 0, reply: Reply::Ready { undone, left, .. } } => {
                assert!(left.is_empty(), "{left:?}");
                agent.undone = undone;
            }
            other => panic!("{other:?}"),
        }
        agent
    }

    pub fn ask(&mut self, request: Request) -> Reply {
        self.asked += 1;
        let asked = Asked { id: self.asked, request };
        self.process.say(&serde_json::to_string(&asked).unwrap());
        let Answered { id, reply } = self.hear();
        assert_eq!(id, self.asked);
        reply
    }

    pub fn inject(&mut self, fault: u64, harm: Harm) {
        assert_eq!(self.ask(Request::Inject { fault, harm }), Reply::Done);
    }

    /// What it sees of a fault: whether it took effect, and the evidence.
    pub fn observe(&mut self, fault: u64) -> (bool, String) {
        seen(self.ask(Request::Observe { fault }))
    }

    pub fn heal(&mut self, fault: u64) -> String {
        seen(self.ask(Request::Heal { fault })).1
    }

    /// The node's clock, and the least and the most that the daemon's processes are ahead of it.
    pub fn clock(&mut self, pid: Option<u32>) -> (i64, Option<(i64, i64)>) {
        match self.ask(Request::Clock { pid }) {
            Reply::Clock { wall_ns, ahead_ns } => (wall_ns, ahead_ns),
            other => panic!("{other:?}"),
        }
    }

    /// SIGKILL to the agent's guard, and then to itself: nobody is left who would undo anything.
    pub fn kill_with_guard(self) {
        let agent = self.process.child.id();
        let parent = |pid: &u32| {
            let read = |file| std::fs::read_to_string(format!("/proc/{pid}/{file}"));
            let (status, command) = (read("status").unwrap_or_default(), read("cmdline"));
            command.is_ok_and(|command| command.contains("--guard"))
                && status.lines().any(|line| {
                    line.strip_prefix("PPid:").map(str::trim) == Some(&agent.to_string())
                })
        };
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let guard: Vec<u32> = pids.filter(parent).collect();
        assert_eq!(guard.len(), 1, "an agent has one guard");
        let guard = rustix::process::Pid::from_raw(guard[0] as i32).unwrap();
        rustix::process::kill_process(guard, rustix::process::Signal::KILL).unwrap();
        drop(self);
    }

    fn hear(&mut self) -> Answered {
        let line = self.process.hear();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"))
    }
}

fn seen(reply: Reply) -> (bool, String) {
    match reply {
        Reply::Seen(effect) => (effect.observed, effect.evidence.join("; ")),
        other => panic!("{other:?}"),
    }
}

/// `tribunal agent --heal`: what it printed.
pub fn heal(state: &Path, inside: &[&str]) -> String {
    let output = command(state, &["--heal"], inside).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn command(state: &Path, arguments: &[&str], inside: &[&str]) -> Command {
    let words: Vec<&str> = inside.iter().copied().chain([TRIBUNAL, "agent"]).collect();
    let mut command = Command::new(words[0]);
    command.args(&words[1..]).args(arguments).arg("--state").arg(state);
    command
}

/// A program in a session of its own, as a daemon is; it runs by now.
pub fn daemon(program: &Path, arguments: &[&str]) -> Piped {
    let mut command = Command::new("setsid");
    command.arg(program).args(arguments).stderr(Stdio::null());
    let daemon = Piped::start(command).unwrap();
    let runs = PathBuf::from(format!("/proc/{}/exe", daemon.child.id()));
    wait_until("setsid has become the program", || {
        std::fs::read_link(&runs).is_ok_and(|exe| !exe.ends_with("setsid"))
    });
    daemon
}

/// A virtual machine that runs the victim `Clocks.java`, compiled into a folder, in a session of its
/// own; `None`, with the reason printed, where there is none.
pub fn java(folder: &Path, arguments: &[&str]) -> Option<Piped> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/victims/Clocks.java");
    let folder = folder.to_str()?;
    match Command::new("javac").args(["-d", folder]).arg(source).status() {
        Ok(status) => assert!(status.success(), "javac fails"),
        Err(error) => {
            let why = format!("no javac (package openjdk-17-jdk-headless): {error}");
            crate::runner::skip(why);
            return None;
        }
    }
    let options = ["-XX:TieredStopAtLevel=1", "-Xmx64m", "-cp", folder, "Clocks"];
    Some(daemon(Path::new("java"), &[&options[..], arguments].concat()))
}

/// Compiles a victim; `None`, with the reason printed, where there is no compiler.
pub fn compile(source: &str, into: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/victims").join(source);
    let program = into.join(source.file_name()?);
    let (compiler, options): (_, &[&str]) = match source.extension()?.to_str()? {
        "c" => ("cc", &["-O1", "-pthread"]),
        _ => ("rustc", &["--edition", "2024", "-O"]),
    };
    let mut command = Command::new(compiler);
    match command.args(options).arg(&source).arg("-o").arg(&program).status() {
        Ok(status) => assert!(status.success(), "{compiler} fails on {}", source.display()),
        Err(error) => {
            crate::runner::skip(format!("{compiler} cannot be run: {error}"));
            return None;
        }
    }
    Some(program)
}

/// Whether this test can be done as this user; prints why not.
pub fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        crate::runner::skip("only root may trace processes and make network namespaces");
    }
    root
}

/// The states of all threads of a process, and their number.
pub fn states(pid: u32) -> String {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let state = |task: std::io::Result<std::fs::DirEntry>| {
        let stat = std::fs::read_to_string(task.ok()?.path().join("stat")).ok()?;
        stat.rsplit_once(')')?.1.trim().chars().next()
    };
    tasks.filter_map(state).collect()
}

/// Looks again and again until it is so.
pub fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !so() {
        assert!(Instant::now() < deadline, "not within 30 s: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
