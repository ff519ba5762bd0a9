//! What the clients do on a real etcd that is well.

mod floor;

use floor::{PYTHON, Program, RUST, caller, cas, etcd, node, read, serves, start, write};
use serde_json::json;
use substrate::trial::{Caller, eventually};
use tribunal_client::{Call, Failure, Value};

fn registers_work(program: Program) {
    let Some(mut processes) = etcd(1) else { return };
    let mut caller = caller(program, "cas-register", node(&processes, 0));
    let absent = caller.call(&read()).expect("a read");
    assert_eq!(absent.value, Value::Null);

    let written = caller.call(&write(1)).expect("the write happens");
    assert!(written.ext["revision"].as_u64() > absent.ext["revision"].as_u64());
    let swapped = caller.call(&cas(1, 2)).expect("it was 1");
    assert_eq!(swapped.ext.get("swapped"), None);
    let failed = caller.call(&cas(1, 3)).expect("it was compared");
    assert_eq!((&failed.ext["swapped"], &failed.ext["found"]), (&false.into(), &2.into()));
    let read_back = caller.call(&read()).expect("the read happens");
    assert_eq!(read_back.value, 2);
    assert_eq!(read_back.ext["revision"], swapped.ext["revision"], "nothing has changed since");
    assert_eq!(caller.call(&Call::new("read").key("y")).expect("a read").value, Value::Null);

    processes.kill(0);
    // What was on its way to a dying node is uncertain; what finds nobody is not.
    eventually("the connection is refused", || match caller.call(&write(4)) {
        Err(Failure::Fail(_)) => Some(()),
        Err(Failure::Info(_)) => None,
        Ok(_) => panic!("a dead etcd acknowledged a write"),
    });
}

#[test]
fn registers_by_grpc_in_rust() {
    registers_work(RUST);
}

#[test]
fn registers_by_http_in_python() {
    registers_work(PYTHON);
}

#[test]
fn serializable_reads_are_what_the_node_itself_knows() {
    let Some(processes) = etcd(3) else { return };
    let serializable = (RUST.0, &["--reads", "serializable"][..]);
    let mut stale = caller(serializable, "register", node(&processes, 0));
    let mut other = caller(RUST, "register", node(&processes, 0));
    other.call(&write(1)).expect("the write happens");
    for index in [1, 2] {
        processes.pause(index).expect("a signal");
    }
    // Without a majority nobody knows whether 1 is still the value; the node says so all the same.
    assert_eq!(stale.call(&read()).expect("a serializable read").value, 1);
    assert!(other.call(&read()).is_err(), "a linearizable read without a majority");
}

fn txn(steps: Value) -> Call {
    Call { value: steps, ..Call::new("txn") }
}

#[test]
fn transactions_read_and_append() {
    let Some(processes) = etcd(1) else { return };
    let mut caller = caller(RUST, "list-append", node(&processes, 0));
    let mut answer =
        |steps: Value| caller.call(&txn(steps)).expect("the transaction happens").value;
    assert_eq!(answer(json!([["r", "1", null]])), json!([["r", "1", null]]));
    let mixed = json!([["append", "1", 1], ["r", "1", null], ["append", "1", 2], ["r", "2", null]]);
    let filled = json!([["append", "1", 1], ["r", "1", [1]], ["append", "1", 2], ["r", "2", null]]);
    assert_eq!(answer(mixed), filled);
    answer(json!([["append", "2", 1], ["append", "1", 3]]));
    let both = json!([["r", "2", [1]], ["r", "1", [1, 2, 3]]]);
    assert_eq!(answer(json!([["r", "2", null], ["r", "1", null]])), both);
}

#[test]
fn of_transactions_on_one_list_each_happens_once_or_not_at_all() {
    let Some(processes) = etcd(1) else { return };
    let appended = |first: u64| {
        let mut caller = caller(RUST, "list-append", node(&processes, 0));
        let mut kept = Vec::new();
        for value in first..first + 40 {
            match caller.call(&txn(json!([["append", "1", value]]))) {
                Ok(_) => kept.push(value),
                Err(Failure::Fail(_)) => {}
                Err(Failure::Info(why)) => panic!("nothing was wrong with etcd: {why}"),
            }
        }
        kept
    };
    let mut kept: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            [1, 101, 201].map(|first| scope.spawn(move || appended(first))).into();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    });
    let mut caller = caller(RUST, "list-append", node(&processes, 0));
    let read = caller.call(&txn(json!([["r", "1", null]]))).expect("a read").value;
    let mut found: Vec<u64> = serde_json::from_value(read[0][2].clone()).expect("numbers");
    found.sort_unstable();
    kept.sort_unstable();
    assert_eq!(found, kept);
}

fn acquire() -> Call {
    Call::new("acquire").key("x")
}

/// Asks for the lock until it is granted, and tells its token.
fn token(caller: &mut Caller) -> i64 {
    let granted = eventually("the lock is granted", || match caller.call(&acquire()) {
        Ok(granted) => Some(granted),
        Err(Failure::Fail(_)) => None,
        Err(Failure::Info(why)) => panic!("nothing was wrong with etcd: {why}"),
    });
    granted.value["token"].as_i64().expect("a token")
}

fn under(token: i64, value: Option<u64>) -> Call {
    match value {
        Some(value) => {
            Call { value: json!({ "token": token, "value": value }), ..Call::new("write").key("x") }
        }
        None => Call { value: json!({ "token": token }), ..Call::new("release").key("x") },
    }
}

#[test]
fn a_lock_that_is_kept_alive_outlives_its_lease() {
    let Some(processes) = etcd(1) else { return };
    let short = (RUST.0, &["--ttl", "2"][..]);
    let mut holder = caller(short, "lock", node(&processes, 0));
    let mut other = caller(short, "lock", node(&processes, 0));
    let first = token(&mut holder);
    // Each stands in line for a second: twice the lease in all.
    for _ in 0..4 {
        assert!(matches!(other.call(&acquire()), Err(Failure::Fail(_))), "it is held");
    }
    let released = holder.call(&under(first, None)).expect("it is free");
    assert_eq!(released.ext.get("expired"), None);
    assert!(token(&mut other) > first);
}

#[test]
fn a_holder_that_stalls_is_not_alone_and_its_writes_are_refused() {
    let Some(processes) = etcd(1) else { return };
    let stalls = (RUST.0, &["--ttl", "2", "--stall", "1"][..]);
    let mut stalled = caller(stalls, "fenced-store", node(&processes, 0));
    let mut other = caller(RUST, "fenced-store", node(&processes, 0));
    let old = token(&mut stalled);
    stalled.call(&under(old, Some(1))).expect("it holds the lock");
    // Nobody has released it.
    let new = token(&mut other);
    assert!(new > old);
    assert_eq!(stalled.call(&under(old, Some(2))).expect("an answer").value, false);
    other.call(&under(new, Some(3))).expect("it holds the lock");
    assert_eq!(stalled.call(&under(old, Some(4))).expect("an answer").value, false);
    assert_eq!(other.call(&read()).expect("a read").value, 3);
    assert_eq!(stalled.call(&under(old, None)).expect("an answer").ext["expired"], true);
    other.call(&under(new, None)).expect("it is free");
}

#[test]
fn without_fencing_a_stalled_holder_writes_all_the_same() {
    let Some(processes) = etcd(1) else { return };
    let stalls = (RUST.0, &["--ttl", "2", "--stall", "1", "--fencing", "none"][..]);
    let mut stalled = caller(stalls, "fenced-store", node(&processes, 0));
    let mut other = caller(RUST, "fenced-store", node(&processes, 0));
    let old = token(&mut stalled);
    let new = token(&mut other);
    other.call(&under(new, Some(1))).expect("it holds the lock");
    stalled.call(&under(old, Some(2))).expect("nobody stops it");
    assert_eq!(other.call(&read()).expect("a read").value, 2);
}

#[test]
fn watchers_see_each_change_once_through_a_restart() {
    let Some(mut processes) = etcd(1) else { return };
    let mut writer = caller(RUST, "watch", node(&processes, 0));
    let mut watcher = caller(RUST, "watch", node(&processes, 0));
    let watch = Call::new("watch").key("x");
    assert_eq!(watcher.call(&watch).expect("nothing yet").value, json!([]));
    let mut changes: Vec<Value> = Vec::new();
    for value in 1..=3 {
        let revision = writer.call(&write(value)).expect("the write happens").value;
        changes.push(json!([revision, value]));
    }
    assert_eq!(watcher.call(&watch).expect("three changes").value, Value::from(changes));
    assert_eq!(watcher.call(&watch).expect("nothing more").value, json!([]));

    processes.kill(0);
    start(&mut processes, 0);
    serves(&processes, 0);
    let mut writer = caller(RUST, "watch", node(&processes, 0));
    let revision = writer.call(&write(4)).expect("the write happens").value;
    // The broken stream may cost calls, which tell nothing; then it goes on where it was.
    let seen = eventually("the watch goes on", || watcher.call(&watch).ok());
    assert_eq!(seen.value, json!([[revision, 4]]));
}

#[test]
fn one_of_three_says_that_it_leads() {
    let Some(processes) = etcd(3) else { return };
    let told = eventually("all agree on a term", || {
        let probe = |index| {
            let mut caller = caller(RUST, "leader", node(&processes, index));
            caller.call(&Call::new("probe")).expect("an answer").value
        };
        let told = [0, 1, 2].map(probe);
        told.iter().all(|answer| answer["term"] == told[0]["term"]).then_some(told)
    });
    let leaders = told.iter().filter(|answer| answer["role"] == "leader").count();
    assert!(leaders <= 1, "{told:?}");
    assert_eq!(told[1]["node"], "n2");
    let mut caller = caller(RUST, "leader", node(&processes, 0));
    caller.call(&Call::new("write").value(1)).expect("any node takes it on to the leader");
}
