//! Real etcds on the loopback network, if there are any, and the clients' calls.
#![allow(dead_code, reason = "each test program takes what it needs")]

use std::path::Path;

use substrate::trial::{Caller, Processes, eventually};
use tribunal_client::{Call, Node};

const ETCD: &str = "/usr/bin/etcd";

/// A client program and its arguments.
pub type Program = (&'static str, &'static [&'static str]);

pub const RUST: Program = (env!("CARGO_BIN_EXE_etcd-client-program"), &[]);
pub const PYTHON: Program = ("python3", &[concat!(env!("CARGO_MANIFEST_DIR"), "/client.py")]);

/// A cluster of so many nodes; `None`, saying so, where etcd is not installed.
pub fn etcd(nodes: usize) -> Option<Processes> {
    if !Path::new(ETCD).exists() {
        eprintln!("skipped: {ETCD} is not there (apt-get install etcd-server)");
        return None;
    }
    let mut processes = Processes::new("etcd", nodes);
    for index in 0..nodes {
        start(&mut processes, index);
    }
    for index in 0..nodes {
        serves(&processes, index);
    }
    Some(processes)
}

/// Starts a node, on what it has.
pub fn start(processes: &mut Processes, index: usize) {
    let member = processes.members[index].clone();
    let data = processes.data(index).join("data");
    let (client, peer) =
        (format!("http://{}:2379", member.ip), format!("http://{}:2380", member.ip));
    let peers =
        processes.members.iter().map(|member| format!("{}=http://{}:2380", member.id, member.ip));
    let cluster = peers.collect::<Vec<_>>().join(",");
    let arguments = [
        ["--name", &member.id],
        ["--data-dir", data.to_str().expect("UTF-8")],
        ["--listen-client-urls", &client],
        ["--advertise-client-urls", &client],
        ["--listen-peer-urls", &peer],
        ["--initial-advertise-peer-urls", &peer],
        ["--initial-cluster", &cluster],
    ];
    processes.start(index, ETCD.as_ref(), arguments.as_flattened()).expect("etcd starts");
}

/// Waits until a node answers a read.
pub fn serves(processes: &Processes, index: usize) {
    eventually("etcd serves", || {
        let ip = &processes.members[index].ip;
        std::net::TcpStream::connect((ip.as_str(), 2379)).ok()?;
        caller(RUST, "register", node(processes, index)).call(&read()).ok()
    });
}

pub fn node(processes: &Processes, index: usize) -> Node {
    processes.node(index, 2379)
}

pub fn caller(program: Program, workload: &str, node: Node) -> Caller {
    Caller::new(program.0, program.1, workload, node)
}

pub fn read() -> Call {
    Call::new("read").key("x")
}

pub fn write(value: u64) -> Call {
    Call::new("write").key("x").value(value)
}

pub fn cas(old: u64, new: u64) -> Call {
    Call::new("cas").key("x").value(vec![old, new])
}
