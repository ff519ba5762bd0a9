//! Three servers and their sentinels, each pair on a loopback address of its own.

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::Command;

use substrate::trial::{Processes, eventually};
use tribunal_client::Node;

const SERVER: &str = "/usr/bin/redis-server";
const SENTINEL: &str = "/usr/bin/redis-sentinel";
const PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;
const NODES: usize = 3;
/// A state of `/proc/net/tcp`.
const ESTABLISHED: &str = "01";

/// The servers are the first three processes, their sentinels the last three.
pub struct Group {
    pub processes: Processes,
}

impl Group {
    /// Ready to serve; `None`, saying so, where Redis is not installed.
    pub fn start() -> Option<Self> {
        let mut group = Self::of(2 * NODES)?;
        (0..NODES).for_each(|node| group.start_server(node));
        (0..NODES).for_each(|node| group.start_sentinel(node));
        for node in 0..NODES {
            eventually("a sentinel knows all others", || group.knows_all(node).then_some(()));
        }
        Some(group)
    }

    /// One server, and no sentinel.
    pub fn alone() -> Option<Self> {
        let mut group = Self::of(1)?;
        group.start_server(0);
        eventually("it listens", || TcpStream::connect(group.address(0)).ok());
        Some(group)
    }

    fn of(processes: usize) -> Option<Self> {
        if ![SERVER, SENTINEL].iter().all(|program| Path::new(program).exists()) {
            eprintln!(
                "skipped: no {SERVER} and {SENTINEL} (apt-get install redis-server redis-sentinel)"
            );
            return None;
        }
        Some(Self { processes: Processes::new("redis", processes) })
    }

    fn ip(&self, node: usize) -> &str {
        &self.processes.members[node].ip
    }

    /// Of a server.
    pub fn address(&self, node: usize) -> String {
        format!("{}:{PORT}", self.ip(node))
    }

    /// As a client sees it.
    pub fn node(&self, node: usize) -> Node {
        self.processes.node(node, PORT)
    }

    fn start_server(&mut self, node: usize) {
        let (ip, primary) = (self.ip(node).to_owned(), self.ip(0).to_owned());
        let folder = self.processes.data(node);
        fs::create_dir_all(&folder).expect("a folder");
        let of_primary = format!("{primary} {PORT}");
        let mut options = vec![
            ["--bind", &ip],
            ["--replica-announce-ip", &ip],
            ["--dir", folder.to_str().expect("UTF-8")],
            ["--repl-diskless-sync-delay", "0"],
            ["--save", ""],
        ];
        if node > 0 {
            options.push(["--replicaof", &of_primary]);
        }
        self.processes.start(node, SERVER.as_ref(), options.as_flattened()).expect("it starts");
    }

    fn start_sentinel(&mut self, node: usize) {
        let (ip, primary) = (self.ip(node).to_owned(), self.ip(0).to_owned());
        let folder = self.processes.data(NODES + node);
        fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("sentinel.conf");
        let lines = [
            format!("bind {ip}"),
            format!("port {SENTINEL_PORT}"),
            format!("dir {}", folder.display()),
            format!("sentinel announce-ip {ip}"),
            format!("sentinel monitor tribunal {primary} {PORT} 2"),
            "sentinel down-after-milliseconds tribunal 5000".to_owned(),
            "sentinel failover-timeout tribunal 5000".to_owned(),
        ];
        fs::write(&file, lines.join("\n") + "\n").expect("a file");
        let file = file.to_str().expect("UTF-8");
        self.processes.start(NODES + node, SENTINEL.as_ref(), &[file]).expect("it starts");
    }

    /// Whether a node's sentinel has heard of all others and of all replicas.
    fn knows_all(&self, node: usize) -> bool {
        let asked = Command::new("redis-cli")
            .args(["-h", self.ip(node), "-p", &SENTINEL_PORT.to_string()])
            .args(["sentinel", "master", "tribunal"])
            .output()
            .expect("redis-cli comes with the servers");
        let said = String::from_utf8_lossy(&asked.stdout).into_owned();
        let lines: Vec<&str> = said.lines().collect();
        let others = (NODES - 1).to_string();
        ["num-slaves", "num-other-sentinels"]
            .iter()
            .all(|field| lines.windows(2).any(|pair| pair == [*field, others.as_str()]))
    }

    /// Whether bytes lie in a server's hands that it has not read (the receive queues of `/proc/net/tcp`).
    pub fn has_unread(&self, node: usize) -> bool {
        let ip: Ipv4Addr = self.ip(node).parse().expect("an address");
        let local = format!("{:08X}:{PORT:04X}", u32::from_le_bytes(ip.octets()));
        let sockets = fs::read_to_string("/proc/net/tcp").expect("Linux");
        let of_server = sockets.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        of_server
            .filter(|fields| fields[1] == local && fields[3] == ESTABLISHED)
            .any(|fields| !fields[4].ends_with(":00000000"))
    }
}
