//! A cluster of a bundled database: nodes and clients of one executable.

use std::path::Path;
use std::process::Command;

use tribunal_client::{Call, Value};

use super::{Caller, Processes, eventually};

/// Nodes of one executable.
pub struct Cluster {
    /// The nodes.
    pub processes: Processes,
    program: &'static str,
    port: u16,
    bug: &'static str,
}

impl Cluster {
    /// Starts `nodes` nodes of `program`, and waits until each serves.
    pub fn start(program: &'static str, port: u16, nodes: usize, bug: &'static str) -> Self {
        let name = program.rsplit('/').next().unwrap_or(program);
        // Nodes that share a disk all wait for it at once, and take each other for dead.
        let memory = Path::new("/dev/shm");
        let processes = match memory.is_dir() {
            true => Processes::within(memory, name, nodes),
            false => Processes::new(name, nodes),
        };
        let mut cluster = Self { processes, program, port, bug };
        let nodes: Vec<usize> = (0..nodes).collect();
        cluster.start_nodes(&nodes);
        cluster
    }

    /// Starts node `index`.
    pub fn spawn(&mut self, index: usize) {
        let data = self.processes.data(index);
        let (peers, id) = (self.processes.peers(), self.processes.members[index].id.clone());
        let options = ["serve", "--node", &id, "--peers", &peers, "--bug", self.bug];
        let data = ["--data-dir", data.to_str().expect("UTF-8")];
        self.processes
            .start(index, self.program.as_ref(), &[&options[..], &data].concat())
            .expect("the server starts");
    }

    /// Starts these nodes, and waits until each serves.
    pub fn start_nodes(&mut self, nodes: &[usize]) {
        nodes.iter().for_each(|&index| self.spawn(index));
        nodes.iter().for_each(|&index| self.await_ready(index));
    }

    /// Ends these nodes. To stop them is not enough where they must miss something: what is sent to a
    /// node that stands waits for it.
    pub fn kill(&mut self, nodes: &[usize]) {
        nodes.iter().for_each(|&index| self.processes.kill(index));
    }

    /// Ends all nodes, and starts them again on what they have on disk.
    pub fn restart(&mut self) {
        let nodes: Vec<usize> = (0..self.processes.members.len()).collect();
        self.kill(&nodes);
        self.start_nodes(&nodes);
    }

    /// Ends all nodes, and starts them again on what they have on disk, with another bug.
    pub fn restart_with(&mut self, bug: &'static str) {
        self.bug = bug;
        self.restart();
    }

    /// Waits until node `index` serves.
    pub fn await_ready(&self, index: usize) {
        eventually("the server is ready", || self.asks("ready", index).then_some(()));
    }

    /// What `program ready` or `program is-leader` says of node `index`.
    pub fn asks(&self, question: &str, index: usize) -> bool {
        let address = format!("{}:{}", self.processes.members[index].ip, self.port);
        let output = Command::new(self.program).args([question, "--address", &address]).output();
        output.expect("the program runs").status.success()
    }

    /// A client of node `index`.
    pub fn caller(&self, workload: &str, index: usize) -> Caller {
        self.caller_with(&[], workload, index)
    }

    /// A client of node `index`, started with these options.
    pub fn caller_with(&self, options: &[&str], workload: &str, index: usize) -> Caller {
        let node = self.processes.node(index, self.port);
        Caller::new(self.program, &[&["client"], options].concat(), workload, node)
    }

    /// A node that holds itself leader, among `nodes`.
    pub fn leader(&self, nodes: &[usize]) -> usize {
        let leads = |&index: &usize| self.asks("is-leader", index);
        eventually("a leader", || nodes.iter().copied().find(leads))
    }

    /// All nodes but this one.
    pub fn others(&self, node: usize) -> Vec<usize> {
        (0..self.processes.members.len()).filter(|&index| index != node).collect()
    }

    /// Calls again and again until it is certain that it happened: what came back.
    pub fn insist(&self, workload: &str, index: usize, call: &Call) -> Value {
        let mut caller = self.caller(workload, index);
        eventually("the call happens", || caller.call(call).ok()).value
    }
}
