//! Lost writes by hand: what is accused and counted, and the near misses that must not be accused. What
//! a loss is put down to is in `lww_causes`.

mod lww;
mod script;

use lww::{all, at, check, final_reads, only, two_writes};
use script::Script;
use serde_json::{Value, json};
use tribunal_checkers::{Validity, Verdict};
use tribunal_history::Stage;

/// This many keys with a write and a final read through n1; through n2 the final
/// read of each is `end`.
fn keys(script: &mut Script, keys: u64, end: &str) {
    for key in 0..keys {
        let call = json!({"p": 1, "f": "write", "key": key, "arg": 1, "node": "n1"});
        script.call((10 * key, 10 * key + 5), call);
        for (node, end, value) in [("n1", "ok", json!(1)), ("n2", end, json!(1))] {
            let process = 1_000 + 2 * key + u64::from(node == "n2");
            let read = json!({"p": process, "f": "read", "key": key, "node": node, "final": true, "end": end, "value": value});
            script.call((90_000 + key, 91_000 + key), read);
        }
    }
}

#[test]
fn a_node_that_answered_no_final_read_is_a_doubt() {
    let mut script = Script::new();
    keys(&mut script, 3, "info");
    assert_eq!(check(&mut script).unknowns, ["n2 answered no final read of 3 of 3 keys"]);
    // An answer to a second try is an answer.
    for key in 0..3 {
        let read = json!({"p": 2_000 + key, "f": "read", "key": key, "node": "n2", "final": true, "value": 1});
        script.call((95_000, 96_000), read);
    }
    assert_eq!(check(&mut script).validity, Validity::Valid);
}

#[test]
fn few_keys_may_stay_unjudged_and_not_many() {
    let judged = |unread: u64| {
        let mut script = Script::new();
        keys(&mut script, 10, "ok");
        for key in 100..100 + unread {
            script.call((1, 2), json!({"p": key, "f": "write", "key": key, "arg": 1}));
        }
        check(&mut script)
    };
    assert_eq!(judged(1).validity, Validity::Valid);
    let doubt = "2 of 12 keys could not be judged; key 100: no final read was acknowledged";
    assert_eq!(judged(2).unknowns, [doubt]);
}

#[test]
fn a_key_that_ended_empty_lost_its_write() {
    let mut script = Script::new();
    two_writes(&mut script, at(11_890, 0), at(12_250, 0));
    final_reads(&mut script, [Value::Null, Value::Null, Value::Null]);
    let verdict = check(&mut script);
    let anomaly = only(&verdict);
    assert_eq!(anomaly.details["cause"], "not-lww");
    assert!(anomaly.message.contains("yet every node ended without a write."), "{anomaly:?}");
    assert!(anomaly.message.contains("The acknowledged write of 38"), "{anomaly:?}");
}

#[test]
fn superseded_writes_are_counted_with_the_one_after_them() {
    let mut script = Script::new();
    for value in 1..=5 {
        let from = 1_000 * value;
        script.call((from, from + 100), json!({"p": 1, "f": "write", "key": 3, "arg": value}));
    }
    final_reads(&mut script, all(1));
    let verdict = check(&mut script);
    let anomaly = only(&verdict);
    assert_eq!(anomaly.details["lost"]["value"], 5);
    assert_eq!(anomaly.details["superseded"], json!([2, 4, 6]));
    assert!(anomaly.message.contains("3 acknowledged writes that it came after"), "{anomaly:?}");
    assert_eq!(verdict.facts["lost_writes"], 4);
    assert_eq!(verdict.facts["superseded_by_a_lost_write"], 3);
}

#[test]
fn nodes_that_disagree_have_diverged() {
    let mut script = Script::new();
    two_writes(&mut script, at(11_890, 0), at(12_250, 0));
    final_reads(&mut script, [json!(41), json!(41), json!(38)]);
    let pause = json!({"nodes": ["n3"]});
    script.fault(0, "pause", [12_000, 12_010, 14_000, 14_010], pause);
    let verdict = check(&mut script);
    let anomaly = only(&verdict);
    assert_eq!(anomaly.name, "diverged");
    assert_eq!(
        anomaly.message,
        "key 3: the cluster had gone quiet and still does not agree: n3 ended with 38 (p3 through \
         n1, stamped 12:00:11.890000); n1 and n2 ended with 41 (p7 through n2, stamped \
         12:00:12.250000). By last write wins all should hold 41. In force since those \
         writes was pause n3 from 12.010 s to 14.010 s."
    );
    assert_eq!(anomaly.details["values"][0]["nodes"], json!(["n3"]));
}

#[test]
fn failed_and_unwritten_values_are_told_apart() {
    let mut script = Script::new();
    script.call((1, 2), json!({"p": 1, "f": "write", "key": 3, "arg": 1, "end": "fail"}));
    script.call((3, 4), json!({"p": 1, "f": "read", "key": 3, "value": 1}));
    script.call((5, 6), json!({"p": 1, "f": "read", "key": 3, "value": 9}));
    let verdict = check(&mut script);
    let names: Vec<&str> = verdict.anomalies.iter().map(|anomaly| &*anomaly.name).collect();
    assert_eq!(names, ["aborted-read", "thin-air-read"]);
}

// Near misses: nothing may be accused.

fn acquitted(script: &mut Script) -> Verdict {
    let verdict = check(script);
    assert_eq!(verdict.validity, Validity::Valid, "{verdict:#?}");
    verdict
}

fn undecided(script: &mut Script) -> Verdict {
    let verdict = check(script);
    assert_eq!(verdict.validity, Validity::Unknown, "{verdict:#?}");
    verdict
}

#[test]
fn a_concurrent_write_may_win() {
    let mut script = Script::new();
    let write = |p, arg| json!({"p": p, "f": "write", "key": 3, "arg": arg});
    // They share the one millisecond 110.
    script.call((100, 110), write(1, 1)).call((110, 120), write(2, 2));
    final_reads(&mut script, all(1));
    acquitted(&mut script);
}

#[test]
fn a_write_without_answer_may_overwrite_much_later() {
    let mut script = Script::new();
    script.call((100, 200), json!({"p": 1, "f": "write", "key": 3, "arg": 1, "end": "info"}));
    script.call((9_000, 9_100), json!({"p": 2, "f": "write", "key": 3, "arg": 2}));
    script.call((9_200, 9_300), json!({"p": 2, "f": "read", "key": 3, "value": 1}));
    final_reads(&mut script, all(1));
    acquitted(&mut script);
}

#[test]
fn a_write_still_open_may_overwrite_too() {
    let mut script = Script::new();
    script.call((100, 0), json!({"p": 1, "f": "write", "key": 3, "arg": 1, "end": "open"}));
    script.call((9_000, 9_100), json!({"p": 2, "f": "write", "key": 3, "arg": 2}));
    final_reads(&mut script, all(1));
    // It may have arrived just now: that is no proof of anything.
    undecided(&mut script);
}

#[test]
fn a_write_that_arrives_between_final_reads_is_no_divergence() {
    let mut script = Script::new();
    script.call((100, 200), json!({"p": 1, "f": "write", "key": 3, "arg": 1, "end": "info"}));
    script.call((300, 400), json!({"p": 2, "f": "write", "key": 3, "arg": 2}));
    final_reads(&mut script, [json!(2), json!(1), json!(2)]);
    acquitted(&mut script);
}

#[test]
fn stale_reads_are_counted_and_not_accused() {
    let mut script = Script::new();
    two_writes(&mut script, json!({}), json!({}));
    script.call((13_000, 13_010), json!({"p": 9, "f": "read", "key": 3, "value": 38}));
    script.call((13_020, 13_030), json!({"p": 9, "f": "read", "key": 3, "value": null}));
    final_reads(&mut script, all(41));
    assert_eq!(acquitted(&mut script).facts["stale_reads"], 2);
}

#[test]
fn a_failed_write_is_not_lost() {
    let mut script = Script::new();
    script.call((100, 200), json!({"p": 1, "f": "write", "key": 3, "arg": 1}));
    script.call((300, 400), json!({"p": 1, "f": "write", "key": 3, "arg": 2, "end": "fail"}));
    script.call((500, 600), json!({"p": 1, "f": "write", "key": 3, "arg": 3, "end": "info"}));
    final_reads(&mut script, all(1));
    acquitted(&mut script);
}

#[test]
fn final_reads_under_a_partition_prove_nothing() {
    let mut script = Script::new();
    two_writes(&mut script, at(11_890, 0), at(12_250, 0));
    final_reads(&mut script, [json!(38), json!(41), json!(41)]);
    let partition = json!({"summary": "{n1 | n2 n3}"});
    script.fault(2, "partition-halves", [12_000, 12_010, 29_000, 30_005], partition);
    let verdict = undecided(&mut script);
    assert!(
        verdict.unknowns[0].contains("made under partition-halves {n1 | n2 n3}"),
        "{verdict:?}"
    );
}

#[test]
fn final_reads_under_a_fault_that_was_never_healed_prove_nothing() {
    let mut script = Script::new();
    two_writes(&mut script, at(11_890, 0), at(12_250, 0));
    final_reads(&mut script, all(38));
    let pause = json!({"nodes": ["n2"]});
    script.note(2, "pause", 12_000, Stage::Inject, &pause);
    script.note(2, "pause", 12_010, Stage::Injected, &pause);
    undecided(&mut script);
}

#[test]
fn keys_without_final_reads_are_named() {
    let mut script = Script::new();
    two_writes(&mut script, json!({}), json!({}));
    script.call((13_000, 13_010), json!({"p": 9, "f": "read", "key": 3, "value": 38}));
    let verdict = undecided(&mut script);
    assert!(verdict.unknowns[0].contains("key 3: no final read was acknowledged"), "{verdict:?}");
}

#[test]
fn a_value_written_twice_is_not_judged() {
    let mut script = Script::new();
    script.call((100, 200), json!({"p": 1, "f": "write", "key": 3, "arg": 1}));
    script.call((300, 400), json!({"p": 1, "f": "write", "key": 3, "arg": 2}));
    script.call((500, 600), json!({"p": 2, "f": "write", "key": 3, "arg": 1}));
    final_reads(&mut script, all(1));
    undecided(&mut script);
}

#[test]
fn an_empty_history_is_unknown() {
    undecided(&mut Script::new());
}
