//! Lost writes by hand: what each is put down to, by timestamps, by clocks that were set, and by what
//! other writes tell of the clocks. Whether a write was lost at all is in `lww_cases`.

mod lww;
mod script;

use lww::{all, at, check, final_reads, only, two_writes};
use script::Script;
use serde_json::json;
use tribunal_checkers::Anomaly;

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
    let told = "By those of 40 other writes n1's clock was between 4.987 s and 5.012 s ahead of \
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
    let told = "n2's clock stepped back by 2.987 s to 3.012 s between 11.900 s and 12.010 s.";
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
