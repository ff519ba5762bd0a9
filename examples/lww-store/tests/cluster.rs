//! Real servers and real clients on the loopback network.

use std::process::Command;
use std::time::Duration;

use substrate::trial::{Caller, Cluster, eventually};
use tribunal_client::{Call, Failure, Outcome};

const PROGRAM: &str = env!("CARGO_BIN_EXE_lww-store");

fn start(nodes: usize, bug: &'static str) -> Cluster {
    Cluster::start(PROGRAM, 7000, nodes, bug)
}

fn bound_to(cluster: &Cluster, index: usize) -> Caller {
    cluster.caller("lww", index)
}

/// One for which 0 is nothing.
fn deleter(cluster: &Cluster, index: usize) -> Caller {
    cluster.caller_with(&["--empty", "0"], "register", index)
}

fn write(value: u64) -> Call {
    Call::new("write").key("x").value(value)
}

fn read() -> Call {
    Call::new("read").key("x")
}

fn value(outcome: Outcome) -> Option<u64> {
    outcome.expect("the read happens").value.as_u64()
}

#[test]
fn what_one_node_wrote_all_nodes_read() {
    for bug in ["none", "wall-clock", "tie", "no-read-repair"] {
        let cluster = start(3, bug);
        assert_eq!(value(bound_to(&cluster, 0).call(&read())), None);
        let written = bound_to(&cluster, 0).call(&write(7)).expect("the write happens");
        assert_eq!(written.ext["node"], "n1");
        for index in 0..3 {
            let reply = bound_to(&cluster, index).call(&read()).expect("the read happens");
            assert_eq!(reply, written, "the same value by the same stamp from n{}", index + 1);
        }
    }
}

#[test]
fn what_was_deleted_stays_away_unless_it_is_forgotten() {
    for (bug, after) in [("none", None), ("tombstone", Some(1))] {
        let mut cluster = start(3, bug);
        bound_to(&cluster, 0).call(&write(1)).expect("the write happens");
        let log = cluster.processes.data(2).join("data.log");
        eventually("n3 has it", || (std::fs::metadata(&log).ok()?.len() > 0).then_some(()));
        cluster.processes.kill(2);
        deleter(&cluster, 0).call(&write(0)).expect("the key is deleted");
        assert_eq!(value(bound_to(&cluster, 1).call(&read())), None);
        assert_eq!(value(deleter(&cluster, 1).call(&read())), Some(0));
        // Longer than it is remembered. To ask meanwhile would remind those who are asked.
        std::thread::sleep(Duration::from_millis(500));
        cluster.start_nodes(&[2]);
        assert_eq!(value(bound_to(&cluster, 2).call(&read())), after, "{bug}");
    }
}

#[test]
fn a_minority_may_die_and_a_majority_s_death_is_answered() {
    let mut cluster = start(5, "none");
    let mut caller = bound_to(&cluster, 0);
    caller.call(&write(1)).expect("the write happens");
    cluster.kill(&[3, 4]);
    caller.call(&write(2)).expect("three of five are enough");
    assert_eq!(value(bound_to(&cluster, 1).call(&read())), Some(2));
    cluster.processes.kill(2);
    let written = caller.call(&write(3)).expect_err("two of five are not enough");
    // The server's own words: it answered before the call's deadline did.
    assert_eq!(written, Failure::fail("no majority answers; nothing was stored"));
    assert_eq!(caller.call(&read()), Err(Failure::fail("no majority answers")));
}

#[test]
fn a_stopped_majority_is_answered_and_the_rest_goes_on_when_it_continues() {
    let cluster = start(3, "none");
    let mut caller = bound_to(&cluster, 0);
    caller.call(&write(1)).expect("the write happens");
    cluster.processes.pause(1).expect("n2 stops");
    cluster.processes.pause(2).expect("n3 stops");
    assert_eq!(caller.call(&read()), Err(Failure::fail("no majority answers")));
    cluster.processes.resume(1).expect("n2 continues");
    eventually("a majority answers again", || caller.call(&write(3)).ok());
    assert_eq!(value(caller.call(&read())), Some(3));
    cluster.processes.resume(2).expect("n3 continues");
}

#[test]
fn acknowledged_writes_are_there_after_all_nodes_were_killed() {
    let mut cluster = start(3, "none");
    for n in 1..=20 {
        bound_to(&cluster, n % 3).call(&write(n as u64)).expect("the write happens");
    }
    cluster.restart();
    for index in 0..3 {
        assert_eq!(value(bound_to(&cluster, index).call(&read())), Some(20));
    }
}

#[test]
fn a_bad_command_line_is_one_sentence() {
    let serve = ["serve", "--data-dir", "/nonexistent", "--node", "n9", "--peers", "n1=127.0.0.1"];
    let output = Command::new(PROGRAM).args(serve).output().expect("the program runs");
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(error.trim(), "lww-store: --peers must name n9 once");
}
