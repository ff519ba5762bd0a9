//! Real servers and real clients on the loopback network.

use std::process::Command;

use substrate::trial::{Caller, Processes, eventually};
use tribunal_client::{Call, Failure, Outcome};

const PROGRAM: &str = env!("CARGO_BIN_EXE_quorum-store");

struct Cluster {
    processes: Processes,
    bug: &'static str,
}

impl Cluster {
    fn start(nodes: usize, bug: &'static str) -> Self {
        let mut cluster = Self { processes: Processes::new("quorum-store", nodes), bug };
        (0..nodes).for_each(|index| cluster.start_node(index));
        cluster
    }

    fn start_node(&mut self, index: usize) {
        let data = self.processes.data(index);
        let (peers, id) = (self.processes.peers(), self.processes.members[index].id.clone());
        let options = ["serve", "--node", &id, "--peers", &peers, "--bug", self.bug];
        let data = ["--data-dir", data.to_str().expect("UTF-8")];
        self.processes
            .start(index, PROGRAM.as_ref(), &[&options[..], &data].concat())
            .expect("the server starts");
        let address = format!("{}:7200", self.processes.members[index].ip);
        eventually("the server is ready", || {
            let ready = Command::new(PROGRAM).args(["ready", "--address", &address]).output();
            ready.expect("the program runs").status.success().then_some(())
        });
    }

    fn caller(&self, index: usize) -> Caller {
        Caller::new(PROGRAM, &["client"], "register", self.processes.node(index, 7200))
    }

    /// Ends some nodes. To stop them is not enough: what is sent to a node that stands waits for it.
    fn kill(&mut self, nodes: &[usize]) {
        nodes.iter().for_each(|&index| self.processes.kill(index));
    }

    fn start_nodes(&mut self, nodes: &[usize]) {
        nodes.iter().for_each(|&index| self.start_node(index));
    }

    fn log(&self, index: usize) -> String {
        std::fs::read_to_string(self.processes.data(index).join("data.log")).expect("it has a log")
    }
}

/// Of four nodes n1, n2 and n3 keep it, and n4 stands in for them.
const KEY: &str = "c";

fn write(value: u64) -> Call {
    Call::new("write").key(KEY).value(value)
}

fn read() -> Call {
    Call::new("read").key(KEY)
}

fn value(outcome: Outcome) -> Option<u64> {
    outcome.expect("the read happens").value.as_u64()
}

#[test]
fn what_one_node_wrote_all_nodes_read() {
    for bug in ["none", "no-write-back", "sloppy-quorum"] {
        let cluster = Cluster::start(4, bug);
        assert_eq!(value(cluster.caller(0).call(&read())), None);
        let written = cluster.caller(3).call(&write(7)).expect("the write happens");
        assert_eq!((&written.ext["node"], &written.ext["counter"]), (&"n4".into(), &1.into()));
        for index in 0..4 {
            let reply = cluster.caller(index).call(&read()).expect("the read happens");
            assert_eq!(reply, written, "the same value by the same stamp from n{}", index + 1);
        }
    }
}

#[test]
fn one_replica_may_die_and_without_a_majority_nothing_happens() {
    let mut cluster = Cluster::start(3, "none");
    let mut caller = cluster.caller(0);
    caller.call(&write(1)).expect("the write happens");
    cluster.kill(&[2]);
    caller.call(&write(2)).expect("two of three are enough");
    assert_eq!(value(cluster.caller(1).call(&read())), Some(2));
    cluster.kill(&[1]);
    let refused = Failure::fail("no majority answers; nothing was stored");
    assert_eq!(caller.call(&write(3)), Err(refused));
    assert_eq!(caller.call(&read()), Err(Failure::fail("no majority answers")));
    cluster.start_node(1);
    eventually("a majority answers again", || caller.call(&write(4)).ok());
    assert_eq!(value(caller.call(&read())), Some(4));
}

#[test]
fn acknowledged_writes_are_there_after_all_nodes_were_killed() {
    let mut cluster = Cluster::start(4, "none");
    for n in 1..=20 {
        cluster.caller(n % 4).call(&write(n as u64)).expect("the write happens");
    }
    cluster.kill(&[0, 1, 2, 3]);
    cluster.start_nodes(&[0, 1, 2, 3]);
    for index in 0..4 {
        assert_eq!(value(cluster.caller(index).call(&read())), Some(20));
    }
}

#[test]
fn a_hint_does_not_count_and_reaches_whom_it_is_for() {
    let mut cluster = Cluster::start(4, "none");
    cluster.kill(&[1, 2]);
    let refused = Failure::fail("no majority answers; nothing was stored");
    assert_eq!(cluster.caller(3).call(&write(1)), Err(refused));
    cluster.start_node(1);
    eventually("a majority answers again", || cluster.caller(3).call(&write(2)).ok());
    eventually("n4 keeps a hint", || cluster.log(3).contains("Hinted").then_some(()));
    cluster.start_node(2);
    eventually("n3 has what it missed", || cluster.log(2).contains("Stored").then_some(()));
}

#[test]
fn a_sloppy_quorum_acknowledges_what_the_replicas_do_not_have() {
    let mut cluster = Cluster::start(4, "sloppy-quorum");
    cluster.caller(0).call(&write(1)).expect("the write happens");
    eventually("all have it", || (0..3).all(|n| cluster.log(n).contains("Stored")).then_some(()));
    cluster.kill(&[1, 2]);
    cluster.caller(0).call(&write(2)).expect("n1 has it, and n4 keeps a hint");
    cluster.kill(&[0, 3]);
    cluster.start_nodes(&[1, 2]);
    assert_eq!(value(cluster.caller(1).call(&read())), Some(1), "the acknowledged 2 is missed");
}

#[test]
fn a_small_majority_acknowledges_what_one_replica_has() {
    let mut cluster = Cluster::start(3, "small-majority");
    cluster.kill(&[1, 2]);
    cluster.caller(0).call(&write(1)).expect("n1 has it");
    cluster.kill(&[0]);
    cluster.start_nodes(&[1, 2]);
    assert_eq!(value(cluster.caller(1).call(&read())), None, "the acknowledged 1 is missed");
}

#[test]
fn a_bad_command_line_is_one_sentence() {
    let serve = ["serve", "--data-dir", "/nonexistent", "--node", "n9", "--peers", "n1=127.0.0.1"];
    let output = Command::new(PROGRAM).args(serve).output().expect("the program runs");
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(error.trim(), "quorum-store: --peers must name n9 once");
}
