//! The promises that readers count on: each kept and broken once.

mod elle;
mod script;

use script::Script;
use serde_json::{Value, json};
use tribunal_checkers::invariants::{Bank, CausalReverse, LongFork, Monotonic, WriteSkew};
use tribunal_checkers::{Checker, Validity};
use tribunal_history::History;

/// Acknowledged calls one after the other, by processes of their own: function, argument, answer.
fn calls(calls: &[(&str, Value, Value)]) -> History {
    let mut script = Script::new();
    for (at, (f, argument, answer)) in (0..).zip(calls) {
        let call = json!({"p": at, "f": f, "arg": argument, "value": answer});
        script.call((10 * at, 10 * at + 5), call);
    }
    script.history()
}

#[track_caller]
fn broken(checker: impl Checker, history: &History, name: &str, sentence: &str) {
    let verdict = checker.check(history);
    assert_eq!(verdict.validity, Validity::Invalid, "{verdict:#?}");
    let anomaly = &verdict.anomalies[0];
    assert_eq!((anomaly.name.as_str(), anomaly.message.as_str()), (name, sentence));
}

#[track_caller]
fn kept(checker: impl Checker, history: &History) {
    let verdict = checker.check(history);
    assert_eq!(verdict.validity, Validity::Valid, "{verdict:#?}");
}

fn read(balances: Value) -> (&'static str, Value, Value) {
    ("read", Value::Null, balances)
}

#[test]
fn a_bank_keeps_its_total() {
    let transfer = json!({"from": "a", "to": "b", "amount": 3});
    let transfer = ("transfer", transfer.clone(), transfer);
    let whole =
        calls(&[read(json!({"a": 5, "b": 5})), transfer.clone(), read(json!({"a": 2, "b": 8}))]);
    kept(Bank::default(), &whole);
    let torn = calls(&[
        read(json!({"a": 5, "b": 5})),
        transfer,
        read(json!({"a": 2, "b": 5})),
        read(json!({"a": 2, "b": 8})),
    ]);
    let sentence = "p2 (0.020–0.025 s) read accounts that hold 7 together, where most reads show \
                    10: a 2, b 5. A transfer was seen in part.";
    broken(Bank::default(), &torn, "wrong-total", sentence);
    let told = Bank { total: Some(11), ..Bank::default() };
    let sentence = "p0 (0.000–0.005 s) read accounts that hold 10 together, where there are 11: \
                    a 5, b 5. A transfer was seen in part.";
    broken(told, &whole, "wrong-total", sentence);
}

#[test]
fn a_tie_of_totals_names_both_reads() {
    let tie = calls(&[read(json!({"a": 50, "b": 50})), read(json!({"a": 50, "b": 40}))]);
    let sentence = "p1 (0.010–0.015 s) read accounts that hold 90 together: a 50, b 40; and p0 \
                    (0.000–0.005 s) read accounts that hold 100: a 50, b 50. No transfer changes \
                    the total, so one of the two is wrong.";
    broken(Bank::default(), &tie, "wrong-total", sentence);
}

#[test]
fn a_bank_has_no_debts_unless_they_are_allowed() {
    let debt = calls(&[read(json!({"a": -1, "b": 11}))]);
    let sentence = "p0 (0.000–0.005 s) read a balance of -1 in account a; no transfer may take \
                    more than there is.";
    broken(Bank::default(), &debt, "negative-balance", sentence);
    kept(Bank { debts: true, ..Bank::default() }, &debt);
}

#[test]
fn a_bank_keeps_its_accounts() {
    let lost = calls(&[
        read(json!({"a": 5, "b": 5})),
        read(json!({"a": 5, "b": 5})),
        read(json!({"a": 10})),
    ]);
    let sentence = "p2 (0.020–0.025 s) read the accounts without account b.";
    broken(Bank::default(), &lost, "wrong-accounts", sentence);
    let empty = calls(&[read(json!({})), read(json!({})), read(json!({"a": 10}))]);
    let sentence = "p0 (0.000–0.005 s) read the accounts without account a. (1 more of this kind.)";
    let verdict = Bank::default().check(&empty);
    assert_eq!(verdict.anomalies[0].message, sentence.replace(" (1 more of this kind.)", ""));
    let verdict = Bank::default().check(&calls(&[read(json!({}))]));
    assert_eq!(verdict.validity, Validity::Unknown, "{verdict:#?}");
    assert_eq!(verdict.unknowns, ["no read showed an account: nothing is known of the balances"]);
}

#[test]
fn nothing_is_known_of_a_bank_that_nobody_read() {
    let transfer = json!({"from": "a", "to": "b", "amount": 3});
    let verdict = Bank::default().check(&calls(&[("transfer", transfer.clone(), transfer)]));
    assert_eq!(verdict.validity, Validity::Unknown);
}

#[test]
fn what_is_no_call_of_a_bank_is_named() {
    let verdict = Bank::default().check(&calls(&[read(json!([1]))]));
    let sentence = "event 0: `read` with [1] is not of a bank; its calls are transfer {from, to, \
                    amount} and read -> {account: balance}";
    assert_eq!(verdict.objection.as_deref(), Some(sentence));
    let moved = |moved: Value| ("transfer", moved.clone(), moved);
    let less = moved(json!({"from": "a", "to": "b", "amount": -5}));
    let verdict = Bank::default().check(&calls(&[read(json!({"a": 5})), less]));
    let sentence = "event 2: `transfer` with {\"amount\":-5,\"from\":\"a\",\"to\":\"b\"} is not of a \
                    bank; its calls are transfer {from, to, amount} and read -> {account: balance}";
    assert_eq!(verdict.objection.as_deref(), Some(sentence));
    let verdict = Bank::default().check(&calls(&[moved(json!({"from": "a", "amount": 5}))]));
    assert!(verdict.objection.is_some(), "{verdict:#?}");
}

#[test]
fn of_two_inserts_that_exclude_each_other_one_succeeds() {
    let mut script = Script::new();
    let insert = |p: u64, arg: Value, end: &str| json!({"p": p, "f": "insert", "key": 7, "arg": arg, "end": end});
    script.call((0, 5), insert(0, json!([1, null]), "ok"));
    script.call((0, 5), insert(1, json!([null, 2]), "fail"));
    kept(WriteSkew, &script.history());
    script.call((1, 6), insert(2, json!([null, 3]), "ok"));
    let sentence = "p0 (0.000–0.005 s) inserted [1,null]; p2 (0.001–0.006 s) inserted \
                    [null,3]; each was to insert only if there was no row yet, so the second must \
                    have missed the first (G2).";
    broken(WriteSkew, &script.history(), "G2", sentence);
}

#[test]
fn an_insert_is_of_one_row() {
    for row in [json!([1, 2]), json!([null, null]), json!(1), json!([1])] {
        let verdict = WriteSkew.check(&calls(&[("insert", row.clone(), row.clone())]));
        let sentence = format!(
            "event 0: `insert` with {row} is not of write-skew; its calls are insert [id, null] and \
             insert [null, id], by key"
        );
        assert_eq!(verdict.objection, Some(sentence));
    }
    let mut script = Script::new();
    script.call((0, 5), json!({"p": 0, "f": "insert", "arg": [1, null], "end": "fail"}));
    assert_eq!(WriteSkew.check(&script.history()).validity, Validity::Unknown);
}

#[test]
fn two_reads_may_not_disagree_on_an_order() {
    kept(LongFork, &elle::draw("p0 1-2 wx1\n p1 1-2 wy1\n p2 1-9 rx1 ry_\n p3 1-9 rx1 ry1", false));
    let fork = elle::draw("p0 1-2 wx1\n p1 1-2 wy1\n p2 1-9 rx1 ry_\n p3 1-9 rx_ ry1", false);
    let sentence = "p2 (0.001–0.009 s) saw the write of key \"x\" and not yet that of \"y\"; p3 \
                    (0.001–0.009 s) saw that of \"y\" and not yet that of \"x\". No order of the \
                    two writes is right for both.";
    broken(LongFork, &fork, "long-fork", sentence);
    let twice = LongFork.check(&elle::draw("p0 1-2 wx1\n p1 3-4 wx2", false));
    let sentence = "event 2 writes key \"x\" again, as event 0 did; in long-fork each key is \
                    written once";
    assert_eq!(twice.objection.as_deref(), Some(sentence));
}

#[test]
fn a_long_fork_read_finds_what_was_written() {
    let drawn = |drawing: &str| elle::draw(drawing, false);
    let sentence = "p1 (0.003–0.004 s) saw 9 in key \"x\", which nobody wrote.";
    broken(LongFork, &drawn("p0 1-2 wx1\n p1 3-4 rx9 ry_"), "thin-air-read", sentence);
    let sentence =
        "p1 (0.003–0.004 s) saw 1 in key \"x\", whose write by p0 (0.001–0.002 s) had failed.";
    broken(LongFork, &drawn("p0 1-x2 wx1\n p1 3-4 rx1 ry_"), "aborted-read", sentence);
    let sentence =
        "p1 (0.001–0.002 s) saw 1 in key \"x\" before p0 (0.003–0.004 s) began to write it.";
    broken(LongFork, &drawn("p1 1-2 rx1 ry_\n p0 3-4 wx1"), "thin-air-read", sentence);
    kept(LongFork, &drawn("p0 1-? wx1\n p1 3-4 rx1 ry_"));
    let alone = LongFork.check(&drawn("p0 1-2 wx1\n p1 3-4 rx9"));
    assert_eq!(alone.anomalies[0].name, "thin-air-read", "{alone:#?}");
    let nothing = LongFork.check(&drawn("p0 1-2 wx1\n p1 3-4 rx1"));
    assert_eq!(nothing.validity, Validity::Unknown, "{nothing:#?}");
}

#[test]
fn a_write_is_seen_with_all_that_were_over_before_it() {
    let write = |value: u64| ("write", json!(value), json!(value));
    let reads = |values: Value| ("read", Value::Null, values);
    kept(CausalReverse, &calls(&[write(1), write(2), reads(json!([1, 2]))]));
    kept(CausalReverse, &calls(&[write(1), write(2), reads(json!([1]))]));
    let sentence = "p2 (0.020–0.025 s) saw 2, which p1 (0.010–0.015 s) wrote, and not 1, whose \
                    write by p0 (0.000–0.005 s) was over before that began.";
    let reversed = calls(&[write(1), write(2), reads(json!([2]))]);
    broken(CausalReverse, &reversed, "causal-reverse", sentence);
}

#[test]
fn a_set_shows_what_was_written_once() {
    let ended = |end: &str, shown: Value| {
        let mut script = Script::new();
        script.call((0, 5), json!({"p": 0, "f": "write", "arg": 1, "end": end}));
        script.call((6, 9), json!({"p": 1, "f": "read", "value": shown}));
        script.history()
    };
    kept(CausalReverse, &ended("info", json!([1])));
    let sentence = "p1 (0.006–0.009 s) saw 9, which nobody wrote.";
    broken(CausalReverse, &ended("ok", json!([9])), "unexpected-element", sentence);
    let sentence = "p1 (0.006–0.009 s) saw 1, whose write by p0 (0.000–0.005 s) had failed.";
    broken(CausalReverse, &ended("fail", json!([1])), "aborted-read", sentence);
    let sentence = "p1 (0.006–0.009 s) saw 1 more than once; a set holds it once.";
    broken(CausalReverse, &ended("ok", json!([1, 1])), "duplicated-element", sentence);
    let early = calls(&[("read", Value::Null, json!([1])), ("write", json!(1), json!(1))]);
    let sentence = "p0 (0.000–0.005 s) saw 1 before p1 (0.010–0.015 s) began to write it.";
    broken(CausalReverse, &early, "unexpected-element", sentence);
    let unread = CausalReverse.check(&calls(&[("write", json!(1), json!(1))]));
    assert_eq!(unread.validity, Validity::Unknown, "{unread:#?}");
}

/// Calls on counters, one after the other, each by the process that is named.
fn counted(calls: &[(u64, &str, Value, &str, Value)]) -> History {
    let mut script = Script::new();
    for (at, (process, f, argument, end, answer)) in (0..).zip(calls) {
        let call = json!({"p": process, "f": f, "arg": argument, "end": end, "value": answer});
        script.call((10 * at, 10 * at + 5), call);
    }
    script.history()
}

#[test]
fn no_session_sees_a_counter_fall() {
    let inc = |number: i64| (0, "inc", json!("x"), "ok", json!({"x": number}));
    let read = |number: i64| (0, "read", json!(["x"]), "ok", json!({"x": number}));
    let sentence = "p0 (0.000–0.005 s) saw x = 2, and then saw x = 1 (0.010–0.015 s): a counter that only \
                    grows has fallen.";
    broken(Monotonic, &counted(&[read(2), read(1)]), "monotonic-reads", sentence);
    let names = |calls: &[_]| Monotonic.check(&counted(calls)).anomalies[0].name.clone();
    assert_eq!(names(&[inc(1), read(0)]), "read-your-writes");
    assert_eq!(names(&[inc(2), inc(1)]), "monotonic-writes");
    assert_eq!(names(&[read(2), inc(2)]), "writes-follow-reads");
    kept(Monotonic, &counted(&[inc(1), read(1), inc(2), read(2)]));
    // Another session may be late.
    kept(Monotonic, &counted(&[inc(1), (1, "read", json!(["x"]), "ok", json!({"x": 0}))]));
}

#[test]
fn every_increment_counts() {
    let inc = |process: u64, number: i64| (process, "inc", json!("x"), "ok", json!({"x": number}));
    let read = |number: i64| (9, "read", json!(["x"]), "ok", json!({"x": number}));
    let sentence = "p0 (0.000–0.005 s) and p1 (0.010–0.015 s) each counted x = 1: only one increment can \
                    have come to it, so another one is lost.";
    broken(Monotonic, &counted(&[inc(0, 1), inc(1, 1)]), "lost-update", sentence);
    let sentence = "x grew from 0 (p0 (0.000–0.005 s)) to 3 (p9 (0.010–0.015 s)), by 3, of which its \
                    increments can have added at most 1.";
    broken(Monotonic, &counted(&[inc(0, 1), read(3)]), "thin-air-read", sentence);
    let failed = (1, "inc", json!("x"), "fail", Value::Null);
    let verdict = Monotonic.check(&counted(&[inc(0, 1), failed, read(2)]));
    assert_eq!(verdict.anomalies[0].name, "aborted-read", "{verdict:#?}");
    let crashed = (1, "inc", json!("x"), "info", Value::Null);
    kept(Monotonic, &counted(&[inc(0, 1), crashed, read(2)]));
    let untold = (1, "inc", json!("x"), "ok", json!({}));
    kept(Monotonic, &counted(&[inc(0, 1), untold, read(2)]));
}

#[test]
fn answers_show_the_counters_that_were_asked_for() {
    let judge = |f: &str, argument: Value, answer: Value| {
        Monotonic.check(&counted(&[(0, f, argument, "ok", answer)]))
    };
    let verdict = judge("read", json!(["x"]), json!({"y": 3}));
    let sentence = "event 0: `read` with {\"y\":3} is not of monotonic; its calls are inc k -> {k: n} and \
                    read [k, …] -> {k: n, …}";
    assert_eq!(verdict.objection.as_deref(), Some(sentence));
    assert!(judge("inc", json!("x"), json!({"y": 3})).objection.is_some());
    assert_eq!(judge("read", json!([1, 2]), json!({"1": 0, "2": 0})).validity, Validity::Valid);
    assert_eq!(judge("read", json!({"x": null}), json!({"x": -1})).validity, Validity::Valid);
    assert_eq!(judge("read", json!(["x"]), json!({"x": null})).validity, Validity::Unknown);
}

#[test]
fn counters_that_grow_are_seen_in_one_order() {
    let state = |state: Value| ("read", Value::Null, state);
    let [before, after] = [json!({"x": 1, "y": 1}), json!({"x": 2, "y": 1})].map(state);
    let inc = ("inc", json!("x"), json!({"x": 2}));
    kept(Monotonic, &calls(&[before.clone(), inc, after.clone()]));
    let half = Monotonic.check(&calls(&[before, after]));
    assert_eq!(half.validity, Validity::Unknown, "{half:#?}");
    let sentence = "p0 (0.000–0.005 s) saw x = 1, y = 2; p1 (0.010–0.015 s) saw x = 2, y = 1: each \
                    shows less of a counter than the next, and the last less than the first, though \
                    counters only grow.";
    let crossed = calls(&[state(json!({"x": 1, "y": 2})), state(json!({"x": 2, "y": 1}))]);
    broken(Monotonic, &crossed, "not-monotonic", sentence);
    // Each session goes on from what the other has not seen yet.
    let state = |process: u64, state: Value| (process, "read", json!(["x", "y"]), "ok", state);
    let by_sessions = counted(&[
        state(0, json!({"x": 1})),
        state(1, json!({"y": 1})),
        state(0, json!({"y": 0})),
        state(1, json!({"x": 0})),
        (2, "inc", json!("x"), "ok", json!({"x": 1})),
        (3, "inc", json!("y"), "ok", json!({"y": 1})),
    ]);
    let verdict = Monotonic.check(&by_sessions);
    let ends = "each comes before the next, by a counter or in its session, and the last before the \
                first, though counters only grow.";
    assert_eq!(verdict.anomalies[0].name, "not-monotonic", "{verdict:#?}");
    assert!(verdict.anomalies[0].message.ends_with(ends), "{verdict:#?}");
}
