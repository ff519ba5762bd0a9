//! Real servers and real clients on the loopback network.

use serde_json::json;
use substrate::trial::Cluster;
use tribunal_client::{Call, Value};

fn start(bug: &'static str) -> Cluster {
    Cluster::start(env!("CARGO_BIN_EXE_queue"), 7240, 3, bug)
}

fn enqueue(value: u64) -> Call {
    Call::new("enqueue").key("q").value(value)
}

fn dequeue() -> Call {
    Call::new("dequeue").key("q")
}

#[test]
fn what_went_in_comes_out_once_and_in_order() {
    let cluster = start("none");
    let mut callers: Vec<_> = (0..3).map(|index| cluster.caller("queue", index)).collect();
    for value in 1..=6 {
        callers[value as usize % 3].call(&enqueue(value)).expect("it goes in");
    }
    for value in 1..=6 {
        let taken = callers[value % 2].call(&dequeue()).expect("it comes out");
        assert_eq!(taken.value, value);
    }
    assert_eq!(callers[2].call(&dequeue()).expect("there is an answer").value, Value::Null);
}

#[test]
fn of_a_stack_the_newest_comes_first() {
    let cluster = start("none");
    let push = |value: u64| Call::new("push").key("s").value(value);
    let pop = Call::new("pop").key("s");
    cluster.insist("stack", 0, &push(1));
    cluster.insist("stack", 1, &push(2));
    let mut caller = cluster.caller("stack", 2);
    for value in [json!(2), json!(1), Value::Null] {
        assert_eq!(caller.call(&pop).expect("there is an answer").value, value);
    }
}

/// Has 1 in the queue, lets the leader alone with a call, and answers what its successor takes out.
fn after_failover(bug: &'static str, call: &Call) -> (Option<Value>, Value) {
    let mut cluster = start("none");
    cluster.insist("queue", 0, &enqueue(1));
    // Not before all of that is committed: with a bug it might be acknowledged too soon, too.
    cluster.restart_with(bug);
    let leader = cluster.leader(&[0, 1, 2]);
    let others = cluster.others(leader);
    let mut caller = cluster.caller("queue", leader);
    // Killed, not paused: who is only asleep finds the leader's entries when it wakes up.
    others.iter().for_each(|&index| cluster.processes.kill(index));
    let alone = caller.call(call).ok().map(|reply| reply.value);
    cluster.processes.kill(leader);
    others.iter().for_each(|&index| cluster.spawn(index));
    others.iter().for_each(|&index| cluster.await_ready(index));
    cluster.leader(&others);
    (alone, cluster.insist("queue", others[0], &dequeue()))
}

#[test]
fn a_leader_alone_does_nothing() {
    assert_eq!(after_failover("none", &dequeue()).0, None);
}

#[test]
fn with_the_bug_a_value_comes_out_twice() {
    assert_eq!(after_failover("redelivers", &dequeue()), (Some(1.into()), 1.into()));
}

#[test]
fn with_the_other_bug_a_value_is_acknowledged_and_lost() {
    let (acknowledged, first) = after_failover("loses-on-failover", &enqueue(2));
    assert_eq!((acknowledged, first), (Some(2.into()), 1.into()));
}
