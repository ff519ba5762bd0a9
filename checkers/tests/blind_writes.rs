//! Registers that are written blindly, drawn: what no certainty convicts and no guess acquits.

mod elle;

use elle::draw;
use serde_json::json;
use tribunal_checkers::transactions::{Level, RwRegister};
use tribunal_checkers::{Checker, Validity, Verdict};

/// Whoever writes both keys first, so that nobody finds nothing.
const FIRST: &str = "p0 1-2 wx1 wy1\n";

/// The name of what was found, and the levels that are broken and kept.
#[track_caller]
fn check(drawing: &str, phenomena: &[&str], broken: &[&str], kept: &[&str]) -> Verdict {
    let verdict = RwRegister::default().check(&draw(drawing, false));
    let names: Vec<&str> = verdict.anomalies.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, phenomena, "{verdict:#?}");
    assert_eq!(verdict.facts["levels_broken"], json!(broken), "{verdict:#?}");
    assert_eq!(verdict.facts["levels_kept"], json!(kept), "{verdict:#?}");
    verdict
}

#[test]
fn write_skew_has_a_cycle_in_every_order_of_its_writes() {
    let drawing = FIRST.to_owned() + "p1 3-9 rx1 wy2\n p2 3-9 ry1 wx2";
    let kept = ["strong-snapshot-isolation"];
    let verdict = check(&drawing, &["G2-item"], &["repeatable-read"], &kept);
    let ways = verdict.anomalies[0].details["ways"].as_array().expect("a list");
    let names: Vec<&str> = ways.iter().map(|way| way["name"].as_str().expect("a name")).collect();
    assert_eq!(names, ["G1c", "G1c", "G2-item"]);
    assert_eq!(ways[2]["orders"], json!(["T0 wrote \"y\" before T2", "T0 wrote \"x\" before T3"]));
    assert_eq!(
        ways[2]["cycle"][0]["why"],
        "T3 read 1 of \"y\", which was there before T2 wrote 2 to \"y\""
    );
    let message = &verdict.anomalies[0].message;
    assert!(message.contains("cannot be put in any order, whichever blind write"), "{message}");
}

/// What breaks read committed in every order that loses no update breaks it not in one that does.
#[test]
fn an_order_that_loses_an_update_keeps_read_committed() {
    let drawing = "p0 1-9 rx3 ry3 wy1 wx1\n p2 1-9 wx2 wy3\n p3 1-9 wx3 wy4";
    let verdict = check(drawing, &["G-single"], &["consistent-view"], &["read-committed"]);
    assert!(verdict.anomalies[0].message.ends_with("This breaks consistent-view."));
}

#[test]
fn a_long_fork_has_a_cycle_in_every_order_of_its_writes() {
    let forks = "p1 3-9 wx2\n p2 3-9 wy2\n p3 3-9 rx2 ry1\n p4 3-9 rx1 ry2";
    let drawing = FIRST.to_owned() + forks;
    let broken = ["snapshot-isolation", "repeatable-read"];
    check(&drawing, &["G-nonadjacent"], &broken, &["causal"]);
}

/// What keeps read committed keeps read uncommitted, which nothing else tells of where writes are blind.
#[test]
fn a_weak_level_is_kept_where_a_stronger_one_is() {
    let history = draw("p0 1-6 rx_ wx1\n p1 2-4 rx_ wx2", false);
    for level in [Level::ReadUncommitted, Level::ReadCommitted, Level::ReadAtomic, Level::Causal] {
        let verdict = RwRegister { level }.check(&history);
        assert_eq!(verdict.validity, Validity::Valid, "{level}: {verdict:#?}");
    }
    let kept = &RwRegister::default().check(&history).facts["levels_kept"];
    assert_eq!(*kept, json!(["causal"]));
}

/// The weak levels have sessions in them, where they are asked for.
#[test]
fn weak_levels_say_what_they_keep_and_break() {
    let history = draw("p0 1-2 rx1\n p0 3-4 wx1", false);
    let facts = |level, fact: &str| RwRegister { level }.check(&history).facts[fact].clone();
    assert_eq!(facts(Level::Serializable, "levels_kept"), json!(["serializable"]));
    assert_eq!(facts(Level::Causal, "levels_kept"), json!([]));
    assert_eq!(facts(Level::Causal, "levels_broken"), json!(["read-committed"]));
    let verdict = RwRegister { level: Level::Causal }.check(&history);
    assert_eq!(verdict.anomalies[0].details["weakest_level_broken"], "read-committed");
    let history = draw("p0 1-2 wx1\n p1 3-4 rx1", false);
    let verdict = RwRegister { level: Level::Causal }.check(&history);
    assert_eq!(verdict.facts["levels_kept"], json!(["causal"]));
}

#[test]
fn a_stale_read_breaks_real_time_alone() {
    let drawing = "p0 1-2 wx1\n p0 3-4 wx2\n p1 5-6 rx1";
    let kept = ["strong-session-serializable"];
    check(drawing, &["G-single-realtime"], &["strong-snapshot-isolation"], &kept);
}

#[test]
fn a_stale_read_in_the_writers_own_session_breaks_sessions() {
    let drawing = "p0 1-2 wx1\n p0 3-4 wx2\n p0 5-6 rx1";
    let (broken, kept) = (["strong-session-snapshot-isolation"], ["serializable"]);
    check(drawing, &["G-single-process"], &broken, &kept);
}

#[test]
fn a_crashed_write_counts_if_it_was_read() {
    let skew = "p1 3-? wy2\n p2 3-9 ry1 wx2\n";
    let drawing = FIRST.to_owned() + skew;
    check(&drawing, &[], &[], &["strict-serializable"]);
    // Read, it happened, but nobody knows when, or what it read.
    check(&(drawing + "p3 10-11 ry2 rx2"), &[], &[], &["strict-serializable"]);
}

#[test]
fn repeatable_read_is_asked_for_itself() {
    let drawing = FIRST.to_owned() + "p1 3-9 rx1 wy2\n p2 3-9 ry1 wx2";
    let history = draw(&drawing, false);
    let at = |level| RwRegister { level }.check(&history).validity;
    assert_eq!(at(Level::RepeatableRead), Validity::Invalid);
    assert_eq!(at(Level::SnapshotIsolation), Validity::Valid);
    assert_eq!(at(Level::ConsistentView), Validity::Valid);
}

#[test]
fn a_level_between_is_open_where_snapshots_are_broken() {
    let forks = "p1 3-9 wx2\n p2 3-9 wy2\n p3 3-9 rx2 ry1\n p4 3-9 rx1 ry2";
    let history = draw(&(FIRST.to_owned() + forks), false);
    let verdict = RwRegister { level: Level::ConsistentView }.check(&history);
    assert_eq!(verdict.validity, Validity::Unknown);
    assert!(verdict.unknowns[0].contains("is told only from levels that are stronger"));
}

/// A write that was aborted may be tried again by another transaction: then it is that one's.
#[test]
fn an_aborted_twin_counts_for_nothing() {
    let judge = |drawing: &str| RwRegister::default().check(&draw(drawing, false));
    assert_eq!(judge("p0 1-x2 wx1\n p1 3-4 wx1\n p2 5-6 rx1").validity, Validity::Valid);
    assert_eq!(judge("p0 1-2 wx1\n p1 3-x4 wx1\n p2 5-6 rx1").validity, Validity::Valid);
    assert_eq!(judge("p0 1-x2 wx1\n p1 3-x4 wx1\n p2 5-6 rx1").anomalies[0].name, "G1a");
    let twice = |drawing: &str| judge(drawing).objection.expect("an objection");
    let end = "; every value must be new to its key, or nobody can tell who was read";
    let again = "event 2 writes 1 to \"x\", as event 0 did".to_owned() + end;
    assert_eq!(twice("p0 1-2 wx1\n p1 3-4 wx1"), again);
    assert_eq!(twice("p0 1-2 wx1 wx1"), "event 0 writes 1 to \"x\" twice".to_owned() + end);
}
