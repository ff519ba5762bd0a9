//! Real servers and real clients on the loopback network.

use std::process::Command;
use std::thread;

use substrate::trial::{Caller, Cluster, eventually};
use tribunal_client::{Call, Failure, Value};

const PROGRAM: &str = env!("CARGO_BIN_EXE_lease-store");

fn start(nodes: usize, bug: &'static str) -> Cluster {
    Cluster::start(PROGRAM, 7100, nodes, bug)
}

/// What the leader that the node points to has, as soon as it points to one.
fn seen_by(cluster: &Cluster, index: usize) -> Value {
    cluster.insist("cas-register", index, &read())
}

/// A node that answers a probe as leader of a term above `above`, among `nodes`.
fn elected(cluster: &Cluster, nodes: &[usize], above: u64) -> (usize, u64) {
    eventually("a leader", || {
        nodes.iter().find_map(|&index| {
            let (leads, term) = probe(&mut cluster.caller("leader", index))?;
            (leads && term > above).then_some((index, term))
        })
    })
}

/// Whether the node answers as leader, and its term.
fn probe(caller: &mut Caller) -> Option<(bool, u64)> {
    let claim = caller.call(&Call::new("probe")).ok()?.value;
    Some((claim["role"] == "leader", claim["term"].as_u64()?))
}

fn write(value: u64) -> Call {
    Call::new("write").key("x").value(value)
}

fn read() -> Call {
    Call::new("read").key("x")
}

fn cas(old: u64, new: u64) -> Call {
    Call::new("cas").key("x").value(vec![old, new])
}

#[test]
fn one_node_leads_and_every_client_finds_it() {
    for bug in ["none", "paused-leader", "wall-clock-lease", "no-fencing"] {
        let cluster = start(3, bug);
        let (leader, term) = elected(&cluster, &[0, 1, 2], 0);
        let follower = (leader + 1) % 3;
        assert!(cluster.asks("is-leader", leader));
        assert!(!cluster.asks("is-leader", follower));
        let refused = cluster.caller("leader", follower).call(&write(1));
        assert_eq!(refused, Err(Failure::fail("the node is not the leader")), "nothing is proxied");

        let mut callers: Vec<Caller> =
            (0..3).map(|index| cluster.caller("cas-register", index)).collect();
        let written = callers[follower].call(&write(1)).expect("the client follows the leader");
        assert_eq!(written.ext["node"], cluster.processes.members[leader].id);
        assert_eq!(written.ext["term"], term);
        assert!(callers[0].call(&cas(1, 2)).expect("it was 1").ext.get("swapped").is_none());
        let failed = callers[1].call(&cas(1, 3)).expect("it was compared");
        assert_eq!((&failed.ext["swapped"], &failed.ext["found"]), (&false.into(), &2.into()));
        for caller in &mut callers {
            assert_eq!(caller.call(&read()).expect("the read happens").value, 2);
        }
        let other = Call::new("read").key("y");
        assert_eq!(callers[0].call(&other).expect("the read happens").value, Value::Null);
    }
}

#[test]
fn a_minority_may_die_and_without_a_majority_nothing_is_acknowledged() {
    let mut cluster = start(5, "none");
    let (leader, _) = elected(&cluster, &[0, 1, 2, 3, 4], 0);
    let others: Vec<usize> = (0..5).filter(|&index| index != leader).collect();
    let mut caller = cluster.caller("cas-register", leader);
    caller.call(&write(1)).expect("the write happens");
    others[..2].iter().for_each(|&index| cluster.processes.kill(index));
    caller.call(&write(2)).expect("three of five are enough");
    cluster.processes.kill(others[2]);
    let unknown = caller.call(&write(3));
    assert_eq!(unknown, Err(Failure::info("no majority confirmed the change")));
    let refused = caller.call(&read());
    assert_eq!(refused, Err(Failure::fail("the node is not the leader")));
}

#[test]
fn acknowledged_writes_are_there_after_all_nodes_were_killed() {
    let mut cluster = start(3, "none");
    let (_, term) = elected(&cluster, &[0, 1, 2], 0);
    for n in 1..=20 {
        cluster.caller("cas-register", n % 3).call(&write(n as u64)).expect("the write happens");
    }
    cluster.restart();
    let (_, later) = elected(&cluster, &[0, 1, 2], 0);
    assert!(later > term, "terms outlive a restart");
    for index in 0..3 {
        assert_eq!(seen_by(&cluster, index), 20);
    }
}

/// What a leader that was stopped answers to a probe and a write that reach it
/// when it continues, after its successor has written and claimed to lead.
struct Awakening {
    cluster: Cluster,
    old: (usize, u64),
    new: (usize, u64),
    probed: Option<(bool, u64)>,
    written: tribunal_client::Outcome,
}

fn awaken(bug: &'static str) -> Awakening {
    let cluster = start(3, bug);
    let old = elected(&cluster, &[0, 1, 2], 0);
    let mut prober = cluster.caller("leader", old.0);
    let mut writer = cluster.caller("leader", old.0);
    writer.call(&write(1)).expect("the write happens");
    cluster.processes.pause(old.0).expect("the leader stops");
    let others: Vec<usize> = (0..3).filter(|&index| index != old.0).collect();
    let new = elected(&cluster, &others, old.1);
    cluster.caller("leader", new.0).call(&write(2)).expect("the new leader writes");
    let probing = thread::spawn(move || probe(&mut prober));
    let writing = thread::spawn(move || writer.call(&write(3)));
    cluster.processes.resume(old.0).expect("the old leader continues");
    let probed = probing.join().expect("the probe ends");
    let written = writing.join().expect("the write ends");
    Awakening { cluster, old, new, probed, written }
}

#[test]
fn a_leader_that_asks_no_clock_wakes_up_beside_its_successor_and_loses_a_write() {
    let Awakening { cluster, old, new, probed, written } = awaken("paused-leader");
    assert_eq!(probed, Some((true, old.1)), "it claims its old term beside term {}", new.1);
    assert_eq!(written.expect("it acknowledges").ext["term"], old.1);
    eventually("the old leader gives up", || (!cluster.asks("is-leader", old.0)).then_some(()));
    assert_eq!(seen_by(&cluster, old.0), 2, "the acknowledged 3 is lost");
}

#[test]
fn a_leader_wakes_up_and_knows_better() {
    let Awakening { cluster, old, new, probed, written } = awaken("none");
    let (leads, term) = probed.expect("the probe is answered");
    assert!(!leads || term > new.1, "it must not claim term {} beside {}", old.1, new.1);
    assert!(written.is_err(), "{written:?}");
    assert_eq!(seen_by(&cluster, old.0), 2);
}

#[test]
fn a_leader_that_nobody_fences_off_is_acknowledged_beside_its_successor() {
    let Awakening { cluster, old, new, probed, written } = awaken("no-fencing");
    assert_eq!(probed, Some((true, old.1)), "it claims its old term beside term {}", new.1);
    assert_eq!(written.expect("it is acknowledged").ext["term"], old.1);
    assert_eq!(
        (seen_by(&cluster, old.0), seen_by(&cluster, new.0)),
        (3.into(), 2.into()),
        "two leaders"
    );
}

#[test]
fn a_bad_command_line_is_one_sentence() {
    let serve = ["serve", "--data-dir", "/nonexistent", "--node", "n9", "--peers", "n1=127.0.0.1"];
    let output = Command::new(PROGRAM).args(serve).output().expect("the program runs");
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(error.trim(), "lease-store: --peers must name n9 once");
}
