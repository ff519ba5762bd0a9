//! What the clients say of calls whose answer never came: of a server that is killed in
//! mid-call, of a relay that carries only the request, of a node without a majority.

mod floor;

use std::thread;

use floor::{PYTHON, Program, RUST, caller, cas, etcd, node, read, serves, start, write};
use serde_json::json;
use substrate::relay::Relay;
use substrate::trial::eventually;
use tribunal_client::{Call, Failure, Outcome, Value};

fn assert_unknown(what: &str, outcome: &Outcome) {
    assert!(matches!(outcome, Err(Failure::Info(_))), "{what}: {outcome:?}");
}

/// 7777, as the Rust client sends it, and as the Python client does, in base 64.
const MARKS: &[&[u8]] = &[b"7777", b"Nzc3Nw"];

/// A change that happened, and whose answer was lost with the connection, is unknown.
fn a_lost_answer(program: Program, workload: &str, change: &Call, look: &Call, shown: Value) {
    let Some(processes) = etcd(1) else { return };
    let relay = Relay::to(&node(&processes, 0), MARKS);
    let mut direct = caller(program, workload, node(&processes, 0));
    let mut far = caller(program, workload, relay.node());
    let outcome = thread::scope(|scope| {
        let calling = scope.spawn(|| far.call(change));
        eventually("it happened", || {
            (direct.call(look).expect("nothing is wrong here").value == shown).then_some(())
        });
        assert!(relay.is_silent());
        relay.hang_up();
        calling.join().expect("no panic")
    });
    assert_unknown(&change.f, &outcome);
}

#[test]
fn a_write_whose_answer_is_lost() {
    a_lost_answer(RUST, "register", &write(7777), &read(), json!(7777));
}

#[test]
fn a_write_by_http_whose_answer_is_lost() {
    a_lost_answer(PYTHON, "cas-register", &write(7777), &read(), json!(7777));
}

#[test]
fn a_compare_and_set_whose_answer_is_lost() {
    let change =
        Call::new("cas").key("x").value(json!([null, 7777]).as_array().cloned().expect("two"));
    a_lost_answer(RUST, "cas-register", &change, &read(), json!(7777));
}

#[test]
fn a_transaction_whose_answer_is_lost() {
    let steps = |steps: Value| Call { value: steps, ..Call::new("txn") };
    let append = steps(json!([["append", "1", 7777]]));
    let look = steps(json!([["r", "1", null]]));
    a_lost_answer(RUST, "list-append", &append, &look, json!([["r", "1", [7777]]]));
}

#[test]
fn a_watched_write_whose_answer_is_lost() {
    a_lost_answer(RUST, "watch", &write(7777), &Call::new("watch").key("x"), json!([[2, 7777]]));
}

/// The lock's name is in the request for it; the lease before it has none.
#[test]
fn a_lock_whose_grant_is_lost_is_free_in_the_end() {
    let Some(processes) = etcd(1) else { return };
    let relay = Relay::to(&node(&processes, 0), &[b"tribunal/\"x\""]);
    let mut far = caller((RUST.0, &["--ttl", "2"]), "lock", relay.node());
    let mut other = caller(RUST, "lock", node(&processes, 0));
    let acquire = Call::new("acquire").key("x");
    let outcome = thread::scope(|scope| {
        let calling = scope.spawn(|| far.call(&acquire));
        eventually("it was asked for", || relay.is_silent().then_some(()));
        relay.hang_up();
        calling.join().expect("no panic")
    });
    assert_unknown("acquire", &outcome);
    eventually("the lease runs out", || other.call(&acquire).ok());
}

/// A node that stands still when it is asked, and is killed then.
fn killed_in_mid_call(
    program: Program,
    workload: &str,
    before: &[Call],
    change: &Call,
) -> Option<Outcome> {
    let mut processes = etcd(1)?;
    let mut caller = caller(program, workload, node(&processes, 0));
    for call in before {
        caller.call(call).expect("nothing is wrong yet");
    }
    processes.pause(0).expect("a signal");
    Some(thread::scope(|scope| {
        let calling = scope.spawn(|| caller.call(change));
        processes.kill(0);
        calling.join().expect("no panic")
    }))
}

#[test]
fn changes_of_a_node_that_is_killed_in_mid_call_are_unknown() {
    for change in [write(2), cas(1, 2)] {
        let outcome = killed_in_mid_call(RUST, "cas-register", &[write(1)], &change);
        let Some(outcome) = outcome else { return };
        assert_unknown(&change.f, &outcome);
    }
    let acquire = Call::new("acquire").key("x");
    let release = Call::new("release").key("x");
    let outcome = killed_in_mid_call(RUST, "lock", &[acquire], &release);
    assert_unknown("release", &outcome.expect("etcd is there"));
}

#[test]
fn reads_of_a_node_that_is_killed_in_mid_call_are_not_ok() {
    for (workload, look) in [("register", read()), ("watch", Call::new("watch").key("x"))] {
        let Some(outcome) = killed_in_mid_call(RUST, workload, &[write(1)], &look) else { return };
        assert!(outcome.is_err(), "{workload}: {outcome:?}");
    }
}

/// A connection that slept through a restart: what is said to have happened did, and what is said not to have did not.
#[test]
fn an_idle_connection_tells_the_truth() {
    let Some(mut processes) = etcd(1) else { return };
    let mut idle = caller(RUST, "register", node(&processes, 0));
    idle.call(&write(1)).expect("the write happens");
    processes.kill(0);
    start(&mut processes, 0);
    serves(&processes, 0);
    let outcome = idle.call(&write(2));
    let found = caller(RUST, "register", node(&processes, 0)).call(&read()).expect("a read").value;
    match outcome {
        Ok(_) => assert_eq!(found, 2),
        Err(Failure::Fail(why)) => assert_eq!(found, 1, "{why}"),
        Err(Failure::Info(_)) => {}
    }
    idle.call(&write(3)).expect("the next call has a connection of its own");
}

/// A follower sends writes on to the leader, and does not know what becomes of them.
#[test]
fn a_write_through_a_node_without_a_majority_is_unknown() {
    let Some(processes) = etcd(3) else { return };
    let mut caller = caller(RUST, "register", node(&processes, 0));
    caller.call(&write(1)).expect("the write happens");
    for index in [1, 2] {
        processes.pause(index).expect("a signal");
    }
    assert_unknown("write", &caller.call(&write(2)));
    assert!(caller.call(&read()).is_err(), "a linearizable read without a majority");
    for index in [1, 2] {
        processes.resume(index).expect("a signal");
    }
    // It was in the log of a node, and may have come through after all.
    let found = eventually("a majority is there again", || caller.call(&read()).ok()).value;
    assert!([1, 2].contains(&found.as_u64().expect("a number")), "{found}");
}
