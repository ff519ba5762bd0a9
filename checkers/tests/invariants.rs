//! The promises that readers count on: each kept and broken once, and those that compare
//! reads against every pair of them.

mod elle;
mod oracle;
mod script;

use oracle::Draw;
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
fn counters_that_grow_are_seen_in_one_order() {
    let state = |state: Value| ("read", Value::Null, state);
    kept(Monotonic, &calls(&[state(json!({"x": 1, "y": 1})), state(json!({"x": 2, "y": 1}))]));
    let sentence = "p0 (0.000–0.005 s) saw x = 1, y = 2; p1 (0.010–0.015 s) saw x = 2, y = 1: each \
                    shows less of a counter than the next, and the last less than the first, though \
                    counters only grow.";
    let crossed = calls(&[state(json!({"x": 1, "y": 2})), state(json!({"x": 2, "y": 1}))]);
    broken(Monotonic, &crossed, "not-monotonic", sentence);
}

/// Random reads of three counters, half of which are states of one growing history.
fn states(draw: &mut Draw) -> Vec<[Option<i64>; 3]> {
    let mut held = [0; 3];
    let states = (0..2 + draw.below(5)).map(|_| {
        held[draw.below(3) as usize] += 1;
        let mut shown = held;
        if draw.one_in(6) {
            shown[draw.below(3) as usize] -= 1;
        }
        shown.map(|value| (!draw.one_in(3)).then_some(value))
    });
    states.collect()
}

/// Whether some order of the states has every counter growing: all orders are tried.
fn has_order(states: &[[Option<i64>; 3]], done: u32, floor: [i64; 3]) -> bool {
    if done.count_ones() as usize == states.len() {
        return true;
    }
    (0..states.len()).filter(|&at| done & 1 << at == 0).any(|at| {
        let fits = |(shown, floor): (&Option<i64>, &i64)| shown.is_none_or(|it| it >= *floor);
        let grown = std::array::from_fn(|key| states[at][key].unwrap_or(floor[key]));
        states[at].iter().zip(&floor).all(fits) && has_order(states, done | 1 << at, grown)
    })
}

#[test]
fn monotonic_agrees_with_brute_force() {
    let mut counts = [0; 2];
    for seed in oracle::seeds() {
        let states = states(&mut Draw(seed));
        let told = states.iter().map(|shown| {
            let names = ["x", "y", "z"].into_iter().zip(shown);
            let shown = names
                .filter_map(|(name, value)| value.map(|value| (name.to_owned(), value.into())));
            ("read", Value::Null, Value::Object(shown.collect()))
        });
        let verdict = Monotonic.check(&calls(&told.collect::<Vec<_>>()));
        let truth = has_order(&states, 0, [i64::MIN; 3]);
        assert_eq!(verdict.validity == Validity::Valid, truth, "seed {seed}: {states:?}");
        counts[usize::from(truth)] += 1;
    }
    println!("monotonic: {} kept, {} broken", counts[1], counts[0]);
}

#[test]
fn long_forks_agree_with_every_pair_of_reads() {
    let mut counts = [0; 2];
    for seed in oracle::seeds() {
        let draw = &mut Draw(seed);
        let (mut held, mut reads) = ([false; 3], Vec::new());
        for _ in 0..2 + draw.below(5) {
            held[draw.below(3) as usize] = true;
            let stale = if draw.one_in(4) { draw.below(3) as usize } else { 3 };
            reads.push([0, 1, 2].map(|key| held[key] && key != stale));
        }
        let mut drawing = "p0 1-2 wx1\np1 1-2 wy1\np2 1-2 wz1\n".to_owned();
        for (process, read) in (3..).zip(&reads) {
            let [x, y, z] = read.map(|seen| if seen { '1' } else { '_' });
            drawing += &format!("p{process} 1-9 rx{x} ry{y} rz{z}\n");
        }
        let within = |one: &[bool; 3], other: &[bool; 3]| (0..3).all(|key| !one[key] || other[key]);
        let truth =
            reads.iter().all(|one| reads.iter().all(|it| within(one, it) || within(it, one)));
        let verdict = LongFork.check(&elle::draw(&drawing, false));
        assert_eq!(verdict.validity == Validity::Valid, truth, "seed {seed}: {drawing}");
        counts[usize::from(truth)] += 1;
    }
    println!("long-fork: {} kept, {} broken", counts[1], counts[0]);
}
