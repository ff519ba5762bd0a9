//! A cluster of server processes on this machine's loopback network, for the
//! databases' own tests. Each node has a loopback address of its own, so the
//! ports are the same on all, and clusters side by side do not meet.

use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tribunal_client::protocol::{Request, Response, from_line, to_line};
use tribunal_client::{Call, Node, Outcome};

use crate::Member;

/// Processes that are killed, and whose data is deleted, when this is dropped.
pub struct Processes {
    /// Who is in the cluster.
    pub members: Vec<Member>,
    folder: PathBuf,
    running: Vec<Option<Child>>,
}

impl Processes {
    /// Addresses and a folder for `count` nodes; nothing is started.
    pub fn new(name: &str, count: usize) -> Self {
        static CLUSTERS: AtomicU32 = AtomicU32::new(0);
        let cluster = CLUSTERS.fetch_add(1, Ordering::Relaxed);
        let pid = std::process::id();
        // 127.x.y.z with x.y from the process and z from the cluster: sixteen
        // clusters a test process, fifteen nodes a cluster.
        let ip = |n: usize| {
            let [_, _, high, low] = pid.to_be_bytes();
            format!("127.{}.{low}.{}", 1 + high % 250, (cluster as usize % 16) * 16 + n)
        };
        let members = (1..=count).map(|n| Member { id: format!("n{n}"), ip: ip(n) }).collect();
        let folder = std::env::temp_dir().join(format!("{name}-{pid}-{cluster}"));
        Self { members, folder, running: (0..count).map(|_| None).collect() }
    }

    /// `n1=127.0.0.1,n2=…`, as the servers take it.
    pub fn peers(&self) -> String {
        let peers = self.members.iter().map(|member| format!("{}={}", member.id, member.ip));
        peers.collect::<Vec<_>>().join(",")
    }

    /// Node `index` as a client sees it.
    pub fn node(&self, index: usize, client_port: u16) -> Node {
        let Member { id, ip } = self.members[index].clone();
        Node { id, ip, ports: [("client".to_owned(), client_port)].into() }
    }

    /// The data folder of node `index`.
    pub fn data(&self, index: usize) -> PathBuf {
        self.folder.join(&self.members[index].id)
    }

    /// Starts `program` as node `index`; its log goes into the data folder.
    pub fn start(&mut self, index: usize, program: &Path, arguments: &[&str]) -> io::Result<()> {
        let data = self.data(index);
        std::fs::create_dir_all(&data)?;
        let log = std::fs::File::create(data.join("db.log"))?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.running[index] = Some(child);
        Ok(())
    }

    /// Kills node `index` and waits until it is gone.
    pub fn kill(&mut self, index: usize) {
        if let Some(mut child) = self.running[index].take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Stops node `index` with SIGSTOP, and waits until each of its threads has
    /// stopped: the signal alone may find one in the middle of an answer.
    pub fn pause(&self, index: usize) -> io::Result<()> {
        let pid = self.signal(index, "STOP")?;
        eventually("all threads have stopped", || all_stopped(pid).ok()?.then_some(()));
        Ok(())
    }

    /// Lets node `index` go on.
    pub fn resume(&self, index: usize) -> io::Result<()> {
        self.signal(index, "CONT").map(|_| ())
    }

    fn signal(&self, index: usize, signal: &str) -> io::Result<u32> {
        let pid = self.running[index].as_ref().expect("the node runs").id();
        let arguments = [format!("-{signal}"), pid.to_string()];
        let status = Command::new("kill").args(arguments).status()?;
        if status.success() { Ok(pid) } else { Err(io::Error::other(format!("kill: {status}"))) }
    }
}

fn all_stopped(pid: u32) -> io::Result<bool> {
    for thread in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        let stat = std::fs::read_to_string(thread?.path().join("stat"))?;
        // The state follows the name, which is in parentheses and may hold any.
        let state = stat.rsplit(") ").next().and_then(|rest| rest.chars().next());
        if state != Some('T') {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Drop for Processes {
    fn drop(&mut self) {
        for index in 0..self.running.len() {
            self.kill(index);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A client program, spoken to as the harness does. It is killed when dropped.
pub struct Caller {
    program: Child,
    requests: ChildStdin,
    responses: BufReader<ChildStdout>,
    sent: u64,
}

impl Caller {
    /// Starts `program` with `arguments` for a workload and binds it to a node;
    /// panics where a run would end.
    pub fn new(program: &str, arguments: &[&str], workload: &str, node: Node) -> Self {
        let mut program = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {program}: {error}"));
        let requests = program.stdin.take().expect("piped");
        let responses = BufReader::new(program.stdout.take().expect("piped"));
        let mut caller = Self { program, requests, responses, sent: 0 };
        let ready = caller.say(&Request::hello(0, workload));
        assert!(matches!(ready, Response::Ready { .. }), "{ready:?}");
        let opened = caller.say(&Request::Open { id: 1, node });
        assert_eq!(opened, Response::ok(1));
        caller.sent = 1;
        caller
    }

    /// Has the client make what the workload needs.
    pub fn setup(&mut self) {
        self.sent += 1;
        let made = self.say(&Request::Setup { id: self.sent });
        assert_eq!(made, Response::ok(self.sent));
    }

    /// Performs a call, which may take five seconds.
    pub fn call(&mut self, call: &Call) -> Outcome {
        self.sent += 1;
        let response = self.say(&Request::op(self.sent, call, Some(5000)));
        assert_eq!(response.id(), Some(self.sent));
        response.into_outcome()
    }

    fn say(&mut self, request: &Request) -> Response {
        writeln!(self.requests, "{}", to_line(request)).expect("the client reads");
        let mut line = String::new();
        self.responses.read_line(&mut line).expect("the client writes");
        from_line(&line).expect("a response")
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Asks `condition` again and again until it answers something; panics, naming
/// `what`, after half a minute.
pub fn eventually<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let limit = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(answer) = condition() {
            return answer;
        }
        assert!(Instant::now() < limit, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
