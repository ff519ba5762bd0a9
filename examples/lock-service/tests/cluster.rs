//! Real servers and real clients on the loopback network.

use serde_json::json;
use substrate::trial::{Caller, Cluster, eventually};
use tribunal_client::{Call, Value};

fn start(bug: &'static str) -> Cluster {
    Cluster::start(env!("CARGO_BIN_EXE_lock-service"), 7260, 3, bug)
}

fn acquire() -> Call {
    Call::new("acquire").key("l")
}

fn under(f: &str, token: u64) -> Call {
    Call::new(f).key("l").value(json!({"token": token}))
}

fn write(token: u64, value: u64) -> Call {
    Call::new("write").key("l").value(json!({"token": token, "value": value}))
}

fn call(caller: &mut Caller, call: &Call) -> Value {
    caller.call(call).expect("there is an answer").value
}

/// The grant of a lease that comes as soon as the one before has run out.
fn next(caller: &mut Caller) -> Value {
    eventually("the lease runs out", || {
        let value = call(caller, &acquire());
        (value != false).then_some(value)
    })
}

#[test]
fn a_lock_has_one_holder_until_it_is_released() {
    let cluster = start("none");
    let (mut one, mut other) = (cluster.caller("lock", 0), cluster.caller("lock", 1));
    assert_eq!(call(&mut one, &acquire()), json!({"token": 1}));
    assert_eq!(call(&mut other, &acquire()), false);
    assert_eq!(call(&mut other, &under("release", 7)), false);
    call(&mut one, &under("release", 1));
    assert_eq!(call(&mut other, &acquire()), json!({"token": 2}));
}

#[test]
fn a_semaphore_has_two_permits() {
    let cluster = start("none");
    let mut callers: Vec<Caller> = (0..3).map(|at| cluster.caller("semaphore", at)).collect();
    let release = Call::new("release").key("l");
    assert_eq!(call(&mut callers[0], &release), false, "nobody has one");
    assert_eq!(call(&mut callers[0], &acquire()), Value::Null);
    assert_eq!(call(&mut callers[1], &acquire()), Value::Null);
    assert_eq!(call(&mut callers[2], &acquire()), false);
    assert_eq!(call(&mut callers[0], &release), Value::Null);
    assert_eq!(call(&mut callers[2], &acquire()), Value::Null);
}

#[test]
fn a_lease_runs_out_unless_it_is_renewed_and_its_token_is_refused_then() {
    let cluster = start("none");
    let (mut one, mut other) = (cluster.caller("lease", 0), cluster.caller("lease", 1));
    let granted = |token: u64| json!({"token": token, "ttl_ms": 500});
    assert_eq!(call(&mut one, &acquire()), granted(1));
    call(&mut one, &write(1, 10));
    assert_eq!(call(&mut one, &under("renew", 1)), granted(1));
    assert_eq!(next(&mut other), granted(2));
    assert_eq!(call(&mut one, &under("renew", 1)), false);
    assert_ne!(call(&mut one, &write(1, 11)), false, "nobody has written under a higher one yet");
    call(&mut other, &write(2, 20));
    assert_eq!(call(&mut one, &write(1, 12)), false);
    assert_eq!(call(&mut one, &Call::new("read").key("l")), 20);
}

#[test]
fn with_one_bug_the_store_takes_a_write_under_an_old_token() {
    let cluster = start("token-not-checked");
    let (mut one, mut other) = (cluster.caller("lease", 0), cluster.caller("lease", 1));
    call(&mut one, &acquire());
    next(&mut other);
    call(&mut other, &write(2, 20));
    assert_ne!(call(&mut one, &write(1, 12)), false);
    assert_eq!(call(&mut one, &Call::new("read").key("l")), 12);
}

#[test]
fn with_the_other_a_lease_is_renewed_beside_its_successor() {
    let cluster = start("renewed-after-expiry");
    let (mut one, mut other) = (cluster.caller("lease", 0), cluster.caller("lease", 1));
    call(&mut one, &acquire());
    next(&mut other);
    assert_eq!(call(&mut one, &under("renew", 1)), json!({"token": 1, "ttl_ms": 500}));
}
