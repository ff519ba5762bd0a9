//! Faults as a history records them: the outer window in which one may have
//! acted, and the inner one in which it certainly did.

use serde_json::{Value, json};
use tribunal_history::{Event, Fault, History};

/// A history of these nemesis events: (time, value, error).
fn faults(events: &[(u64, Value, Option<&str>)]) -> Vec<Fault> {
    let event = |(time, value, error): &(u64, Value, Option<&str>)| {
        let event = json!({
            "time": time, "process": "nemesis", "type": "info", "f": "pause", "value": value, "error": error,
        });
        serde_json::from_value::<Event>(event).unwrap()
    };
    History::new(events.iter().map(event).collect()).unwrap().faults()
}

fn note(id: u64, stage: &str) -> Value {
    json!({ "id": id, "stage": stage, "nodes": ["n1"], "summary": "n1" })
}

#[test]
fn four_events_make_two_windows() {
    let seen = json!({ "id": 0, "stage": "injected", "nodes": ["n2"], "summary": "primaries: n2",
        "effect": { "observed": true, "evidence": ["n2: 9 of 9 threads stopped"] } });
    let found = faults(&[
        (10, note(0, "inject"), None),
        (12, seen, None),
        (20, note(0, "heal"), None),
        (23, note(0, "healed"), None),
    ]);
    let [fault] = &found[..] else { panic!("{found:?}") };
    assert_eq!(
        (fault.from, fault.injected, fault.heal, fault.until),
        (10, Some(12), Some(20), Some(23))
    );
    assert!(fault.effect.observed);
    assert!(fault.may_overlap(0, 10) && fault.may_overlap(23, 99));
    assert!(!fault.may_overlap(0, 9) && !fault.may_overlap(24, 99));
}

#[test]
fn what_was_really_hit_replaces_what_was_planned() {
    let hit = json!({ "id": 0, "stage": "injected", "nodes": ["n2"], "summary": "primaries: n2",
        "plan": { "cuts": { "n2": ["n1"] } } });
    let found = faults(&[(1, note(0, "inject"), None), (2, hit, None), (3, note(0, "heal"), None)]);
    assert_eq!(&*found[0].nodes[0], "n2");
    assert_eq!(found[0].plan["cuts"], json!({ "n2": ["n1"] }));
}

#[test]
fn a_fault_that_was_not_undone_may_act_for_ever() {
    let found = faults(&[
        (1, note(0, "inject"), None),
        (2, note(0, "injected"), None),
        (3, note(0, "heal"), None),
        (4, note(0, "healed"), Some("the node is gone")),
    ]);
    assert_eq!(found[0].until, None);
    assert_eq!(found[0].error.as_deref(), Some("the node is gone"));
    assert!(found[0].may_overlap(1_000_000, 2_000_000));
}

#[test]
fn a_fault_that_could_not_be_injected_has_no_inner_window() {
    let found = faults(&[(1, note(0, "inject"), None), (2, note(0, "injected"), Some("refused"))]);
    assert_eq!(found[0].injected, None);
    assert!(!found[0].effect.observed);
}

#[test]
fn faults_are_told_apart_and_strangers_passed_over() {
    let found = faults(&[
        (1, note(0, "inject"), None),
        (2, json!("start"), None),
        (3, note(1, "inject"), None),
        (4, note(0, "heal"), None),
    ]);
    assert_eq!(found.iter().map(|fault| fault.id).collect::<Vec<_>>(), [0, 1]);
}
