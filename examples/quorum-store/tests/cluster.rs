//! Real servers and real clients on the loopback network.

use std::process::Command;

use substrate::trial::{Caller, Cluster, eventually};
use tribunal_client::{Call, Failure, Outcome};

const PROGRAM: &str = env!("CARGO_BIN_EXE_quorum-store");

fn start(nodes: usize, bug: &'static str) -> Cluster {
    Cluster::start(PROGRAM, 7200, nodes, bug)
}

fn bound_to(cluster: &Cluster, index: usize) -> Caller {
    cluster.caller("register", index)
}

fn log(cluster: &Cluster, index: usize) -> String {
    std::fs::read_to_string(cluster.processes.data(index).join("data.log")).expect("it has a log")
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
        let cluster = start(4, bug);
        assert_eq!(value(bound_to(&cluster, 0).call(&read())), None);
        let written = bound_to(&cluster, 3).call(&write(7)).expect("the write happens");
        assert_eq!((&written.ext["node"], &written.ext["counter"]), (&"n4".into(), &1.into()));
        for index in 0..4 {
            let reply = bound_to(&cluster, index).call(&read()).expect("the read happens");
            assert_eq!(reply, written, "the same value by the same stamp from n{}", index + 1);
        }
    }
}

#[test]
fn one_replica_may_die_and_without_a_majority_nothing_happens() {
    let mut cluster = start(3, "none");
    let mut caller = bound_to(&cluster, 0);
    caller.call(&write(1)).expect("the write happens");
    cluster.kill(&[2]);
    caller.call(&write(2)).expect("two of three are enough");
    assert_eq!(value(bound_to(&cluster, 1).call(&read())), Some(2));
    cluster.kill(&[1]);
    let refused = Failure::fail("no majority answers; nothing was stored");
    assert_eq!(caller.call(&write(3)), Err(refused));
    assert_eq!(caller.call(&read()), Err(Failure::fail("no majority answers")));
    cluster.start_nodes(&[1]);
    eventually("a majority answers again", || caller.call(&write(4)).ok());
    assert_eq!(value(caller.call(&read())), Some(4));
}

#[test]
fn acknowledged_writes_are_there_after_all_nodes_were_killed() {
    let mut cluster = start(4, "none");
    for n in 1..=20 {
        bound_to(&cluster, n % 4).call(&write(n as u64)).expect("the write happens");
    }
    cluster.kill(&[0, 1, 2, 3]);
    cluster.start_nodes(&[0, 1, 2, 3]);
    for index in 0..4 {
        assert_eq!(value(bound_to(&cluster, index).call(&read())), Some(20));
    }
}

#[test]
fn a_hint_does_not_count_and_reaches_whom_it_is_for() {
    let mut cluster = start(4, "none");
    cluster.kill(&[1, 2]);
    let refused = Failure::fail("no majority answers; nothing was stored");
    assert_eq!(bound_to(&cluster, 3).call(&write(1)), Err(refused));
    cluster.start_nodes(&[1]);
    eventually("a majority answers again", || bound_to(&cluster, 3).call(&write(2)).ok());
    eventually("n4 keeps a hint", || log(&cluster, 3).contains("Hinted").then_some(()));
    cluster.start_nodes(&[2]);
    eventually("n3 has what it missed", || log(&cluster, 2).contains("Stored").then_some(()));
}

#[test]
fn a_sloppy_quorum_acknowledges_what_the_replicas_do_not_have() {
    let mut cluster = start(4, "sloppy-quorum");
    bound_to(&cluster, 0).call(&write(1)).expect("the write happens");
    eventually("all have it", || (0..3).all(|n| log(&cluster, n).contains("Stored")).then_some(()));
    cluster.kill(&[1, 2]);
    bound_to(&cluster, 0).call(&write(2)).expect("n1 has it, and n4 keeps a hint");
    cluster.kill(&[0, 3]);
    cluster.start_nodes(&[1, 2]);
    assert_eq!(value(bound_to(&cluster, 1).call(&read())), Some(1), "the acknowledged 2 is missed");
}

#[test]
fn a_small_majority_acknowledges_what_one_replica_has() {
    let mut cluster = start(3, "small-majority");
    cluster.kill(&[1, 2]);
    bound_to(&cluster, 0).call(&write(1)).expect("n1 has it");
    cluster.kill(&[0]);
    cluster.start_nodes(&[1, 2]);
    assert_eq!(value(bound_to(&cluster, 1).call(&read())), None, "the acknowledged 1 is missed");
}

#[test]
fn a_bad_command_line_is_one_sentence() {
    let serve = ["serve", "--data-dir", "/nonexistent", "--node", "n9", "--peers", "n1=127.0.0.1"];
    let output = Command::new(PROGRAM).args(serve).output().expect("the program runs");
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(error.trim(), "quorum-store: --peers must name n9 once");
}
