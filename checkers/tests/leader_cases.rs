//! Leaders by hand: each anomaly, and the near misses that must not be accused.

mod script;

use script::Script;
use serde_json::{Value, json};
use tribunal_checkers::{Anomaly, Checker, Leader, Validity, Verdict};

const LEASE: Leader = Leader { exclusive: true };
const RAFT: Leader = Leader { exclusive: false };

/// A probe of a node that answers with this role and term.
fn probe(script: &mut Script, times: (u64, u64), node: &str, role: &str, term: i64) {
    let answer = json!({"node": node, "role": role, "term": term});
    // One process a probe, so that they may overlap.
    let process = times.0 * 10 + node.as_bytes()[1] as u64;
    let call = json!({"p": process, "f": "probe", "node": node, "value": answer});
    script.call(times, call);
}

fn leads(script: &mut Script, times: (u64, u64), node: &str, term: i64) {
    probe(script, times, node, "leader", term);
}

fn serve(script: &mut Script, times: (u64, u64), f: &str, arg: i64, node: &str, term: i64) {
    let ext = json!({"node": node, "term": term});
    let process = times.0 * 10;
    script.call(times, json!({"p": process, "f": f, "arg": arg, "ext": ext}));
}

fn only(verdict: &Verdict) -> &Anomaly {
    assert_eq!(verdict.validity, Validity::Invalid, "{verdict:#?}");
    assert_eq!(verdict.anomalies.len(), 1, "{verdict:#?}");
    &verdict.anomalies[0]
}

fn acquitted(checker: Leader, script: &mut Script) -> Verdict {
    let verdict = checker.check(&script.history());
    assert_eq!(verdict.validity, Validity::Valid, "{verdict:#?}");
    verdict
}

/// A read of a node's committed log.
fn committed(script: &mut Script, at: u64, node: &str, log: Value) {
    let call =
        json!({"p": at, "f": "committed", "node": node, "value": {"node": node, "log": log}});
    script.call((at, at + 10), call);
}

#[test]
fn committed_logs_that_differ_are_split_brain_whatever_the_time() {
    let mut script = Script::new();
    committed(&mut script, 1_000, "n1", json!([[1, 1, "a"], [2, 1, "b"]]));
    committed(&mut script, 1_005, "n2", json!([[2, 2, "c"], [3, 2, "d"]]));
    committed(&mut script, 9_000, "n1", json!([[1, 1, "a"], [2, 1, "b"], [3, 1, "d"]]));
    for checker in [LEASE, RAFT] {
        let verdict = checker.check(&script.history());
        let anomaly = only(&verdict);
        assert_eq!(anomaly.name, "committed-logs-differ");
        assert_eq!(
            anomaly.message,
            "n1 showed \"b\" of term 1 (p1000's read, 1.000–1.010 s) as committed at index 2, and n2 \
             showed \"c\" of term 2 (p1005's read, 1.005–1.015 s) there: what is committed is decided \
             for good. So they do at one more index."
        );
        assert_eq!(anomaly.ops, [0, 1]);
        assert_eq!(anomaly.details["indexes"], 2);
    }
}

#[test]
fn a_committed_entry_that_changes_on_one_node_is_told() {
    let mut script = Script::new();
    committed(&mut script, 1_000, "n1", json!([[1, 1, "a"], [2, 1, "b"]]));
    committed(&mut script, 2_000, "n1", json!([[1, 1, "a"], [2, 3, "b"]]));
    let verdict = RAFT.check(&script.history());
    assert_eq!(only(&verdict).name, "committed-entry-changed");
    assert!(only(&verdict).message.contains("and it showed \"b\" of term 3"), "{verdict:#?}");
}

#[test]
fn committed_logs_may_begin_late_and_show_less_than_before() {
    let mut script = Script::new();
    committed(&mut script, 1_000, "n1", json!([[1, 1, "a"], [2, 1, "b"], [7, 2, "c"]]));
    committed(&mut script, 2_000, "n2", json!([[7, 2, "c"], [8, 2, null]]));
    committed(&mut script, 3_000, "n1", json!([[2, 1, "b"]]));
    committed(&mut script, 4_000, "n3", json!([]));
    let verdict = acquitted(RAFT, &mut script);
    assert_eq!(verdict.facts["committed_logs_read"], 4);
    assert_eq!(verdict.facts["committed_entries_read"], 6);
}

#[test]
fn a_committed_log_that_cannot_be_read_is_a_doubt() {
    let mut script = Script::new();
    committed(&mut script, 1_000, "n1", json!([[1, 1, "a"]]));
    committed(&mut script, 2_000, "n2", json!([[1, "b"]]));
    let verdict = RAFT.check(&script.history());
    assert_eq!(verdict.validity, Validity::Unknown);
    assert!(verdict.unknowns[0].starts_with("1 of 2 committed logs"), "{verdict:#?}");
}

/// n1 leads term 3, sleeps, and leads on when n4 leads term 5.
fn sleeper() -> Script {
    let mut script = Script::new();
    leads(&mut script, (1_000, 1_010), "n1", 3);
    leads(&mut script, (8_900, 8_910), "n1", 3);
    leads(&mut script, (11_290, 11_300), "n4", 5);
    leads(&mut script, (14_200, 14_211), "n1", 3);
    leads(&mut script, (15_902, 15_910), "n1", 3);
    leads(&mut script, (16_000, 16_010), "n4", 5);
    probe(&mut script, (16_500, 16_510), "n1", "follower", 5);
    script
}

#[test]
fn a_paused_leader_that_goes_on_is_convicted_with_its_pause() {
    let mut script = sleeper();
    let pause = json!({"nodes": ["n1"]});
    script.fault(6, "pause", [8_990, 9_000, 13_890, 13_900], pause);
    script.fault(7, "pause", [18_000, 18_010, 19_000, 19_010], json!({"nodes": ["n1"]}));
    let verdict = LEASE.check(&script.history());
    let anomaly = only(&verdict);
    assert_eq!(anomaly.name, "split-brain");
    assert_eq!(
        anomaly.message,
        "n1 (term 3) and n4 (term 5) both held themselves leader from 11.300 s to 15.902 s (at \
         least 4.602 s): n1 was paused from 9.000 s to 13.900 s, n4 was first seen as leader at \
         11.300 s, and n1 went on as leader when it woke."
    );
    assert_eq!(anomaly.window, Some((11_300_000_000, 15_902_000_000)));
    assert_eq!(anomaly.details["faults"], json!([6]));
    assert_eq!(anomaly.details["overlap_ns"], 4_602_000_000_u64);
    assert_eq!(anomaly.details["leaders"][0]["node"], "n1");
    assert_eq!(anomaly.ops.len(), 4);
}

#[test]
fn a_partition_explains_where_no_pause_does() {
    let mut script = sleeper();
    let plan = json!({"cuts": {"n1": ["n4"], "n4": ["n1"]}});
    let cut = json!({"nodes": ["n1"], "summary": "{n1 | n2 n3 n4 n5}", "plan": plan});
    script.fault(2, "partition-one", [8_990, 9_000, 17_000, 17_010], cut);
    let elsewhere = json!({"nodes": ["n2"], "plan": {"cuts": {"n2": ["n3"]}}});
    script.fault(3, "partition-one-way", [8_990, 9_000, 17_000, 17_010], elsewhere);
    let verdict = LEASE.check(&script.history());
    assert_eq!(only(&verdict).details["faults"], json!([2]));
    assert!(
        only(&verdict).message.contains("partition-one {n1 | n2 n3 n4 n5} from"),
        "{verdict:?}"
    );
}

#[test]
fn without_a_fault_none_is_blamed() {
    let verdict = LEASE.check(&sleeper().history());
    assert!(only(&verdict).message.ends_with("no fault of this run explains it."), "{verdict:?}");
}

#[test]
fn raft_may_have_two_leaders_of_two_terms_for_a_while() {
    let verdict = acquitted(RAFT, &mut sleeper());
    assert_eq!(verdict.facts["definite_overlaps"]["count"], 1);
    let told = verdict.facts["definite_overlaps"]["first"][0].as_str().expect("a sentence");
    assert!(told.starts_with("n1 (term 3) and n4 (term 5)"), "{told}");
}

#[test]
fn one_probe_within_another_leaders_hold_is_enough() {
    let mut script = Script::new();
    leads(&mut script, (1_000, 1_010), "n1", 3);
    leads(&mut script, (2_000, 2_010), "n2", 4);
    leads(&mut script, (3_000, 3_010), "n1", 3);
    let verdict = LEASE.check(&script.history());
    assert!(
        only(&verdict).message.contains("at some instant between 2.000 s and 2.010 s"),
        "{verdict:?}"
    );
}

#[test]
fn a_term_has_one_leader_whoever_allows_what() {
    let mut script = Script::new();
    leads(&mut script, (1_000, 1_010), "n1", 3);
    leads(&mut script, (9_000, 9_010), "n2", 3);
    let verdict = RAFT.check(&script.history());
    let anomaly = only(&verdict);
    assert_eq!(anomaly.name, "two-leaders-in-one-term");
    assert_eq!(
        anomaly.message,
        "n1 and n2 both held themselves leader of term 3: n1 said so at 1.010 s and n2 said so at \
         9.010 s. A term has one leader."
    );
}

#[test]
fn a_deposed_leader_must_not_acknowledge() {
    let mut script = Script::new();
    serve(&mut script, (1_000, 1_010), "write", 1, "n1", 3);
    serve(&mut script, (2_000, 2_010), "write", 2, "n4", 5);
    serve(&mut script, (3_000, 3_010), "write", 3, "n1", 3);
    serve(&mut script, (4_000, 4_010), "write", 4, "n1", 3);
    let verdict = RAFT.check(&script.history());
    let anomaly = only(&verdict);
    assert_eq!(anomaly.name, "dual-acknowledgement");
    assert_eq!(
        anomaly.message,
        "n1 (term 3) acknowledged a write of 3 by p30000 that began at 3.000 s, and one more, \
         though n4 (term 5) had acknowledged p20000's write of 2 by 2.010 s: a deposed leader went \
         on serving."
    );
    assert_eq!(anomaly.details["calls"], 2);
}

#[test]
fn two_leaders_of_one_shard_each_are_no_anomaly() {
    let mut script = Script::new();
    for (at, (key, node)) in [("a", "n1"), ("b", "n2"), ("a", "n1"), ("b", "n2")].iter().enumerate()
    {
        let answer = json!({"node": node, "role": "leader", "term": 1});
        let from = 1_000 * at as u64;
        script.call((from, from + 5), json!({"p": 1, "f": "probe", "key": key, "value": answer}));
    }
    acquitted(LEASE, &mut script);
}

// Near misses: nothing may be accused.

#[test]
fn leaders_in_turn_are_no_anomaly() {
    let mut script = Script::new();
    leads(&mut script, (1_000, 1_010), "n1", 3);
    leads(&mut script, (9_000, 9_020), "n1", 3);
    leads(&mut script, (9_010, 9_030), "n2", 4);
    leads(&mut script, (12_000, 12_010), "n2", 4);
    let verdict = acquitted(LEASE, &mut script);
    assert_eq!(verdict.facts["possible_overlaps"]["count"], 1);
    assert_eq!(verdict.facts["definite_overlaps"]["count"], 0);
}

#[test]
fn a_slow_answer_is_not_news() {
    // n1's answer came late, but it may be as old as its question.
    let mut script = Script::new();
    leads(&mut script, (1_000, 1_010), "n1", 3);
    leads(&mut script, (2_000, 9_000), "n1", 3);
    leads(&mut script, (3_000, 3_010), "n2", 4);
    leads(&mut script, (5_000, 5_010), "n2", 4);
    acquitted(LEASE, &mut script);
}

#[test]
fn equal_times_prove_nothing() {
    let mut script = Script::new();
    leads(&mut script, (1_000, 1_000), "n1", 3);
    leads(&mut script, (1_000, 1_000), "n2", 4);
    leads(&mut script, (1_001, 1_001), "n2", 4);
    acquitted(LEASE, &mut script);
}

#[test]
fn a_term_given_up_and_resumed_is_not_one_stretch() {
    let mut script = Script::new();
    leads(&mut script, (1_000, 1_010), "n1", 3);
    probe(&mut script, (2_000, 2_010), "n1", "follower", 3);
    leads(&mut script, (3_000, 3_010), "n2", 4);
    leads(&mut script, (4_000, 4_010), "n2", 4);
    leads(&mut script, (5_000, 5_010), "n1", 3);
    let verdict = acquitted(LEASE, &mut script);
    assert_eq!(verdict.facts["terms_resumed"], 1);
}

#[test]
fn a_resumed_term_within_anothers_hold_is_convicted_still() {
    let mut script = Script::new();
    leads(&mut script, (1_000, 1_010), "n1", 3);
    probe(&mut script, (2_000, 2_010), "n1", "follower", 3);
    leads(&mut script, (3_000, 3_010), "n2", 4);
    leads(&mut script, (4_000, 4_010), "n1", 3);
    leads(&mut script, (5_000, 5_010), "n2", 4);
    assert_eq!(only(&LEASE.check(&script.history())).name, "split-brain");
}

#[test]
fn writes_in_flight_when_the_leader_changed_are_no_anomaly() {
    let mut script = Script::new();
    serve(&mut script, (1_000, 3_000), "write", 1, "n1", 3);
    serve(&mut script, (1_500, 2_000), "write", 2, "n4", 5);
    serve(&mut script, (2_000, 2_500), "write", 3, "n1", 3);
    acquitted(RAFT, &mut script);
}

#[test]
fn a_read_that_knows_a_higher_term_deposes_nobody() {
    let mut script = Script::new();
    serve(&mut script, (1_000, 1_010), "read", 1, "n4", 5);
    serve(&mut script, (2_000, 2_010), "write", 2, "n1", 3);
    acquitted(LEASE, &mut script);
}

#[test]
fn a_stale_read_is_an_anomaly_only_of_an_exclusive_leader() {
    let mut script = Script::new();
    serve(&mut script, (1_000, 1_010), "write", 1, "n4", 5);
    serve(&mut script, (2_000, 2_010), "read", 2, "n1", 3);
    let verdict = acquitted(RAFT, &mut script);
    assert_eq!(verdict.facts["reads_by_deposed_leaders"], 1);
    assert_eq!(only(&LEASE.check(&script.history())).name, "dual-acknowledgement");
}

#[test]
fn a_run_without_a_leader_is_unknown() {
    let mut script = Script::new();
    probe(&mut script, (1_000, 1_010), "n1", "follower", 3);
    let verdict = LEASE.check(&script.history());
    assert_eq!(verdict.validity, Validity::Unknown);
    assert_eq!(verdict.unknowns, ["no leader was ever seen, in 1 probes"]);
}

#[test]
fn answers_of_another_shape_are_doubted() {
    for answer in
        [json!(7), json!({"node": "n1", "role": "leader"}), json!({"term": 3}), Value::Null]
    {
        let mut script = Script::new();
        leads(&mut script, (1_000, 1_010), "n1", 3);
        script.call((2_000, 2_010), json!({"p": 1, "f": "probe", "value": answer}));
        let verdict = LEASE.check(&script.history());
        assert_eq!(verdict.validity, Validity::Unknown, "{verdict:?}");
    }
}
