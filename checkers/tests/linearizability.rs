//! Linearizability on drawn histories and on those in `histories/cas-register`.

mod drawing;

use std::path::Path;

use serde_json::json;
use tribunal_checkers::{Checker, Linearizable, Validity, Verdict};
use tribunal_history::History;
use tribunal_history::jsonl::{self, Tail};

/// Judges a drawing. Whatever is invalid must name its calls and its window.
#[track_caller]
fn check(drawing: &str, expected: Validity) -> Verdict {
    let verdict = Linearizable::default().check(&drawing::draw(drawing));
    assert_eq!(verdict.validity, expected, "{drawing}\n{verdict:#?}");
    for anomaly in &verdict.anomalies {
        assert_eq!(anomaly.name, "nonlinearizable");
        assert!(!anomaly.ops.is_empty() && anomaly.window.is_some(), "{anomaly:#?}");
    }
    verdict
}

#[track_caller]
fn acquit(drawing: &str) {
    check(drawing, Validity::Valid);
}

/// Judges a drawing invalid, and compares what kind it is and how it is told.
#[track_caller]
fn convict(drawing: &str, kind: &str, message: &str) {
    let verdict = check(drawing, Validity::Invalid);
    assert_eq!(verdict.anomalies[0].details["kind"], kind, "{drawing}");
    assert_eq!(verdict.anomalies[0].message, message, "{drawing}");
}

#[test]
fn stale_read() {
    convict(
        "p0: |--w1--|
         p1:           |--w2--|
         p2:                     |--r1--|",
        "stale",
        "p2 read 1 on n3 (0.021–0.028 s), although p1's write of 2 on n2 had been acknowledged at \
         0.018 s, 0.003 s before it began, and 1 came before 2: p0's write of 1 on n1 had been \
         acknowledged at 0.008 s, before p1's write of 2 on n2 began at 0.011 s",
    );
    acquit(
        "p0: |--w1--|
         p1:           |--w2--|
         p2:                |--r1--|",
    );
}

/// The details of the one anomaly in a drawing.
#[track_caller]
fn detail(drawing: &str, name: &str) -> serde_json::Value {
    check(drawing, Validity::Invalid).anomalies[0].details[name].clone()
}

#[test]
fn a_stale_read_is_graded() {
    let stale = "p0: |--w1--|          |--w3--|
                 p1:           |--w2--|
                 p2:                               |--r1--|";
    assert_eq!(
        detail(stale, "severity"),
        "reads are at most 3 versions old, and some are; what still holds is sequential \
         consistency, and all that is weaker",
    );
    assert_eq!(detail(stale, "staleness"), json!({"at_least": 3, "at_most": 3}));
    assert_eq!(
        detail(
            "p0: |--w1--|  |--w2--|  |--r1--|
             p1:                               |--r2--|  |--r1--|",
            "severity"
        ),
        "reads are at most 2 versions old, and some are; what still holds: monotonic writes, \
         writes follow reads; what is broken too: sequential, causal, read your writes, \
         monotonic reads",
    );
    // Nobody knows which write a value is from that is written twice.
    let twice = "p0: |--w1--|  |--w2--|  |--w1--|  |--r2--|";
    assert_eq!(detail(twice, "staleness"), serde_json::Value::Null);
    assert_eq!(detail(twice, "levels")["causal"], serde_json::Value::Null);
}

#[test]
fn two_reads_in_turn_that_go_back() {
    convict(
        "p0: |--w1--|
         p1:           |------------w2-------------|
         p2:             |--r2--|
         p3:                       |--r1--|",
        "stale",
        "p3 read 1 on n4 (0.023–0.030 s), although p2's read of 2 on n3 had returned at 0.020 s, \
         0.003 s before it began, and 1 came before 2: p0's write of 1 on n1 had been \
         acknowledged at 0.008 s, before p2's read of 2 on n3 began at 0.013 s",
    );
}

#[test]
fn stale_read_of_the_initial_value() {
    convict(
        "p0: |--w1--|
         p1:           |--r_--|",
        "stale",
        "p1 read null on n2 (0.011–0.018 s), although p0's write of 1 on n1 had been acknowledged \
         at 0.008 s, 0.003 s before it began, and null is there from the beginning, before 1",
    );
}

#[test]
fn lost_cas() {
    convict(
        "p0: |--w1--|
         p1:           |--c1,2--|
         p2:              |--c1,3--|",
        "two-swaps",
        "p1's cas of 1 to 2 on n2 (0.011–0.020 s) and p2's cas of 1 to 3 on n3 (0.014–0.023 s) \
         both took effect, although 1 was set only once, by p0's write of 1 on n1 (0.001–0.008 s): \
         one swap was lost",
    );
}

#[test]
fn chain_of_swaps() {
    acquit(
        "p0: |--w1--|  |--c2,3--|
         p1: |--c1,2--|       |--r3--|",
    );
    convict(
        "p0: |--w1--|  |--c1,2--|
         p1:                      |--r1--|",
        "stale",
        "p1 read 1 on n2 (0.022–0.029 s), although p0's cas of 1 to 2 on n1 had been acknowledged \
         at 0.020 s, 0.002 s before it began",
    );
    // No other write fits between two ends of a chain.
    convict(
        "p0: |--w1--|  |--c1,2--|                      |--r2--|
         p1:                       |--w7--|  |--r7--|",
        "stale",
        "p0 read 2 on n1 (0.043–0.050 s), although p1's write of 7 on n2 had been acknowledged at \
         0.030 s, 0.013 s before it began, and 2 (swapped from 1 without a break) came before 7: \
         p0's write of 1 on n1 had been acknowledged at 0.008 s, before p1's read of 7 on n2 \
         began at 0.033 s",
    );
}

#[test]
fn cycle_of_swaps() {
    convict(
        "p0: |--c1,2--|
         p1: |--c2,1--|",
        "swap-cycle",
        "p0's cas of 1 to 2 on n1 (0.001–0.010 s), p1's cas of 2 to 1 on n2 (0.001–0.010 s) all \
         took effect, but each found a value that only another of them had set: none can have \
         been the first",
    );
}

#[test]
fn crashed_write_takes_effect_late_or_never() {
    acquit(
        "p0: |--w1--|
         p1: |--w2--?
         p2:            |--r1--|  |--r1--|  |--r2--|",
    );
    acquit(
        "p0: |--w1--|
         p1: |--w2--?
         p2:            |--r1--|  |--r1--|",
    );
    check(
        "p0: |--w1--|
         p1: |--w2--?
         p2:            |--r2--|  |--r1--|  |--r2--|",
        Validity::Invalid,
    );
}

#[test]
fn read_before_the_write() {
    convict(
        "p0: |--r1--|
         p1:           |--w1--?",
        "read-from-the-future",
        "p0 read 1 on n1 (0.001–0.008 s), 0.003 s before the only call to set 1, p1's write of 1 \
         on n2, began at 0.011 s",
    );
}

#[test]
fn read_of_a_value_never_written() {
    convict("p0: |--r9--|", "unwritten", "p0 read 9 on n1 (0.001–0.008 s), but no call ever set 9");
    convict(
        "p0: |--w1--x
         p1:            |--r1--|",
        "aborted-read",
        "p1 read 1 on n2 (0.012–0.019 s), a value that was never set: p0's write of 1 on n1 had \
         failed at 0.008 s, and no other call set 1",
    );
}

#[test]
fn swaps_that_did_not_happen() {
    acquit("p0: |--w1--|  |--c1,2--x  |--r1--|");
    acquit("p0: |--w1--|  |--c2,3!--|  |--r1--|");
    acquit("p0: |--w1--|  |--c2,3=1--|  |--r1--|");
    check("p0: |--w1--|  |--c2,3=_--|  |--r1--|", Validity::Invalid);
    convict(
        "p0: |--w1--|  |--c1,3!--|",
        "stuck",
        "p0 found another value in a cas of 1 to 3 on n1 (0.011–0.021 s), but no order of the \
         calls explains it: 1 call before it had returned, and in every order they allow, the \
         register held 1, and no other call was open. 2 calls show it, whatever the others did",
    );
    convict(
        "p0: |--w1--|                      |--r1--|
         p1:           |--c1,2!--|",
        "denied",
        "p1 found another value in a cas of 1 to 2 on n2 (0.011–0.021 s), although the register held \
         1 all the while: p0's write of 1 on n1 had been acknowledged at 0.008 s, and p0's read of \
         1 on n1 began at 0.031 s and found it there still",
    );
    // Somebody may have written another value meanwhile, and somebody else 1 again.
    acquit(
        "p0: |--w1--|  |--c1,3!--|  |--r1--|
         p1: |--w5--?
         p2: |--w1--?",
    );
}

#[test]
fn values_that_repeat() {
    acquit("p0: |--w1--|  |--w2--|  |--w1--|  |--r1--|");
    convict(
        "p0: |--w1--|  |--w2--|  |--w1--|
         p1:                                |--w3----|
         p2:                                |--r2--|",
        "stuck",
        "p2 read 2 on n3 (0.032–0.039 s), but no order of the calls explains it: 3 calls before \
         it had returned, and in every order they allow, the register held 1 or 3, whichever of \
         the open calls took effect first: p1's write of 3 on n2. 3 calls show it, whatever the others did",
    );
}

#[test]
fn keys_are_judged_by_themselves() {
    let line = |index: u64, process: u64, kind: &str, f: &str, key: &str, value: u64| {
        json!({"index": index, "time": index, "process": process, "type": kind, "f": f,
            "key": key, "value": value})
        .to_string()
    };
    let lines = [
        line(0, 0, "invoke", "write", "x", 1),
        line(1, 0, "ok", "write", "x", 1),
        line(2, 0, "invoke", "read", "y", 0),
        line(3, 0, "ok", "read", "y", 1),
    ];
    let verdict =
        Linearizable::default().check(&History::parse(&lines.join("\n")).expect("well formed"));
    assert_eq!(verdict.anomalies.len(), 1);
    assert_eq!(verdict.anomalies[0].key, Some(json!("y")));
    assert_eq!(verdict.anomalies[0].ops, [2]);
    assert_eq!(verdict.facts["keys_judged_by_blocks"], 2);
}

#[test]
fn initial_value_can_be_given() {
    let history = drawing::draw("p0: |--r5--|  |--c5,6--|");
    let five = Linearizable { initial: json!(5), ..Linearizable::default() };
    assert_eq!(five.check(&history).validity, Validity::Valid);
    assert_eq!(Linearizable::default().check(&history).validity, Validity::Invalid);
}

#[test]
fn search_says_how_far_its_budget_took_it() {
    let mut drawing = String::from("p0: |--w1--|  |--w2--|  |--w1--|  |-w3-|\n");
    for process in 1..12 {
        drawing += &format!("p{process}:    |-----w{process}-----|         |----r3----|\n");
    }
    let short = Linearizable { budget: 5, ..Linearizable::default() };
    let verdict = short.check(&drawing::draw(&drawing));
    assert_eq!(verdict.validity, Validity::Unknown, "{verdict:#?}");
    assert!(verdict.unknowns[0].contains("ran out of its budget after"), "{verdict:#?}");
}

#[test]
fn search_says_when_too_many_calls_are_open() {
    let drawing: String = (0..300).map(|process| format!("p{process}: |--w1--|\n")).collect();
    let verdict = check(&drawing, Validity::Unknown);
    assert_eq!(
        verdict.unknowns,
        ["too many calls were open at once for the search when p128's write of 1 on n129 began; \
          use fewer clients a key, or unique values"]
    );
}

/// A call that is none of a register's: `unknown`, naming the event.
#[track_caller]
fn refuse(line: &str, reason: &str) {
    let verdict = Linearizable::default().check(&History::parse(line).expect("well formed"));
    assert_eq!((verdict.validity, verdict.unknowns), (Validity::Unknown, vec![reason.to_owned()]));
}

#[test]
fn what_is_no_call_of_a_register_is_not_judged() {
    refuse(
        r#"{"time":1,"process":0,"type":"invoke","f":"cas","value":[1]}"#,
        "event 0: the value of a cas must be [old, new], and this one is [1]",
    );
    refuse(
        r#"{"time":1,"process":0,"type":"invoke","f":"write"}"#,
        "event 0: this write has no value; its invocation must carry the value to write",
    );
    refuse(
        r#"{"time":1,"process":0,"type":"invoke","f":"enqueue","value":1}"#,
        "event 0: `enqueue` is not a call of a register; its calls are read, write and cas",
    );
    refuse(
        "{\"time\":1,\"process\":0,\"type\":\"invoke\",\"f\":\"cas\",\"value\":[1,2]}\n\
         {\"time\":2,\"process\":0,\"type\":\"ok\",\"f\":\"cas\",\"ext\":{\"swapped\":\"no\"}}",
        "event 0: `ext.swapped` of a cas must be true or false, and here it is \"no\"",
    );
}

/// The folder states the verdict.
#[test]
fn histories_in_folders() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("histories/cas-register");
    for (folder, expected) in
        [("valid", Validity::Valid), ("invalid", Validity::Invalid), ("unknown", Validity::Unknown)]
    {
        let mut judged = 0;
        for entry in root.join(folder).read_dir().expect("the folder is there") {
            let path = entry.expect("the folder can be listed").path();
            let history = jsonl::read(&path, Tail::Whole).expect("a history");
            let verdict = Linearizable::default().check(&history);
            assert_eq!(verdict.validity, expected, "{}\n{verdict:#?}", path.display());
            judged += 1;
        }
        assert!(judged > 0, "no history in {folder}");
    }
}
