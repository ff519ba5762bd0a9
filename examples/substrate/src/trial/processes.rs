//! The processes of a cluster: started, killed, paused, and their addresses and folders.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use tribunal_client::Node;

use super::eventually;
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
        Self::within(&std::env::temp_dir(), name, count)
    }

    /// The same, with the folder in there.
    pub fn within(base: &Path, name: &str, count: usize) -> Self {
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
        let folder = base.join(format!("{name}-{pid}-{cluster}"));
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
