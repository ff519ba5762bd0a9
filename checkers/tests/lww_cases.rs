//! Lost writes by hand: each cause, and the near misses that must not be accused.

mod script;

use script::Script;
use serde_json::{Value, json};
use tribunal_checkers::{Anomaly, Checker, Lww, Validity, Verdict};
use tribunal_history::Stage;

/// 2026-11-20T12:00:00Z at the run's time 0.
const EPOCH: i64 = 1_795_176_000_000_000_000;

/// A timestamp at a time of the run, by a clock that is off by so much.
fn at(ms: i64, off_ms: i64) -> Value {
    json!({"timestamp": EPOCH + (ms + off_ms) * 1_000_000})
}

fn check(script: &mut Script) -> Verdict {
    Lww::default().check(&script.history())
}

/// The only anomaly of an invalid verdict.
fn only(verdict: &Verdict) -> &Anomaly {
    assert_eq!(verdict.validity, Validity::Invalid, "{verdict:#?}");
    assert_eq!(verdict.anomalies.len(), 1, "{verdict:#?}");
    &verdict.anomalies[0]
}

/// 38 through n1, then 41 through n2, with these extras on their oks.
fn two_writes(script: &mut Script, first: Value, second: Value) {
    let call = json!({"p": 3, "f": "write", "key": 3, "arg": 38, "node": "n1", "ext": first});
    script.call((11_800, 11_902), call);
    let call = json!({"p": 7, "f": "write", "key": 3, "arg": 41, "node": "n2", "ext": second});
    script.call((12_213, 12_310), call);
}

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

/// A final read through each node, which returns this.
fn final_reads(script: &mut Script, values: [Value; 3]) {
    for (at, value) in (0..).zip(values) {
        let node = format!("n{}", at + 1);
        let read = json!({"p": 20 + at, "f": "read", "key": 3, "node": node, "final": true, "value": value});
        script.call((30_000 + at, 30_010 + at), read);
    }
}

fn all(value: i64) -> [Value; 3] {
    [json!(value), json!(value), json!(value)]
}

fn jump(script: &mut Script, offset_ms: i64, times: [u64; 4]) {
    let plan = json!({"clocks": {"n1": {"offset_ns": offset_ms * 1_000_000}}});
    let summary = format!("n1 {:+.3} s", offset_ms as f64 / 1e3);
    script.fault(
        4,
        "clock-jump",
        times,
        json!({"nodes": ["n1"], "summary": summary, "plan": plan}),
    );
}

#[test]
fn skew_names_both_clocks_and_the_jump() {
    let mut script = Script::new();
    two_writes(&mut script, at(11_890, 5_000), at(12_250, 0));
    final_reads(&mut script, all(38));
    jump(&mut script, 5_000, [9_990, 10_000, 25_000, 25_010]);
    let verdict = check(&mut script);
    let anomaly = only(&verdict);
    assert_eq!(anomaly.name, "lost-write");
    assert_eq!(
        anomaly.message,
        "key 3: p7's write of 41 through n2 was acknowledged at 12.310 s (stamped \
         12:00:12.250000), yet every node ended with 38, which p3 had written through n1 \
         and had acknowledged at 11.902 s (stamped 12:00:16.890000), 0.311 s before the \
         write of 41 began. n1 stamped 38 as 4.640 s later than 41, because n1's clock ran ahead \
         (clock-jump n1 +5.000 s from 10.000 s to 25.010 s). Last write wins did what it says, and \
         kept the older write. No read ever returned it."
    );
    let details = &anomaly.details;
    assert_eq!(details["cause"], "skew");
    assert_eq!(details["certainty"], "certain");
    assert_eq!(details["faults"], json!([4]));
    assert_eq!(details["faults_certainty"], "certain");
    assert_eq!(details["skew_ns"], 4_640_000_000_i64);
    assert_eq!(details["needed_skew_ns"], 311_000_000);
    assert_eq!(details["survivor"]["node"], "n1");
    assert_eq!(details["lost"]["node"], "n2");
    assert_eq!(anomaly.key, Some(json!(3)));
    // Both writes, then the final reads.
    assert_eq!(anomaly.ops.len(), 5, "{anomaly:?}");
}

#[test]
fn skew_without_a_jump_blames_no_fault() {
    let mut script = Script::new();
    two_writes(&mut script, at(11_890, 900), at(12_250, 0));
    final_reads(&mut script, all(38));
    // Long over when 38 was written.
    jump(&mut script, 5_000, [1_000, 1_010, 2_000, 2_010]);
    let verdict = check(&mut script);
    let anomaly = only(&verdict);
    assert_eq!(anomaly.details["cause"], "skew");
    assert_eq!(anomaly.details["faults"], json!([]));
    assert!(
        anomaly.message.contains("the clocks of n1 and n2 disagreed; no clock-jump"),
        "{anomaly:?}"
    );
}

#[test]
fn a_clock_set_back_on_one_node_is_told_as_such() {
    let mut script = Script::new();
    let write =
        json!({"p": 1, "f": "write", "key": 3, "arg": 1, "node": "n1", "ext": at(1_050, 5_000)});
    script.call((1_000, 1_100), write);
    let write =
        json!({"p": 1, "f": "write", "key": 3, "arg": 2, "node": "n1", "ext": at(3_050, 0)});
    script.call((3_000, 3_100), write);
    final_reads(&mut script, all(1));
    jump(&mut script, 5_000, [500, 510, 2_000, 2_010]);
    let verdict = check(&mut script);
    let anomaly = only(&verdict);
    assert!(anomaly.message.contains("because n1's clock went back in between"), "{anomaly:?}");
    assert_eq!(anomaly.details["faults"], json!([4]));
}

#[test]
fn equal_timestamps_are_a_tie() {
    let mut script = Script::new();
    two_writes(&mut script, at(12_250, 0), at(12_250, 0));
    final_reads(&mut script, all(38));
    let verdict = check(&mut script);
    assert_eq!(only(&verdict).details["cause"], "tie");
}

#[test]
fn a_later_timestamp_that_lost_is_not_lww() {
    let mut script = Script::new();
    two_writes(&mut script, at(11_890, 0), at(12_250, 0));
    final_reads(&mut script, all(38));
    let cut = json!({"cuts": {"n1": ["n2"], "n2": ["n1", "n3"], "n3": ["n2"]}});
    let partition = json!({"nodes": ["n2"], "summary": "{n2 | n1 n3}", "plan": cut});
    script.fault(2, "partition-one", [12_000, 12_010, 20_000, 20_100], partition);
    // A pause that was over by then has no part in it.
    script.fault(1, "pause", [1_000, 1_010, 2_000, 2_010], json!({"nodes": ["n2"]}));
    let verdict = check(&mut script);
    let anomaly = only(&verdict);
    assert_eq!(anomaly.details["cause"], "not-lww");
    assert_eq!(anomaly.details["faults"], json!([2]));
    assert_eq!(anomaly.details["faults_certainty"], "likely");
    assert!(
        anomaly.message.contains(
            "By last write wins 41 should have stayed: its timestamp is the later one by 0.360 s. \
             Replication lost it: partition-one {n2 | n1 n3} from 12.010 s to 20.100 s was in force"
        ),
        "{anomaly:?}"
    );
}

#[test]
fn without_timestamps_the_cause_is_not_guessed() {
    let mut script = Script::new();
    two_writes(&mut script, json!({}), json!({}));
    final_reads(&mut script, all(38));
    let verdict = check(&mut script);
    let anomaly = only(&verdict);
    assert_eq!(anomaly.details["cause"], "undetermined");
    assert!(anomaly.message.contains("cause not determined"), "{anomaly:?}");
    assert_eq!(verdict.facts["causes"], json!({"undetermined": 1}));
}

#[test]
fn without_timestamps_a_jump_makes_skew_likely() {
    let mut script = Script::new();
    two_writes(&mut script, json!({}), json!({}));
    final_reads(&mut script, all(38));
    jump(&mut script, 5_000, [9_990, 10_000, 25_000, 25_010]);
    let verdict = check(&mut script);
    assert_eq!(only(&verdict).details["cause"], "skew");
    assert_eq!(only(&verdict).details["certainty"], "likely");
}

#[test]
fn without_timestamps_a_jump_too_small_explains_nothing() {
    let mut script = Script::new();
    two_writes(&mut script, json!({}), json!({}));
    final_reads(&mut script, all(38));
    jump(&mut script, 300, [9_990, 10_000, 25_000, 25_010]);
    let verdict = check(&mut script);
    assert_eq!(only(&verdict).details["cause"], "undetermined");
}

/// Writes of other keys, a hundred milliseconds apart: their node, and how far its clock is
/// off at that time of the run. Each takes ten, and is stamped in the middle.
fn others(script: &mut Script, node: &str, from: i64, until: i64, off_ms: impl Fn(i64) -> i64) {
    for (value, begin) in (from..until).step_by(100).enumerate() {
        let key = format!("other {node} {from}");
        let ext = at(begin + 5, off_ms(begin));
        let process = 100 + begin as u64 + 100_000 * u64::from(node == "n2");
        let call =
            json!({"p": process, "f": "write", "key": key, "arg": value, "node": node, "ext": ext});
        script.call((begin as u64, begin as u64 + 10), call);
    }
}

/// The lost write of key 3; the other keys have no final reads.
fn lost(script: &mut Script) -> Anomaly {
    let verdict = check(script);
    only(&verdict).clone()
}

#[test]
fn other_writes_show_that_the_clocks_turned_the_order_round() {
    let mut script = Script::new();
    two_writes(&mut script, json!({}), json!({}));
    others(&mut script, "n1", 11_000, 13_000, |_| 5_000);
    others(&mut script, "n2", 11_000, 13_000, |_| 0);
    final_reads(&mut script, all(38));
    let anomaly = lost(&mut script);
    assert_eq!(anomaly.details["cause"], "skew");
    assert_eq!(anomaly.details["certainty"], "certain");
    assert_eq!(anomaly.details["measured_by_writes"], 40);
    let told = "By those of 40 other writes n1's clock was between 4.988 s and 5.012 s ahead of \
                n2's; it takes 0.311 s at least to turn their order round. So 38 bears the later \
                one, because the clocks of n1 and n2 disagreed; no clock-jump";
    assert!(anomaly.message.contains(told), "{anomaly:?}");
}

#[test]
fn other_writes_show_that_the_clocks_cannot_have_been() {
    let mut script = Script::new();
    // The timestamp of one is there; the other's is bounded.
    two_writes(&mut script, at(11_890, 200), json!({}));
    others(&mut script, "n2", 11_000, 13_000, |_| 0);
    final_reads(&mut script, all(38));
    let anomaly = lost(&mut script);
    assert_eq!(anomaly.details["cause"], "not-lww");
    assert_eq!(anomaly.details["certainty"], "certain");
    assert!(anomaly.message.contains("So 41 bears the later one, and should have"), "{anomaly:?}");
}

#[test]
fn other_writes_may_leave_both_possible() {
    let mut script = Script::new();
    two_writes(&mut script, json!({}), json!({}));
    others(&mut script, "n1", 11_000, 13_000, |_| 350);
    others(&mut script, "n2", 11_000, 13_000, |_| 0);
    final_reads(&mut script, all(38));
    let anomaly = lost(&mut script);
    assert_eq!(anomaly.details["cause"], "skew");
    assert_eq!(anomaly.details["certainty"], "possible");
    assert!(anomaly.message.contains("The clocks are a possible cause."), "{anomaly:?}");
}

#[test]
fn where_no_write_came_after_the_cause_is_only_likely() {
    let mut script = Script::new();
    two_writes(&mut script, json!({}), json!({}));
    others(&mut script, "n1", 11_000, 11_700, |_| 5_000);
    others(&mut script, "n2", 11_000, 13_000, |_| 0);
    final_reads(&mut script, all(38));
    let anomaly = lost(&mut script);
    assert_eq!(anomaly.details["certainty"], "likely");
    assert!(anomaly.message.contains("unless a clock stepped unseen"), "{anomaly:?}");
}

#[test]
fn a_clock_step_between_the_two_writes_is_seen_and_told() {
    let mut script = Script::new();
    two_writes(&mut script, json!({}), json!({}));
    others(&mut script, "n1", 11_000, 13_000, |_| 0);
    others(&mut script, "n2", 11_000, 13_000, |begin| if begin < 12_000 { 0 } else { -3_000 });
    final_reads(&mut script, all(38));
    let anomaly = lost(&mut script);
    assert_eq!(anomaly.details["cause"], "skew");
    assert_eq!(anomaly.details["certainty"], "certain");
    let told = "n2's clock stepped back by 2.988 s to 3.012 s between 11.900 s and 12.010 s.";
    assert!(anomaly.message.contains(told), "{anomaly:?}");
}

#[test]
fn a_step_next_to_a_write_leaves_open_on_which_side_it_was() {
    let mut script = Script::new();
    two_writes(&mut script, json!({}), json!({}));
    others(&mut script, "n1", 11_000, 13_000, |_| 0);
    // 41 was written from 12.213 s to 12.310 s.
    others(&mut script, "n2", 11_000, 13_000, |begin| if begin < 12_250 { 0 } else { -3_000 });
    final_reads(&mut script, all(38));
    assert_eq!(lost(&mut script).details["certainty"], "possible");
}

#[test]
fn a_clock_that_drifts_is_followed() {
    let drifting = |per_million: i64| {
        let mut script = Script::new();
        two_writes(&mut script, json!({}), json!({}));
        others(&mut script, "n1", 11_000, 13_000, |_| 0);
        others(&mut script, "n2", 11_000, 13_000, |begin| {
            (begin - 13_000) * per_million / 1_000_000
        });
        final_reads(&mut script, all(38));
        lost(&mut script).details["cause"].clone()
    };
    assert_eq!(drifting(400), "not-lww");
    // No clock in nanoseconds: every write is a step.
    assert_eq!(drifting(999_000), "undetermined");
}

#[test]
fn a_jump_and_its_healing_between_two_exposed_writes_leave_all_open() {
    let mut script = Script::new();
    two_writes(&mut script, json!({}), json!({}));
    others(&mut script, "n1", 11_000, 11_700, |_| 0);
    others(&mut script, "n1", 12_300, 13_000, |_| 0);
    others(&mut script, "n2", 11_000, 13_000, |_| 0);
    final_reads(&mut script, all(38));
    let mut with_jump = |offset| {
        jump(&mut script, offset, [11_720, 11_730, 12_000, 12_010]);
        lost(&mut script).details["cause"].clone()
    };
    assert_eq!(with_jump(5_000), "skew");
    assert_eq!(lost(&mut script).details["certainty"], "likely");
    assert!(lost(&mut script).details.get("measured_by_writes").is_none());
}

#[test]
fn contradicting_timestamps_are_not_used() {
    let mut script = Script::new();
    two_writes(&mut script, at(11_890, 5_000), at(12_250, 0));
    let read = json!({"p": 9, "f": "read", "key": 3, "value": 38, "ext": at(11_890, 0)});
    script.call((13_000, 13_010), read);
    final_reads(&mut script, all(38));
    let verdict = check(&mut script);
    assert_eq!(only(&verdict).details["cause"], "undetermined");
}

#[test]
fn readers_tell_the_timestamp_of_a_write_without_answer() {
    let mut script = Script::new();
    let write = json!({"p": 1, "f": "write", "key": 3, "arg": 1, "node": "n1", "end": "info"});
    script.call((1_000, 9_000), write);
    let read =
        json!({"p": 2, "f": "read", "key": 3, "value": 1, "node": "n1", "ext": at(1_050, 5_000)});
    script.call((1_200, 1_300), read);
    let write =
        json!({"p": 3, "f": "write", "key": 3, "arg": 2, "node": "n2", "ext": at(2_050, 0)});
    script.call((2_000, 2_100), write);
    final_reads(&mut script, all(1));
    let verdict = check(&mut script);
    let anomaly = only(&verdict);
    assert_eq!(anomaly.details["cause"], "skew");
    assert!(anomaly.message.contains("and a read had returned by 1.300 s"), "{anomaly:?}");
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
