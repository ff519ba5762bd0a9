//! What went in against what came out: each sentence, each rule for crashed calls.

mod lines;
mod script;

use script::Script;
use serde_json::json;
use tribunal_checkers::{Checker, TotalQueue, Validity, Verdict};

fn check(calls: &str) -> Verdict {
    TotalQueue::default().check(&lines::read(calls))
}

#[track_caller]
fn expect(calls: &str, validity: Validity, fact: &str, count: u64) {
    let verdict = check(calls);
    assert_eq!(verdict.validity, validity, "{verdict:#?}");
    assert_eq!(verdict.facts[fact], json!(count), "{verdict:#?}");
}

#[test]
fn a_lost_value() {
    let calls = "p0 1-2 enqueue 7
         p0 3-4 enqueue 8
         p1 5-6 dequeue = 8
         p2 9-12 drain = []";
    let verdict = check(calls);
    assert_eq!(verdict.validity, Validity::Invalid);
    assert_eq!(
        verdict.anomalies[0].message,
        "7 is lost: p0's enqueue of it had been acknowledged at 0.002 s and no call took it out, \
         but p2's drain (0.009–0.012 s) left nothing behind"
    );
    expect(&calls.replace("[]", "[7]"), Validity::Valid, "lost", 0);
    expect(&calls.replace("1-2", "1-2?"), Validity::Valid, "lost", 0);
    expect(&calls.replace("drain = []", "dequeue = null"), Validity::Invalid, "lost", 1);
    // It was acknowledged after the drain had begun.
    expect(&calls.replace("1-2", "1-10"), Validity::Unknown, "lost", 0);
    expect(&calls.replace("9-12", "9-12?"), Validity::Unknown, "never_taken", 1);
    // Of two puts of one value, the one acknowledged first is taken to have come out.
    let twice = "p0 1-20 enqueue 7
         p1 2-3 enqueue 7
         p2 4-5 dequeue = 7
         p3 10-11 dequeue = null";
    expect(twice, Validity::Unknown, "lost", 0);
}

#[test]
fn calls_without_answer_may_have_taken_it() {
    let calls = "p0 1-2 enqueue 5
         p0 3-4 enqueue 7
         p0 5-6 enqueue 8
         p2 20-21 dequeue = null";
    expect(&format!("{calls}\np1 7-8? drain"), Validity::Valid, "lost", 0);
    expect(&format!("{calls}\np1 22-23? drain"), Validity::Invalid, "lost", 3);
    let two = format!("{calls}\np1 7-8? dequeue\np3 9-10? dequeue");
    let verdict = check(&two);
    assert_eq!(verdict.validity, Validity::Invalid);
    assert_eq!(
        verdict.anomalies[0].message,
        "at least 1 of 3 acknowledged values (5, 7 and 8) are lost: none of them was seen to come \
         out, p2's dequeue (0.020–0.021 s) left nothing behind, and only 2 calls without an answer \
         can have taken one each"
    );
    expect(&format!("{two}\np4 11-12? dequeue"), Validity::Valid, "lost", 0);
}

#[test]
fn values_from_nowhere() {
    let verdict = check("p0 1-2x enqueue 7\np1 3-4 dequeue = 7");
    assert_eq!(verdict.validity, Validity::Invalid);
    assert_eq!(
        verdict.anomalies[0].message,
        "p1's dequeue (0.003–0.004 s) took 7, but it was never put in: p0's enqueue \
         (0.001–0.002 s) had failed"
    );
    expect("p1 3-4 dequeue = 7", Validity::Invalid, "unexpected", 1);
    expect("p1 3-4 dequeue = 7\np0 5-6 enqueue 7", Validity::Invalid, "unexpected", 1);
}

#[test]
fn duplicates_are_allowed_unless_asked() {
    let calls = "p0 1-2 enqueue 7
         p1 3-4 dequeue = 7
         p2 5-6 dequeue = 7";
    expect(calls, Validity::Valid, "duplicated", 1);
    let verdict = TotalQueue { at_most_once: true }.check(&lines::read(calls));
    assert_eq!(verdict.validity, Validity::Invalid);
    assert_eq!(
        verdict.anomalies[0].message,
        "p2's dequeue (0.005–0.006 s) took 7 once more than it was put in, first by p0's enqueue \
         (0.001–0.002 s)"
    );
    expect(calls, Validity::Valid, "recovered", 0);
    expect(&format!("{calls}\np0 3-4 enqueue 7"), Validity::Valid, "duplicated", 0);
}

#[test]
fn recovered_values() {
    expect("p0 1-2? enqueue 7\np1 3-4 dequeue = 7", Validity::Valid, "recovered", 1);
    assert_eq!(check("p0 1-2 write 7").validity, Validity::Unknown);
}

/// So many of each kind that comparing each with each takes minutes.
const MANY: u64 = 150_000;

#[test]
fn many_strangers_among_many_failures_are_told_at_once() {
    let mut script = Script::new();
    for value in 0..MANY {
        let (at, out) = (4 * value + 1, MANY - value);
        let put = json!({"p": 0, "f": "enqueue", "arg": value, "end": "fail"});
        script.call((at, at + 1), put);
        script.call((at + 2, at + 3), json!({"p": 1, "f": "dequeue", "value": out}));
    }
    let verdict = TotalQueue::default().check(&script.history());
    assert_eq!(verdict.facts["unexpected"], json!(MANY));
    assert!(verdict.anomalies[0].message.ends_with("it was never put in"), "{verdict:#?}");
    assert!(verdict.anomalies[1].message.ends_with("had failed"), "{verdict:#?}");
}

#[test]
fn many_empty_answers_among_many_calls_without_answer_are_judged_at_once() {
    let mut script = Script::new();
    script.call((1, 2), json!({"p": 0, "f": "enqueue", "arg": 7}));
    for call in 1..MANY {
        let at = 4 * call;
        script.call((at, at + 1), json!({"p": call, "f": "dequeue", "end": "info"}));
        script.call((at + 2, at + 3), json!({"p": 0, "f": "dequeue", "value": null}));
    }
    let verdict = TotalQueue::default().check(&script.history());
    assert_eq!(verdict.facts["lost"], json!(0));
}
