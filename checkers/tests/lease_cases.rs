//! Leases by hand: each anomaly, and the near misses that must not be accused.

mod script;

use script::Script;
use serde_json::{Value, json};
use tribunal_checkers::{Checker, Lease, Validity, Verdict};

const EXACT: Lease = Lease { drift: 0 };

fn call(script: &mut Script, process: u64, times: (u64, u64), f: &str, answer: Value) {
    script.call(times, json!({"p": process, "f": f, "key": "x", "value": answer}));
}

fn lease(token: i64, ttl: u64) -> Value {
    json!({"token": token, "ttl_ms": ttl})
}

#[track_caller]
fn told(verdict: &Verdict, name: &str, message: &str) {
    assert_eq!(verdict.validity, Validity::Invalid, "{verdict:#?}");
    let found = verdict.anomalies.iter().find(|anomaly| anomaly.name == name);
    assert_eq!(found.map(|anomaly| &*anomaly.message), Some(message), "{verdict:#?}");
}

#[test]
fn two_that_held_it_at_once() {
    let mut script = Script::new();
    call(&mut script, 1, (0, 100), "acquire", lease(1, 3_000));
    call(&mut script, 2, (1_100, 1_200), "acquire", lease(2, 3_000));
    script.fault(4, "clock-jump", [490, 500, 5_000, 5_010], json!({"nodes": ["n1"]}));
    let verdict = EXACT.check(&script.history());
    told(
        &verdict,
        "lease-overlap",
        "lease x: p2 was granted the lease (token 2) at 1.200 s, though p1's (token 1), granted at \
         0.100 s, could not have run out before 3.000 s: both held it for at least 1.800 s. \
         clock-jump n1 from 0.500 s to 5.010 s was in force.",
    );
    let anomaly = &verdict.anomalies[0];
    assert_eq!(anomaly.window, Some((1_200_000_000, 3_000_000_000)));
    assert_eq!(anomaly.details["faults"], json!([4]));
    assert_eq!(anomaly.ops.len(), 2);
}

#[test]
fn a_lease_that_has_no_room_between_two_of_anothers() {
    let between = |length: u64| {
        let mut script = Script::new();
        call(&mut script, 1, (0, 100), "acquire", lease(1, 1_000));
        call(&mut script, 1, (1_900, 2_000), "acquire", lease(3, 1_000));
        // It began before the first had run out, or lasted until the second was granted.
        call(&mut script, 2, (500, 1_500), "acquire", lease(2, length));
        script.history()
    };
    let verdict = EXACT.check(&between(1_200));
    told(
        &verdict,
        "lease-overlap",
        "lease x: p2 was granted the lease (token 2) at some instant between 0.500 s and 1.500 s, for \
         at least 1.200 s, and there was no room for that beside p1's (token 1) from 0.100 s to \
         1.000 s and p1's (token 3) from 2.000 s to 2.900 s, which were certainly held. No fault of \
         this run was in force then.",
    );
    assert_eq!(verdict.anomalies[0].ops.len(), 3);
    assert_eq!(EXACT.check(&between(900)).validity, Validity::Valid);
}

#[test]
fn a_renewal_prolongs_and_a_release_ends() {
    let history = |release: bool| {
        let mut script = Script::new();
        call(&mut script, 1, (0, 100), "acquire", lease(1, 1_000));
        call(&mut script, 1, (800, 900), "renew", lease(1, 1_000));
        if release {
            call(&mut script, 1, (1_000, 1_100), "release", Value::Null);
        }
        call(&mut script, 2, (1_100, 1_200), "acquire", lease(2, 1_000));
        script.history()
    };
    let verdict = EXACT.check(&history(false));
    told(
        &verdict,
        "lease-overlap",
        "lease x: p2 was granted the lease (token 2) at 1.200 s, though p1's (token 1), granted at \
         0.100 s, could not have run out before 1.800 s (renewed at 0.900 s): both held it for at \
         least 0.600 s. No fault of this run was in force then.",
    );
    assert_eq!(EXACT.check(&history(true)).validity, Validity::Valid);
}

#[test]
fn a_lease_that_may_have_run_out_accuses_nobody() {
    let mut script = Script::new();
    call(&mut script, 1, (0, 600), "acquire", lease(1, 1_000));
    call(&mut script, 2, (900, 1_000), "acquire", lease(2, 1_000));
    let verdict = EXACT.check(&script.history());
    assert_eq!(verdict.validity, Validity::Valid, "{verdict:#?}");
    assert_eq!(verdict.facts["possible_overlaps"]["count"], 1);
    assert_eq!(
        verdict.facts["possible_overlaps"]["first"][0],
        "lease x: p1 and p2 may both have held the lease at some instant between 0.900 s and 1.600 s"
    );
}

#[test]
fn drift_shortens_what_is_certain() {
    let mut script = Script::new();
    call(&mut script, 1, (0, 0), "acquire", lease(1, 1_000));
    call(&mut script, 2, (990, 995), "acquire", lease(2, 1_000));
    assert_eq!(EXACT.check(&script.history()).validity, Validity::Invalid);
    assert_eq!(Lease { drift: 10_000 }.check(&script.history()).validity, Validity::Valid);
}

#[test]
fn another_lease_and_another_outcome_are_no_rivals() {
    let mut script = Script::new();
    call(&mut script, 1, (0, 100), "acquire", lease(1, 3_000));
    let other = json!({"p": 2, "f": "acquire", "key": "y", "value": lease(2, 3_000)});
    script.call((1_000, 1_100), other);
    let lost = json!({"p": 3, "f": "acquire", "key": "x", "arg": {"ttl_ms": 3_000}, "end": "info"});
    script.call((1_000, 1_100), lost);
    call(&mut script, 4, (1_000, 1_100), "acquire", json!(false));
    assert_eq!(EXACT.check(&script.history()).validity, Validity::Valid);
}

#[test]
fn tokens_and_stale_calls() {
    let mut script = Script::new();
    call(&mut script, 1, (0, 100), "acquire", lease(7, 10));
    call(&mut script, 2, (1_000, 1_100), "acquire", lease(6, 10));
    told(
        &EXACT.check(&script.history()),
        "token-order",
        "lease x: p2 was granted the lease under token 6 at 1.100 s, and p1 under token 7 at 0.100 s: \
         that acquire began after the other had ended, so its token must be higher.",
    );
    let mut script = Script::new();
    call(&mut script, 1, (0, 100), "acquire", lease(7, 10));
    call(&mut script, 2, (1_000, 1_100), "acquire", lease(7, 10));
    told(
        &EXACT.check(&script.history()),
        "same-token",
        "lease x: p2 was granted the lease under token 7 at 1.100 s, and p1 under token 7 at 0.100 s: \
         every grant needs a token of its own.",
    );
    let mut script = Script::new();
    call(&mut script, 1, (0, 100), "acquire", lease(7, 10));
    call(&mut script, 2, (1_000, 1_100), "acquire", lease(8, 10));
    call(&mut script, 1, (1_200, 1_300), "renew", lease(7, 10));
    told(
        &EXACT.check(&script.history()),
        "stale-renewal",
        "lease x: p1's renewal under token 7 began at 1.200 s and was acknowledged, though p2 had \
         been granted the lease under token 8 at 1.100 s.",
    );
}

/// The same token again is the same lease, and not another grant of it.
#[test]
fn a_lease_that_its_holder_acquires_again() {
    let mut script = Script::new();
    call(&mut script, 1, (0, 100), "acquire", lease(7, 1_000));
    call(&mut script, 1, (500, 600), "acquire", lease(7, 1_000));
    assert_eq!(EXACT.check(&script.history()).validity, Validity::Valid);
    call(&mut script, 2, (1_200, 1_300), "acquire", lease(8, 1_000));
    let verdict = EXACT.check(&script.history());
    assert_eq!(verdict.anomalies.len(), 1, "{verdict:#?}");
    assert_eq!(verdict.anomalies[0].name, "lease-overlap");
}

#[test]
fn a_stale_write() {
    let mut script = Script::new();
    for (process, token, from) in [(2, 8, 100), (1, 7, 200)] {
        let value = json!({"token": token, "value": process});
        let call = json!({"p": process, "f": "write", "key": "r", "arg": value, "value": null});
        script.call((from, from + 10), call);
    }
    told(
        &EXACT.check(&script.history()),
        "stale-write",
        "key \"r\": p1's write of 1 under token 7 began at 0.200 s and was acknowledged, though the \
         store had acknowledged p2's write of 2 under token 8 at 0.110 s.",
    );
}

#[test]
fn without_grants_or_durations_nothing_is_known() {
    let mut script = Script::new();
    assert_eq!(EXACT.check(&script.history()).validity, Validity::Unknown);
    call(&mut script, 1, (0, 100), "acquire", json!({"token": 1}));
    let verdict = EXACT.check(&script.history());
    assert_eq!(
        verdict.unknowns,
        ["1 of 1 grants and renewals tell no duration (`ttl_ms` or `duration_ns`)"]
    );
    // A renewal for nobody knows how long may have cut the lease short.
    let mut script = Script::new();
    call(&mut script, 1, (0, 100), "acquire", json!({"ttl_ms": 3_000}));
    call(&mut script, 1, (500, 600), "renew", Value::Null);
    call(&mut script, 2, (1_000, 1_100), "acquire", json!({"ttl_ms": 3_000}));
    assert_eq!(EXACT.check(&script.history()).validity, Validity::Unknown);
}
