//! Real servers and real clients on the loopback network.

use std::thread;
use std::time::Duration;

use serde_json::json;
use substrate::trial::{Cluster, eventually};
use tribunal_client::Call;

fn start(bug: &'static str) -> Cluster {
    Cluster::start(env!("CARGO_BIN_EXE_counter"), 7220, 3, bug)
}

fn add(amount: u64) -> Call {
    Call::new("add").key("x").value(amount)
}

fn read() -> Call {
    Call::new("read").key("x")
}

#[test]
fn every_node_counts_what_was_added_at_any() {
    let cluster = start("none");
    assert_eq!(cluster.insist("counter", 0, &read()), 0);
    let mut acknowledged = 0;
    for index in [0, 1, 2, 0, 1, 2] {
        let added = cluster.caller("counter", index).call(&add(2));
        assert!(added.is_ok(), "{added:?}");
        acknowledged += 2;
    }
    for index in 0..3 {
        assert_eq!(cluster.insist("counter", index, &read()), acknowledged);
    }
}

#[test]
fn several_are_read_at_once_and_ids_are_drawn_from_one() {
    let cluster = start("none");
    let inc = |name: &str| Call::new("inc").value(name);
    assert_eq!(cluster.insist("monotonic", 0, &inc("3")), json!({"3": 1}));
    assert_eq!(cluster.insist("monotonic", 1, &inc("3")), json!({"3": 2}));
    let read = Call::new("read").value(json!(["3", "5"]));
    assert_eq!(cluster.insist("monotonic", 2, &read), json!({"3": 2, "5": 0}));
    let generate = Call::new("generate");
    assert_eq!(cluster.insist("unique-ids", 0, &generate), 1);
    assert_eq!(cluster.insist("unique-ids", 2, &generate), 2);
}

/// By how much a counter grows when one is added, which the leader answers so late that it is
/// sent again.
fn retried(bug: &'static str) -> u64 {
    let cluster = start(bug);
    let leader = cluster.leader(&[0, 1, 2]);
    let follower = cluster.others(leader)[0];
    let count = || cluster.insist("counter", follower, &read()).as_u64().expect("a count");
    let before = count();
    let mut caller = cluster.caller("counter", follower);
    cluster.processes.pause(leader).expect("the leader stops");
    let adding = thread::spawn(move || caller.call(&add(1)));
    // Longer than a node waits for its leader, shorter than the others wait to elect one.
    thread::sleep(Duration::from_millis(450));
    cluster.processes.resume(leader).expect("the leader continues");
    let _ = adding.join().expect("the call ends");
    count() - before
}

#[test]
fn an_addition_that_is_sent_again_is_made_once() {
    assert!(retried("none") <= 1);
}

#[test]
fn with_the_bug_it_is_made_twice() {
    // A machine that is busy may elect another leader meanwhile.
    eventually("it is made twice", || (retried("double-increment") == 2).then_some(()));
}
