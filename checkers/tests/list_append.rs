//! Every phenomenon of transactions on lists, drawn, with the levels that it breaks.

mod elle;

use elle::draw;
use tribunal_checkers::transactions::{Level, ListAppend, Phenomenon};
use tribunal_checkers::{Checker, Validity, Verdict};

fn judge(drawing: &str) -> Verdict {
    ListAppend::default().check(&draw(drawing, true))
}

/// The phenomena found, by name, and the weakest levels that they break.
#[track_caller]
fn check(drawing: &str, phenomena: &[&str], broken: &[&str]) -> Verdict {
    let verdict = judge(drawing);
    let mut names: Vec<&str> = verdict.anomalies.iter().map(|it| it.name.as_str()).collect();
    names.dedup();
    assert_eq!(names, phenomena, "{verdict:#?}");
    assert_eq!(verdict.facts["levels_broken"], serde_json::json!(broken), "{verdict:#?}");
    verdict
}

#[test]
fn one_after_the_other_is_strictly_serializable() {
    let verdict = check("p0 1-2 ax1 ry_\n p1 3-4 rx1 ay2\n p0 5-6 rx1 ry2", &[], &[]);
    assert_eq!(verdict.validity, Validity::Valid);
    assert_eq!(verdict.facts["levels_kept"], serde_json::json!(["strict-serializable"]));
}

#[test]
fn g0_is_a_cycle_of_writes() {
    let drawing = "p0 1-4 ax1 ay1\n p1 1-4 ax2 ay2\n p2 5-6 rx12 ry21";
    let verdict = check(drawing, &["G0"], &["read-uncommitted"]);
    assert_eq!(verdict.anomalies[0].ops, [0, 1]);
    let why = &verdict.anomalies[0].details["cycle"][0]["why"];
    assert_eq!(why, "T1 appended 2 to \"x\", right after T0's");
}

#[test]
fn g1a_is_a_read_of_an_aborted_append() {
    check("p0 1-x2 ax1\n p1 3-4 rx1", &["G1a"], &["read-committed"]);
}

#[test]
fn g1b_is_a_read_in_the_middle_of_a_transaction() {
    let drawing = "p0 1-4 ax1 ax2\n p1 1-4 rx1\n p2 5-6 rx12";
    check(drawing, &["G1b", "G-single"], &["read-committed"]);
}

#[test]
fn g1c_is_a_cycle_of_reads_from_each_other() {
    check("p0 1-4 ax1 ry1\n p1 1-4 ay1 rx1", &["G1c"], &["read-committed"]);
}

#[test]
fn an_aborted_append_under_a_committed_one_is_a_dirty_update() {
    let drawing = "p0 1-x2 ax1\n p1 3-4 ax2\n p2 5-6 rx12";
    check(drawing, &["dirty-update", "G1a"], &["read-committed"]);
}

#[test]
fn a_transaction_that_forgets_its_own_append_is_internal() {
    check("p0 1-2 ax1 rx_\n p1 3-4 rx1", &["internal"], &["read-atomic"]);
}

#[test]
fn a_read_of_what_the_transaction_appends_only_later_is_of_the_future() {
    check("p0 1-2 rx1 ax1", &["future-read"], &["read-committed"]);
}

/// A read that finds something else than the one before depends on others as that one does.
#[test]
fn unrepeatable_reads_are_reads_of_others() {
    let both = ["read-atomic", "consistent-view"];
    check("p0 1-2 ax1\n p1 1-9 rx_ rx1", &["internal", "G-single"], &both);
    let back = ["internal", "G-monotonic", "G-single"];
    check("p0 1-2 ax1\n p1 1-9 rx1 rx_", &back, &["monotonic-view", "read-atomic"]);
    let circle = "p0 1-9 ax1 ry5\n p1 1-9 rx_ rx1 ay5";
    check(circle, &["internal", "G1c", "G-single"], &["read-committed"]);
    // The update was made from what was read last.
    let update = "p0 1-2 ax1\n p1 1-9 rx_ rx1 ax2\n p2 10-11 rx12";
    let verdict = check(update, &["internal", "G-single"], &both);
    let kept = serde_json::json!(["cursor-stability", "monotonic-view"]);
    assert_eq!(verdict.facts["levels_kept"], kept);
    // What a transaction missed of its own does not hide what it read of others.
    check(
        "p0 1-x2 ax1\n p1 1-9 ax2 rx1\n p2 10-11 rx12",
        &["dirty-update", "G1a", "internal"],
        &["read-committed"],
    );
}

#[test]
fn nobody_may_read_what_nobody_appended() {
    let verdict = check("p0 1-2 ax1\n p1 3-4 rx19", &["garbage-read"], &["read-committed"]);
    assert_eq!(verdict.facts["levels_kept"], serde_json::json!([]), "the key has no order");
}

#[test]
fn an_element_is_in_a_list_once() {
    check("p0 1-2 ax1\n p1 3-4 rx11", &["duplicate-elements"], &["read-uncommitted"]);
}

#[test]
fn reads_of_one_key_have_one_order() {
    let drawing = "p0 1-2 ax1\n p1 1-2 ax2\n p2 3-4 rx12\n p3 3-4 rx21";
    check(drawing, &["incompatible-order"], &["read-committed"]);
}

#[test]
fn two_updates_of_one_state_lose_one() {
    let drawing = "p0 1-4 rx_ ax1\n p1 1-4 rx_ ax2\n p2 5-6 rx12";
    check(drawing, &["lost-update", "G-single"], &["cursor-stability"]);
}

#[test]
fn so_they_do_where_no_read_shows_them() {
    let drawing = "p0 1-4 rx_ ax1\n p1 1-4 rx_ ax2";
    check(drawing, &["lost-update", "G2-item"], &["cursor-stability"]);
}

#[test]
fn read_skew_is_g_single() {
    let drawing = "p0 1-6 rx_ ry1\n p1 2-4 ax1 ay1";
    let verdict =
        check(drawing, &["fractured-read", "G-single"], &["read-atomic", "consistent-view"]);
    assert_eq!(
        verdict.anomalies[0].message,
        "T0 (p0, 0.001–0.006 s) read [] of \"x\", and so did not see that T1 appended 1 to \"x\"; but \
         T0 read [1] of \"y\", whose 1 is T1's. This breaks read-atomic."
    );
    assert_eq!(
        verdict.anomalies[1].message,
        "T0 (p0, 0.001–0.006 s) and T1 (p1, 0.002–0.004 s) cannot be put in any order: T0 read [] of \
         \"x\", and so did not see that T1 appended 1 to \"x\"; T0 read [1] of \"y\", whose 1 is T1's. \
         This breaks consistent-view."
    );
}

#[test]
fn a_view_that_goes_back_is_g_monotonic() {
    let drawing = "p0 1-6 ry1 rx_\n p1 2-4 ax1 ay1";
    let broken = ["monotonic-view", "read-atomic"];
    let verdict = check(drawing, &["fractured-read", "G-monotonic", "G-single"], &broken);
    assert_eq!(
        verdict.anomalies[1].message,
        "T0 (p0, 0.001–0.006 s) read [] of \"x\", and so did not see that T1 appended 1 to \"x\"; but \
         before that T0 read [1] of \"y\", whose 1 is T1's. This breaks monotonic-view."
    );
    // The other way round it only goes on.
    let verdict = judge("p0 1-6 rx_ ry1\n p1 2-4 ax1 ay1");
    let kept = serde_json::json!(["cursor-stability", "monotonic-view"]);
    assert_eq!(verdict.facts["levels_kept"], kept);
}

#[test]
fn what_was_seen_of_another_is_missed_against_causality() {
    let drawing = "p0 1-2 ax1\n p1 3-4 rx1 ay1\n p2 1-6 rx_ ry1";
    let broken = ["causal", "consistent-view"];
    let verdict = check(drawing, &["causality-violation", "G-single"], &broken);
    assert_eq!(
        verdict.anomalies[0].message,
        "T1 (p2, 0.001–0.006 s) read [] of \"x\", and so did not see that T0 appended 1 to \"x\"; but \
         T1 read [1] of \"y\", whose 1 is T3's; T3 read [1] of \"x\", whose 1 is T0's. This breaks causal."
    );
    assert_eq!(
        verdict.facts["levels_kept"],
        serde_json::json!(["cursor-stability", "monotonic-view", "read-atomic"])
    );
}

#[test]
fn read_skew_through_a_blind_append_keeps_causality() {
    // p2 read what p1 wrote over p0's append, and p1 had seen nothing.
    let drawing = "p0 1-4 ax1 ay1\n p1 1-4 ay2\n p2 1-6 rx_ ry12\n p3 7-8 rx1";
    let verdict = check(drawing, &["G-single"], &["consistent-view"]);
    let kept = serde_json::json!(["cursor-stability", "monotonic-view", "causal"]);
    assert_eq!(verdict.facts["levels_kept"], kept);
}

#[test]
fn a_long_fork_has_anti_dependencies_apart() {
    let drawing = "p0 1-2 ax1\n p1 1-2 ay1\n p2 1-9 rx1 ry_\n p3 1-9 rx_ ry1";
    // And so neither snapshots in one order nor reads that can be repeated.
    let verdict = check(drawing, &["G-nonadjacent"], &["snapshot-isolation", "repeatable-read"]);
    assert_eq!(verdict.facts["levels_kept"], serde_json::json!(["parallel-snapshot-isolation"]));
    let message = &verdict.anomalies[0].message;
    assert!(message.ends_with(" This breaks snapshot-isolation and repeatable-read."), "{message}");
}

#[test]
fn write_skew_has_adjacent_anti_dependencies() {
    let drawing = "p0 1-4 rx_ ay1\n p1 1-4 ry_ ax1\n p2 5-6 rx1 ry1";
    let verdict = check(drawing, &["G2-item"], &["repeatable-read"]);
    assert_eq!(verdict.facts["levels_kept"], serde_json::json!(["strong-snapshot-isolation"]));
}

#[test]
fn a_session_that_forgets_is_broken_in_its_order_only() {
    // p1 read past what p0 had written, but neither in a way that real time forbids.
    let drawing = "p0 1-2 ax1\n p0 3-9 rx_\n p1 1-9 rx1";
    check(drawing, &["G-single-process"], &["strong-session-snapshot-isolation"]);
}

#[test]
fn a_stale_read_is_broken_in_real_time_only() {
    let drawing = "p0 1-2 ax1\n p1 3-4 rx_\n p2 5-6 rx1";
    let verdict = check(drawing, &["G-single-realtime"], &["strong-snapshot-isolation"]);
    assert_eq!(verdict.facts["levels_kept"], serde_json::json!(["strong-session-serializable"]));
}

#[test]
fn a_level_that_is_asked_for_is_judged_alone() {
    let history = draw("p0 1-4 rx_ ay1\n p1 1-4 ry_ ax1\n p2 5-6 rx1 ry1", true);
    let at = |level| ListAppend { level }.check(&history).validity;
    assert_eq!(at(Level::SnapshotIsolation), Validity::Valid);
    assert_eq!(at(Level::Serializable), Validity::Invalid);
    assert_eq!(at(Level::ReadCommitted), Validity::Valid);
}

/// Causal consistency has the order of the sessions in it where it is asked for, and there alone.
#[test]
fn causal_consistency_knows_sessions_where_it_is_asked_for() {
    let check = |drawing: &str, name: &str, message: &str| {
        let history = draw(drawing, true);
        let kept = &judge(drawing).facts["levels_kept"];
        assert!(kept.as_array().is_some_and(|it| !it.is_empty()), "{kept}");
        let verdict = ListAppend { level: Level::Causal }.check(&history);
        assert_eq!(verdict.anomalies.len(), 1, "{verdict:#?}");
        assert_eq!(verdict.anomalies[0].name, name);
        assert_eq!(verdict.anomalies[0].message, message);
        assert!(
            verdict.anomalies[0].details["svg"].as_str().is_some_and(|svg| svg.contains("<rect"))
        );
        assert_eq!(verdict.facts["levels_broken"], serde_json::json!(["causal"]));
    };
    check(
        "p0 1-2 ax1\n p0 3-9 rx_\n p1 1-9 rx1",
        "causality-violation",
        "p0 ran T0 before T3, where T0 (p0, 0.001–0.002 s) appended 1 to \"x\"; and yet T3 (p0, 0.003–0.009 s) read [] of \"x\".",
    );
    check(
        "p0 1-2 ax1\n p0 3-4 ay1\n p1 1-9 ry1\n p1 10-11 rx_",
        "causality-violation",
        "T6 saw T0 through T3 and T1, where T0 (p0, 0.001–0.002 s) appended 1 to \"x\"; and yet T6 (p1, 0.010–0.011 s) read [] of \"x\".",
    );
    check(
        "p0 1-2 ax1\n p0 3-4 ax2\n p1 5-6 rx21",
        "G0-process",
        "T0 (p0, 0.001–0.002 s) and T2 (p0, 0.003–0.004 s) cannot be put in any order: p0 ran T0 before T2; T0 appended 1 to \"x\", right after T2's.",
    );
    check(
        "p0 1-2 rx1\n p0 3-4 ax1",
        "G1c-process",
        "T0 (p0, 0.001–0.002 s) and T2 (p0, 0.003–0.004 s) cannot be put in any order: p0 ran T0 before T2; T0 read [1] of \"x\", whose 1 is T2's.",
    );
    check(
        "p0 1-2 ax1\n p1 3-4 rx1 ax2\n p1 5-6 rx1\n p2 7-8 rx12",
        "causality-violation",
        "p1 ran T2 before T4, where T2 (p1, 0.003–0.004 s) appended 2 to \"x\"; and yet T4 (p1, 0.005–0.006 s) read [1] of \"x\".",
    );
    let verdict =
        ListAppend { level: Level::Causal }.check(&draw("p0 1-2 rx_ ay1\n p1 1-2 ry_ ax1", true));
    assert_eq!(verdict.validity, Validity::Valid);
    assert_eq!(verdict.facts["levels_kept"], serde_json::json!(["causal"]));
}

#[test]
fn an_unknown_outcome_counts_once_it_was_read() {
    // p0's transaction was read by p1, so p2 must see it, too.
    check(
        "p0 1-? ax1 ay1\n p1 2-3 rx1\n p2 4-5 ry_",
        &["G-single-realtime"],
        &["strong-snapshot-isolation"],
    );
    check("p0 1-? ax1 ay1\n p2 4-5 ry_", &[], &[]);
}

#[test]
fn a_missing_append_came_after_all_that_was_read() {
    let drawing = "p0 1-2 ax1\n p1 3-4 rx1\n p2 1-2 ax2";
    check(drawing, &["G-single-realtime"], &["strong-snapshot-isolation"]);
}

/// What an answer says wrong is at the answer's event, and whoever is named is named once.
#[test]
fn sentences_point_at_what_is_wrong() {
    let objection = |answer: &str| {
        let text = format!(
            "{}\n{}\n",
            r#"{"index":0,"time":0,"process":0,"type":"invoke","f":"txn","value":[["append","x",1],["append","x",2]]}"#,
            format_args!(
                r#"{{"index":1,"time":9,"process":0,"type":"ok","f":"txn","value":{answer}}}"#
            ),
        );
        let history = tribunal_history::import::read_from(text.as_bytes(), None).expect("lines");
        ListAppend::default().check(&history.history).objection.expect("an objection")
    };
    assert_eq!(
        objection("null"),
        "event 1: the value of a txn must be a list of micro-operations, and this one is null"
    );
    assert_eq!(
        objection(r#"[["append","x",1]]"#),
        "event 1: 1 micro-operations were answered where 2 were called; an ok repeats all of them, with \
         what the reads found"
    );
    assert!(
        objection(r#"[["append","x",1],["w","x",2]]"#)
            .starts_with("event 1: [\"w\",\"x\",2] is no")
    );
    let verdict = judge("p0 1-2 ax1\n p1 1-2 ax2\n p2 3-4 rx12\n p3 3-4 rx21");
    assert_eq!(
        verdict.anomalies[0].message,
        "T5 (p3, 0.003–0.004 s) read [2,1] of \"x\", but T4 (p2, 0.003–0.004 s) read [1,2] of \"x\"; neither is \
         a beginning of the other, and a list only grows. This breaks read-committed."
    );
}

#[test]
fn what_is_no_transaction_is_named_and_located() {
    let objection = |drawing: &str| judge(drawing).objection.expect("an objection");
    assert_eq!(
        objection("p0 1-2 ax1\n p1 3-4 ax1"),
        "event 2 appends 1 again, as event 0 did, to key \"x\"; every element must be new to its \
         key, or nobody can tell who was read"
    );
    assert_eq!(
        objection("p0 1-2 wx1"),
        "event 0: [\"w\",\"x\",1] is no micro-operation here; there are [\"r\", key, [values] or \
         null] and [\"append\", key, value]"
    );
}

#[test]
fn a_cycle_is_drawn() {
    let verdict = judge("p0 1-4 rx_ ay1\n p1 1-4 ry_ ax1");
    let dot = verdict.anomalies[0].details["dot"].as_str().expect("a drawing");
    assert!(dot.starts_with("digraph {") && dot.contains("rw: T0 read [] of \\\"x\\\""), "{dot}");
    let svg = verdict.anomalies[0].details["svg"].as_str().expect("a picture");
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>"), "{svg}");
    // Two boxes, an arrow down to the second and one around to the first, on one background.
    assert_eq!((svg.matches("<rect").count(), svg.matches("<path").count()), (3, 4), "{svg}");
    let long: String = (1..=9).map(|at| format!(" ax{at}")).collect();
    let verdict = judge(&format!("p0 1-4 rx_ ay1 rz_{}\n p1 1-4 ry_ ax0", long.replace('x', "z")));
    let svg = verdict.anomalies[0].details["svg"].as_str().expect("a picture");
    assert!(svg.contains("[&quot;append&quot;,&quot;z&quot;,9]"), "it is cut: {svg}");
}

#[test]
fn every_example_shows_its_phenomenon() {
    for phenomenon in Phenomenon::all() {
        let verdict = judge(phenomenon.example());
        let found = verdict.anomalies.iter().any(|anomaly| anomaly.name == phenomenon.name());
        assert!(found, "{}: {verdict:#?}", phenomenon.name());
    }
}

/// Its transactions, and below them the steps of its cycle or what the checker says of it.
#[test]
fn every_example_is_drawn() {
    for phenomenon in Phenomenon::all() {
        let text = phenomenon.explanation();
        let drawn: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("    ")).collect();
        let transactions = phenomenon.example().lines().count();
        assert!(drawn[..transactions].iter().all(|line| line.starts_with('T')), "{text}");
        let said = &drawn[transactions..];
        let is_cycle = matches!(phenomenon, Phenomenon::Cycle(..));
        assert!(!said.is_empty() && drawn.len() >= 3, "{text}");
        assert_eq!(said.iter().all(|line| line.contains("--> T")), is_cycle, "{text}");
    }
    let mut shown = Phenomenon::named("G2-item").expect("there is one").explanation();
    shown.truncate(shown.find("\n\nOne transaction").expect("the legend"));
    let drawing = "    T0 (p0)  |--rx_ ay1--|\n    T1 (p1)  |--ry_ ax1--|\n\n    \
                   T0 --rw--> T1: T0 read [] of \"x\", and so did not see that T1 appended 1 to \"x\"\n    \
                   T1 --rw--> T0: T1 read [] of \"y\", and so did not see that T0 appended 1 to \"y\"";
    assert!(shown.ends_with(drawing), "{shown}");
}

#[test]
fn the_page_of_anomalies_is_the_one_of_the_docs() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/anomalies.md");
    let written = std::fs::read_to_string(docs).expect("docs/anomalies.md");
    assert!(
        written == tribunal_checkers::anomalies::page(),
        "write it anew: tribunal explain > docs/anomalies.md"
    );
}

/// A list that has what a transaction appended second without what it appended first, or before it, is
/// no version that ever was.
#[test]
fn elements_of_one_transaction_stay_in_order() {
    let with = |read: &str| format!("p0 1-2 ax1 ax2\n p1 3-4 ax3\n p2 5-6 {read}");
    let broken = ["read-committed"];
    check(&with("rx2"), &["incompatible-order"], &broken);
    check(&with("rx213"), &["incompatible-order"], &broken);
    check(&with("rx21"), &["incompatible-order", "G1b"], &broken);
    check(&with("rx1"), &["G1b", "G-single"], &broken);
    check(&with("rx123"), &[], &[]);
}

/// What was aborted and what was not may have appended the same element, one a retry of the other: then it is
/// the latter's.
#[test]
fn an_aborted_twin_counts_for_nothing() {
    check("p0 1-2 ax1\n p1 3-x4 ax1\n p2 5-6 rx1", &[], &[]);
    check("p0 1-x2 ax1\n p1 3-4 ax1\n p2 5-6 rx1", &[], &[]);
}

/// Whoever read all that was there before an aborted append is not to blame.
#[test]
fn a_read_before_an_aborted_append_is_no_g1a() {
    let drawing = "p0 1-2 ax1\n p1 3-x4 ax2\n p2 5-6 rx1\n p3 7-8 rx12";
    let verdict = check(drawing, &["G1a"], &["read-committed"]);
    assert_eq!(verdict.anomalies.len(), 1, "{verdict:#?}");
}

/// The same key of a step is another object under another key of the transaction.
#[test]
fn keys_of_transactions_tell_objects_apart() {
    let line = |process: u64, kind: &str, key: u64, step: &str| {
        format!(
            r#"{{"time":0,"process":{process},"type":"{kind}","f":"txn","key":{key},"value":[{step}]}}"#
        )
    };
    let call = |process, key, asked: &str, told: &str| {
        format!("{}\n{}\n", line(process, "invoke", key, asked), line(process, "ok", key, told))
    };
    let judge = |text: &str| {
        let history = tribunal_history::import::read_from(text.as_bytes(), None).expect("lines");
        ListAppend { level: Level::StrongSessionSerializable }.check(&history.history)
    };
    let append = r#"["append","x",1]"#;
    let [nothing, one] = [r#"["r","x",null]"#, r#"["r","x",[1]]"#];
    let apart = call(0, 3, append, append) + &call(1, 4, append, append);
    let healthy = apart.clone() + &call(1, 5, nothing, nothing) + &call(2, 3, nothing, one);
    let verdict = judge(&healthy);
    assert_eq!(verdict.validity, Validity::Valid, "{verdict:#?}");
    let wrong = apart + &call(0, 3, nothing, one) + &call(0, 3, nothing, nothing);
    let verdict = judge(&wrong);
    assert_eq!(verdict.validity, Validity::Invalid, "{verdict:#?}");
    assert!(verdict.anomalies[0].message.contains("of \"x\" (of 3)"), "{verdict:#?}");
    let twice = call(0, 3, append, append) + &call(1, 3, append, append);
    assert_eq!(
        judge(&twice).objection.as_deref(),
        Some(
            "event 2 appends 1 again, as event 0 did, to key \"x\" (of 3); every element must be new to \
             its key, or nobody can tell who was read"
        )
    );
}
