//! Real servers and real clients on the loopback network.

use std::process::Command;
use std::sync::Barrier;
use std::thread;

use serde_json::json;
use substrate::trial::{Caller, Cluster, eventually};
use tribunal_client::{Call, Failure, Outcome, Value};

const PROGRAM: &str = env!("CARGO_BIN_EXE_txn-store");

fn start(bug: &'static str) -> Cluster {
    Cluster::start(PROGRAM, 7300, 3, bug)
}

fn txn(micros: Value) -> Call {
    Call::new("txn").value(micros)
}

/// The call's value, as soon as it is ok.
fn settled(caller: &mut Caller, call: &Call) -> Value {
    eventually("the call is ok", || caller.call(call).ok()).value
}

#[test]
fn a_transaction_on_any_node_sees_all_that_were_before_it() {
    let cluster = start("none");
    let mut callers: Vec<Caller> =
        (0..3).map(|index| cluster.caller("list-append", index)).collect();
    let keys = ["a", "b", "c", "d", "e"];
    for round in 1..=10 {
        let appends: Vec<Value> = keys.iter().map(|key| json!(["append", key, round])).collect();
        callers[round % 3].call(&txn(appends.into())).expect("nobody is in the way");
        let reads: Vec<Value> = keys.iter().map(|key| json!(["r", key, null])).collect();
        let found = callers[(round + 1) % 3].call(&txn(reads.into())).expect("nor here");
        let list: Vec<usize> = (1..=round).collect();
        let expected: Vec<Value> = keys.iter().map(|key| json!(["r", key, list])).collect();
        assert_eq!(found.value, Value::from(expected));
    }
    let own = txn(json!([
        ["r", "x", null],
        ["append", "x", 1],
        ["r", "x", null],
        ["w", "y", 2],
        ["r", "y", null]
    ]));
    let found = callers[0].call(&own).expect("nobody is in the way");
    let expected = json!([
        ["r", "x", null],
        ["append", "x", 1],
        ["r", "x", [1]],
        ["w", "y", 2],
        ["r", "y", 2]
    ]);
    assert_eq!(found.value, expected, "it sees its own writes");
}

#[test]
fn what_was_committed_is_there_after_all_nodes_were_killed() {
    let mut cluster = start("none");
    for n in 1..=20 {
        let append = txn(json!([["append", "x", n], ["append", "y", n], ["append", "z", n]]));
        settled(&mut cluster.caller("list-append", n % 3), &append);
    }
    cluster.restart();
    let list: Vec<usize> = (1..=20).collect();
    for index in 0..3 {
        let read = txn(json!([["r", "x", null], ["r", "y", null], ["r", "z", null]]));
        let found = settled(&mut cluster.caller("list-append", index), &read);
        assert_eq!(found, json!([["r", "x", list], ["r", "y", list], ["r", "z", list]]));
    }
}

/// Moves money around from all nodes at once while nodes are killed, and says what all
/// accounts hold together in the end.
fn total_after_transfers(bug: &'static str, kills: usize) -> i64 {
    let mut cluster = start(bug);
    opened(&cluster);
    let callers: Vec<Caller> = (0..6).map(|n| cluster.caller("bank", n % 3)).collect();
    thread::scope(|scope| {
        for (seed, mut caller) in callers.into_iter().enumerate() {
            scope.spawn(move || {
                for n in 0..150 {
                    let (from, to) = ((seed + n) % 8, (seed * 3 + n * 5 + 1) % 8);
                    if from != to {
                        let _ = caller.call(&transfer(from, to, 1));
                    }
                }
            });
        }
        for round in 0..kills {
            cluster.kill(&[round % 3]);
            cluster.start_nodes(&[round % 3]);
        }
    });
    let found = settled(&mut cluster.caller("bank", 0), &Call::new("read"));
    let balances = found.as_object().expect("accounts").values();
    balances.map(|balance| balance.as_i64().expect("a number")).sum()
}

/// Opens the accounts, as the client does at the set-up of a run.
fn opened(cluster: &Cluster) {
    let open: Vec<Value> = (0..8).map(|n| json!(["w", format!("account {n}"), 10])).collect();
    settled(&mut cluster.caller("rw-register", 0), &txn(open.into()));
}

fn transfer(from: usize, to: usize, amount: u64) -> Call {
    let value = json!({"from": from.to_string(), "to": to.to_string(), "amount": amount});
    Call::new("transfer").value(value)
}

#[test]
fn transfers_keep_the_total_while_nodes_are_killed() {
    assert_eq!(total_after_transfers("none", 6), 80);
}

#[test]
fn locks_that_are_let_go_early_make_or_lose_money() {
    eventually("the total is wrong", || {
        (total_after_transfers("lost-update", 0) != 80).then_some(())
    });
}

#[test]
fn nobody_takes_more_than_there_is() {
    let cluster = start("none");
    opened(&cluster);
    let mut caller = cluster.caller("bank", 1);
    assert_eq!(caller.call(&transfer(3, 4, 11)), Err(Failure::fail("account 3 has not 11")));
    caller.call(&transfer(3, 4, 10)).expect("it has as much");
    let found = caller.call(&Call::new("read")).expect("nobody is in the way").value;
    assert_eq!((&found["3"], &found["4"]), (&json!(0), &json!(20)));
}

/// Two inserts at once that exclude each other, from two nodes.
fn inserts(cluster: &Cluster, rounds: usize) -> Vec<[Outcome; 2]> {
    let barrier = Barrier::new(2);
    let insert = |table: usize| {
        let mut caller = cluster.caller("write-skew", table);
        let mut row = [Value::Null, Value::Null];
        let barrier = &barrier;
        move || {
            let round = |key: usize| {
                row[table] = key.into();
                let call = Call::new("insert").key(key.to_string()).value(row.to_vec());
                barrier.wait();
                caller.call(&call)
            };
            (0..rounds).map(round).collect::<Vec<Outcome>>()
        }
    };
    thread::scope(|scope| {
        let (one, other) = (scope.spawn(insert(0)), scope.spawn(insert(1)));
        let (one, other) = (one.join().expect("it ends"), other.join().expect("it ends"));
        one.into_iter().zip(other).map(|(one, other)| [one, other]).collect()
    })
}

#[test]
fn of_two_inserts_that_exclude_each_other_one_succeeds() {
    let cluster = start("none");
    for (round, [one, other]) in inserts(&cluster, 100).into_iter().enumerate() {
        assert!(one.is_ok() != other.is_ok(), "round {round}: {one:?}, {other:?}");
    }
}

#[test]
fn snapshots_let_both_inserts_succeed() {
    let cluster = start("write-skew");
    let both = |[one, other]: &[Outcome; 2]| one.is_ok() && other.is_ok();
    eventually("both succeed", || inserts(&cluster, 20).iter().any(both).then_some(()));
}

/// Whether a read on the third node misses what the first has acknowledged.
fn misses_a_write(cluster: &Cluster, rounds: u64) -> bool {
    let mut writer = cluster.caller("long-fork", 0);
    let mut reader = cluster.caller("long-fork", 2);
    (0..rounds).any(|round| {
        let key = round.to_string();
        settled(&mut writer, &txn(json!([["w", key, 1]])));
        settled(&mut reader, &txn(json!([["r", key, null]]))) == json!([["r", key, null]])
    })
}

#[test]
fn commits_are_heard_of_late_by_others_with_the_long_fork_and_never_without() {
    assert!(!misses_a_write(&start("none"), 50));
    let forked = start("long-fork");
    eventually("a read misses a write", || misses_a_write(&forked, 10).then_some(()));
}

#[test]
fn a_node_that_stands_still_holds_up_its_own_keys_only() {
    let cluster = start("none");
    let mut caller = cluster.caller("list-append", 0);
    let append = |key: usize| txn(json!([["append", key.to_string(), 1]]));
    cluster.processes.pause(1).expect("the node stops");
    let outcomes: Vec<Outcome> = (0..12).map(|key| caller.call(&append(key))).collect();
    let refused = |outcome: &&Outcome| **outcome == Err(Failure::fail("n2 does not answer"));
    let count = outcomes.iter().filter(refused).count();
    assert!((1..12).contains(&count), "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 12 - count);
    cluster.processes.resume(1).expect("the node continues");
    let again = |(key, first): (usize, &Outcome)| {
        let expected = if first.is_ok() { json!([1, 1]) } else { json!([1]) };
        settled(&mut caller, &append(key));
        let found = settled(&mut caller, &txn(json!([["r", key, null]])));
        assert_eq!(found, json!([["r", key, expected]]));
    };
    outcomes.iter().enumerate().for_each(again);
}

#[test]
fn a_bad_command_line_is_one_sentence() {
    let serve = ["serve", "--data-dir", "/nonexistent", "--node", "n9", "--peers", "n1=127.0.0.1"];
    let output = Command::new(PROGRAM).args(serve).output().expect("the program runs");
    assert!(!output.status.success());
    let error = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(error.trim(), "txn-store: --peers must name n9 once");
}
