//! The demands on a run, and its numbers.

mod script;

use script::Script;
use serde_json::{Value, json};
use tribunal_checkers::{Checker, Evidence, Statistics, Validity};
use tribunal_history::Stage;

fn reads(script: &mut Script, count: u64, end: &str) {
    for at in 0..count {
        let call = json!({"p": at, "f": "read", "node": "n1", "value": 1, "end": end});
        script.call((10 * at, 10 * at + 1 + at), call);
    }
}

fn demand(reads: u64) -> Evidence {
    Evidence { required: vec![("read".to_owned(), reads)], ..Evidence::default() }
}

#[test]
fn too_few_calls_are_named_with_their_number() {
    let mut script = Script::new();
    reads(&mut script, 4, "ok");
    assert_eq!(demand(4).check(&script.history()).validity, Validity::Valid);
    let verdict = demand(5).check(&script.history());
    assert_eq!(verdict.validity, Validity::Unknown);
    assert_eq!(verdict.unknowns, ["too few calls of read were acknowledged: 4 of the 5 needed"]);
    assert_eq!(verdict.facts["nothing_tested"], false);
}

#[test]
fn a_database_that_hardly_answers_is_a_doubt() {
    let verdict = |unanswered: u64| {
        let mut script = Script::new();
        reads(&mut script, 10, "ok");
        for at in 0..unanswered {
            script.call((900 + at, 2_000), json!({"p": 100 + at, "f": "read", "end": "info"}));
        }
        demand(10).check(&script.history())
    };
    assert_eq!(verdict(90).validity, Validity::Valid);
    let doubt = "too few calls of read were acknowledged: 10 of the 101 made";
    assert_eq!(verdict(91).unknowns, [doubt]);
}

#[test]
fn a_run_without_an_acknowledged_call_tested_nothing() {
    for end in ["fail", "info", "open"] {
        let mut script = Script::new();
        reads(&mut script, 4, end);
        let verdict = Evidence::default().check(&script.history());
        assert_eq!(verdict.validity, Validity::Unknown);
        assert_eq!(verdict.facts["nothing_tested"], true);
        assert_eq!(verdict.unknowns, ["nothing was tested: not one call was acknowledged"]);
    }
}

fn pause(observed: bool) -> Value {
    json!({"nodes": ["n1"], "summary": "n1", "observed": observed})
}

/// Doubts about a run with enough calls and these faults.
fn doubts(faults: impl Fn(&mut Script)) -> (Vec<String>, Value) {
    let mut script = Script::new();
    reads(&mut script, 4, "ok");
    faults(&mut script);
    let verdict = demand(4).check(&script.history());
    assert_eq!(verdict.validity == Validity::Valid, verdict.unknowns.is_empty());
    (verdict.unknowns, verdict.facts["faults"].clone())
}

#[test]
fn faults_that_acted_and_were_undone_are_counted() {
    let (doubts, facts) = doubts(|script| {
        script.fault(0, "pause", [10, 20, 30, 40], pause(true));
        script.fault(1, "pause", [50, 60, 70, 80], pause(true));
    });
    assert_eq!(doubts, [""; 0]);
    assert_eq!(facts, json!({"pause": {"begun": 2, "observed": 2, "healed": 2}}));
}

#[test]
fn a_fault_that_was_not_seen_to_act_is_named() {
    let (doubts, _) = doubts(|script| {
        script.fault(3, "pause", [10, 20, 30, 40], pause(false));
    });
    assert_eq!(doubts, ["pause n1 (fault 3, begun at 0.010 s) was not seen to take effect"]);
}

#[test]
fn a_fault_that_failed_is_named_with_its_error() {
    let (doubts, _) = doubts(|script| {
        script.note(3, "pause", 10, Stage::Inject, &pause(true));
        let failed = json!({"nodes": ["n1"], "observed": false, "error": "n1: no such process"});
        script.note(3, "pause", 20, Stage::Injected, &failed);
        script.note(3, "pause", 30, Stage::Heal, &pause(true));
        script.note(3, "pause", 40, Stage::Healed, &pause(true));
    });
    assert_eq!(doubts, ["pause n1 (fault 3, begun at 0.010 s) failed: n1: no such process"]);
}

#[test]
fn a_fault_that_was_never_undone_is_named() {
    let (doubts, _) = doubts(|script| {
        script.note(3, "pause", 10, Stage::Inject, &pause(true));
        script.note(3, "pause", 20, Stage::Injected, &pause(true));
    });
    assert_eq!(doubts, ["pause n1 (fault 3, begun at 0.010 s) was never seen to be undone"]);
}

#[test]
fn kinds_of_faults_may_be_demanded() {
    let mut script = Script::new();
    reads(&mut script, 4, "ok");
    script.fault(0, "pause", [10, 20, 30, 40], pause(true));
    let demand =
        |needed| Evidence { faults: vec![("pause".to_owned(), needed)], ..Evidence::default() };
    assert_eq!(demand(1).check(&script.history()).validity, Validity::Valid);
    let verdict = demand(2).check(&script.history());
    assert_eq!(verdict.unknowns, ["too few pause faults were seen to act: 1 of the 2 needed"]);
}

#[test]
fn what_speaks_against_the_run_is_a_doubt() {
    let mut script = Script::new();
    reads(&mut script, 4, "ok");
    let doubts = vec!["the run ended early: interrupted".to_owned()];
    let verdict = Evidence { doubts: doubts.clone(), ..demand(4) }.check(&script.history());
    assert_eq!((verdict.validity, verdict.unknowns), (Validity::Unknown, doubts));
}

#[test]
fn statistics_count_and_measure() {
    let mut script = Script::new();
    reads(&mut script, 4, "ok");
    script.call((500, 600), json!({"p": 50, "f": "write", "arg": 1, "node": "n2", "end": "fail"}));
    script.call((510, 1_000), json!({"p": 51, "f": "write", "arg": 2, "end": "info"}));
    script.call((520, 0), json!({"p": 52, "f": "write", "arg": 3, "node": "n2", "end": "open"}));
    let verdict = Statistics.check(&script.history());
    assert_eq!(verdict.validity, Validity::Valid);
    let facts = &verdict.facts;
    assert_eq!(facts["calls"], json!({"ok": 4, "fail": 1, "info": 2}));
    let ms = 1_000_000;
    let latency =
        json!({"p50": 2 * ms, "p90": 4 * ms, "p99": 4 * ms, "p999": 4 * ms, "max": 4 * ms});
    assert_eq!(
        facts["functions"],
        json!({
            "read": {"ok": 4, "fail": 0, "info": 0, "latency_ns": latency},
            "write": {"ok": 0, "fail": 1, "info": 2, "latency_ns": null},
        })
    );
    assert_eq!(facts["nodes"]["n1"], json!({"ok": 4, "fail": 0, "info": 0}));
    assert_eq!(facts["nodes"]["n2"], json!({"ok": 0, "fail": 1, "info": 1}));
    assert_eq!(facts["concurrency"], 3);
    assert_eq!(facts["duration_ns"], 1_000 * ms);
    assert_eq!(facts["ok_per_second"], 4.0);
}
