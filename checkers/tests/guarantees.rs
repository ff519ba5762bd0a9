//! Session guarantees by hand: each with its witness, and what is not known.

mod script;

use script::Script;
use serde_json::{Value, json};
use tribunal_checkers::{Checker, SessionGuarantees, Validity, Verdict};

/// Calls a line, one after the other: process, `w` or `r` with the value (`_` is null), and perhaps `?`
/// where nobody answered, `x` where it failed.
fn judge(text: &str) -> Verdict {
    let mut script = Script::new();
    for (at, line) in (1..).zip(text.lines().map(str::trim).filter(|line| !line.is_empty())) {
        let (process, call) = line.split_once(' ').expect("a process and its call");
        let process: u64 = process.trim_start_matches('p').parse().expect("p0");
        let end = match call.chars().last() {
            Some('?') => "info",
            Some('x') => "fail",
            _ => "ok",
        };
        let value = match call[1..].trim_end_matches(['?', 'x']) {
            "_" => Value::Null,
            value => json!(value.parse::<u64>().expect("values are numbers")),
        };
        let call = match &call[..1] {
            "w" => json!({"p": process, "f": "write", "arg": value, "end": end}),
            _ => json!({"p": process, "f": "read", "value": value, "end": end}),
        };
        script.call((100 * at, 100 * at + 50), call);
    }
    SessionGuarantees::default().check(&script.history())
}

/// The guarantees that are broken, each with the invocations of its witness.
#[track_caller]
fn check(text: &str, broken: &[(&str, &[u64])]) {
    let verdict = judge(text);
    let found: Vec<(&str, &[u64])> =
        verdict.anomalies.iter().map(|it| (it.name.as_str(), it.ops.as_slice())).collect();
    assert_eq!(found, broken, "{verdict:#?}");
    let expected = if broken.is_empty() { Validity::Valid } else { Validity::Invalid };
    assert_eq!(verdict.validity, expected);
}

#[test]
fn each_has_the_witness_that_it_needs() {
    check(
        "p0 w1\n p1 w2\n p1 r2\n p0 r2\n p0 w3\n p0 r_",
        &[("read-your-writes", &[8, 10]), ("monotonic-reads", &[2, 6, 10])],
    );
    check("p0 w1\n p1 r1\n p2 r1\n p1 r_", &[("monotonic-reads", &[0, 2, 6])]);
    check("p0 w1\n p0 w2\n p1 w3\n p1 r2\n p1 r1", &[("monotonic-reads", &[0, 2, 6, 8])]);
    check("p0 r2\n p1 r1\n p0 w1\n p1 w2", &[("writes-follow-reads", &[0, 2, 4, 6])]);
}

#[test]
fn what_nobody_answered_comes_before_nothing() {
    // It took effect when all else had been done.
    check("p0 w1?\n p0 r_\n p1 r1", &[]);
    check("p0 w1?\n p0 w2\n p1 r2\n p1 r1", &[]);
    check("p0 r_\n p0 w1\n p0 w2?\n p1 r2\n p1 r1", &[("monotonic-reads", &[2, 4, 6, 8])]);
    check("p0 w1\n p0 w2?\n p0 r_\n p1 r2", &[("read-your-writes", &[0, 4])]);
}

#[test]
fn a_value_that_nobody_wrote() {
    check("p0 w1\n p0 r1\n p1 r2\n p1 r2", &[("thin-air-read", &[4])]);
    check("p0 w1x\n p1 r1", &[("aborted-read", &[0, 2])]);
    // Both of another's session and of its own; what is not answered may have been.
    check("p0 w1?\n p0 r1\n p1 r1", &[]);
}

#[test]
fn values_that_tell_nothing() {
    for text in ["p0 w1\n p1 w1", "p0 w1\n p1 w1\n p1 r1"] {
        let verdict = judge(text);
        assert_eq!(verdict.validity, Validity::Unknown, "{text}");
        assert_eq!(
            verdict.unknowns,
            [
                "1 keys hold values that were written more than once, or by nobody, or swaps that do \
                 not tell what they found: whether their sessions have what they were promised is \
                 not known; write every value once"
            ],
        );
    }
}
