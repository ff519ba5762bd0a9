//! A cluster of server processes on this machine's loopback network, for the
//! databases' own tests. Each node has a loopback address of its own, so the
//! ports are the same on all, and clusters side by side do not meet.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

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

    /// Sends the running node `index` a signal by name: `STOP`, `CONT`.
    pub fn signal(&self, index: usize, signal: &str) -> io::Result<()> {
        let pid = self.running[index].as_ref().expect("the node runs").id().to_string();
        let status = Command::new("kill").args([&format!("-{signal}"), &pid]).status()?;
        if status.success() { Ok(()) } else { Err(io::Error::other(format!("kill: {status}"))) }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for index in 0..self.running.len() {
            self.kill(index);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Asks `condition` again and again until it answers something; panics, naming
/// `what`, after half a minute.
pub async fn eventually<T, R>(what: &str, mut condition: impl FnMut() -> R) -> T
where
    R: Future<Output = Option<T>>,
{
    let asking = async {
        loop {
            if let Some(answer) = condition().await {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, asking).await.unwrap_or_else(|_| panic!("never: {what}"))
}
