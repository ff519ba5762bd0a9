//! Liveness: who is accused, and above all who is not.

mod script;

use script::Script;
use serde_json::{Value, json};
use tribunal_checkers::liveness::{BY_CLIENT, Promise, REACHED, Reached};
use tribunal_checkers::{Checker, Liveness, Validity, Verdict};
use tribunal_history::{Call, Event, History, Kind, Process};

const BOUND_MS: u64 = 5_000;

fn judge(history: &History, promise: Promise) -> Verdict {
    Liveness { bound: BOUND_MS * 1_000_000, promise }.check(history)
}

/// The history with the run's word on which nodes could be reached.
fn with_reached(script: &mut Script, lost: &[&str]) -> History {
    let mut events: Vec<Event> = script.history().events().map(|event| event.to_event()).collect();
    let note = Reached {
        reached: ["n1", "n2", "n3"]
            .iter()
            .filter(|it| !lost.contains(it))
            .map(ToString::to_string)
            .collect(),
        lost: lost.iter().map(ToString::to_string).collect(),
    };
    let call = Call::new(REACHED).value(json!(note));
    let last = events.last().map_or(0, |event| event.time);
    events.push(Event::of(&call, last, Process::Nemesis, Kind::Info));
    for (index, event) in events.iter_mut().enumerate() {
        event.index = index as u64;
    }
    History::new(events).unwrap()
}

/// Calls on every node, one every 200 ms a node, each a process of its own; `end` says how each ends.
fn calls(script: &mut Script, times: std::ops::Range<u64>, end: impl Fn(&str, u64) -> Value) {
    for at in times.step_by(200) {
        for (place, node) in ["n1", "n2", "n3"].into_iter().enumerate() {
            let process = 3 * at + place as u64;
            let mut call =
                json!({"p": process, "f": "read", "node": node, "key": (at / 200 % 4).to_string()});
            let end = end(node, at);
            let error = end.get("error").cloned();
            call.as_object_mut().unwrap().extend(end.as_object().unwrap().clone());
            script.call((at, at + 100), call);
            if let Some(error) = error {
                script.error_of_last(error);
            }
        }
    }
}

fn ok() -> Value {
    json!({"end": "ok", "value": 1})
}

fn silence() -> Value {
    json!({"end": "info", "error": "no answer within 1s"})
}

/// A cut from 10 s to 15 s, calls until 40 s, and `end` says how those after the cut end.
fn after_a_cut(end: impl Fn(&str, u64) -> Value) -> Script {
    let mut script = Script::new();
    calls(&mut script, 0..10_000, |_, _| ok());
    calls(&mut script, 10_000..15_000, |_, _| silence());
    calls(&mut script, 15_000..40_000, end);
    let plan = json!({"nodes": ["n3"], "summary": "{n3 | n1 n2}"});
    script.fault(0, "partition-one", [10_000, 10_050, 15_000, 15_050], plan);
    script
}

fn on(node: &'static str, its: Value) -> impl Fn(&str, u64) -> Value {
    move |there, _| if there == node { its.clone() } else { ok() }
}

#[test]
fn who_recovers_in_time_is_acquitted() {
    let slow = |there: &str, at: u64| if there == "n3" && at < 19_500 { silence() } else { ok() };
    let verdict = judge(&with_reached(&mut after_a_cut(slow), &[]), Promise::AfterFaults);
    assert_eq!(verdict.validity, Validity::Valid, "{verdict:#?}");
}

#[test]
fn a_node_that_never_serves_again_is_named() {
    let history = with_reached(&mut after_a_cut(on("n3", silence())), &[]);
    let verdict = judge(&history, Promise::AfterFaults);
    assert_eq!(verdict.validity, Validity::Invalid);
    let [anomaly] = &verdict.anomalies[..] else { panic!("{verdict:#?}") };
    assert_eq!((anomaly.name.as_str(), &anomaly.details["node"]), ("not-live", &json!("n3")));
    assert_eq!(
        anomaly.message,
        "n3 acknowledged no call from 15.050 s to 39.900 s (24.9 s), since the last fault was undone, \
         although the database recovers within 5.0 s by its own word: 99 calls of 99 processes that \
         were made after that time had no answer (no answer within 1s) (before, it had acknowledged \
         50); that is how the run ended"
    );
    assert_eq!(anomaly.details["promised_from_ns"], 15_050_000_000_u64);
}

#[test]
fn one_that_recovers_too_late_is_named_with_how_long_it_took() {
    let late = |there: &str, at: u64| if there == "n2" && at < 25_000 { silence() } else { ok() };
    let verdict = judge(&with_reached(&mut after_a_cut(late), &[]), Promise::AfterFaults);
    let [anomaly] = &verdict.anomalies[..] else { panic!("{verdict:#?}") };
    assert!(anomaly.message.contains("from 15.050 s to 25.100 s (10.1 s)"), "{}", anomaly.message);
    assert!(anomaly.message.ends_with("then it served again"), "{}", anomaly.message);
}

#[test]
fn one_that_falls_silent_again_without_a_fault_is_named() {
    let gap = |there: &str, at: u64| {
        if there == "n1" && (20_000..32_000).contains(&at) { silence() } else { ok() }
    };
    let verdict = judge(&with_reached(&mut after_a_cut(gap), &[]), Promise::AfterFaults);
    let [anomaly] = &verdict.anomalies[..] else { panic!("{verdict:#?}") };
    assert!(anomaly.message.contains("with no fault since 15.050 s"), "{}", anomaly.message);
}

#[test]
fn nobody_is_accused_of_what_may_have_been_otherwise() {
    let answers = json!({"end": "fail", "error": "the lock is held by another"});
    let client =
        json!({"end": "info", "error": "the client program exited; its log is worker-1.log"});
    let judged = |script: &mut Script, lost: &[&str]| {
        let verdict = judge(&with_reached(script, lost), Promise::AfterFaults);
        assert!(verdict.anomalies.is_empty(), "{verdict:#?}");
        verdict
    };
    // By their words alone nobody would have answered these.
    let marked =
        |end: &str, error: &str| json!({"end": end, "error": error, "ext": {(BY_CLIENT): true}});
    let crashed = marked("info", "Broken pipe (os error 32)");
    let mute = marked("fail", "cannot start the client of n3: no answer within 30s");
    // It declined: that is an answer. It was the client, or may have been. Too little was tried.
    let cases = [
        (answers, "reasons of their own"),
        (client, "client's doing"),
        (crashed, "client's doing"),
        (mute, "client's doing"),
    ];
    for (its, why) in cases {
        let verdict = judged(&mut after_a_cut(on("n3", its)), &[]);
        assert_eq!(verdict.validity, Validity::Unknown);
        assert!(verdict.unknowns[0].contains(why), "{:?}", verdict.unknowns);
    }
    let mut script = Script::new();
    calls(&mut script, 0..10_000, |_, _| ok());
    calls(&mut script, 15_000..20_200, |_, _| silence());
    script.fault(0, "pause", [10_000, 10_050, 15_000, 15_050], json!({"nodes": ["n3"]}));
    let verdict = judged(&mut script, &[]);
    assert!(verdict.unknowns[0].contains("too few calls were made"), "{:?}", verdict.unknowns);
    // The node is gone: not the database's doing.
    judged(&mut after_a_cut(on("n3", silence())), &["n3"]);
}

#[test]
fn one_that_never_served_is_not_accused_of_falling_silent() {
    let mut script = Script::new();
    calls(&mut script, 0..40_000, on("n3", silence()));
    script.fault(0, "pause", [10_000, 10_050, 15_000, 15_050], json!({"nodes": ["n2"]}));
    let verdict = judge(&with_reached(&mut script, &[]), Promise::AfterFaults);
    assert_eq!(verdict.validity, Validity::Unknown);
    assert_eq!(
        verdict.unknowns,
        ["liveness was not judged on n3: it answered no call before the first fault either"]
    );
}

#[test]
fn nothing_is_judged_while_a_fault_may_still_act() {
    let mut script = Script::new();
    calls(&mut script, 0..40_000, |_, at| if at < 10_000 { ok() } else { silence() });
    let fault = json!({"nodes": ["n3"]});
    script.note(0, "pause", 10_000, tribunal_history::Stage::Inject, &fault);
    let verdict = judge(&with_reached(&mut script, &[]), Promise::AfterFaults);
    assert_eq!((verdict.validity, verdict.anomalies.len()), (Validity::Unknown, 0));
    let unknown = judge(&after_a_cut(|_, _| silence()).history(), Promise::AfterFaults);
    assert_eq!((unknown.validity, unknown.anomalies.len()), (Validity::Unknown, 0));
}

#[test]
fn a_key_that_no_node_serves_is_named_though_the_nodes_serve_others() {
    let stuck = |_: &str, at: u64| if at / 200 % 4 == 2 { silence() } else { ok() };
    let verdict = judge(&with_reached(&mut after_a_cut(stuck), &[]), Promise::AfterFaults);
    let [anomaly] = &verdict.anomalies[..] else { panic!("{verdict:#?}") };
    assert_eq!(anomaly.key, Some(json!("2")));
    assert!(
        anomaly.message.starts_with("no call on key \"2\" was acknowledged from "),
        "{}",
        anomaly.message
    );
    assert!(anomaly.message.contains("n1, n2 and n3 served other keys"), "{}", anomaly.message);
}

/// n3 is dead from 10 s to 35 s; the others must serve all along, where the system is synchronous.
fn dead(end: impl Fn(&str, u64) -> Value) -> History {
    let mut script = Script::new();
    calls(&mut script, 0..50_000, |node, at| match (node, at) {
        ("n3", 10_000..36_000) => silence(),
        _ => end(node, at),
    });
    script.fault(0, "kill", [10_000, 10_050, 35_000, 35_050], json!({"nodes": ["n3"]}));
    with_reached(&mut script, &[])
}

#[test]
fn in_a_synchronous_system_the_others_serve_on() {
    let fine = judge(&dead(|_, _| ok()), Promise::Always);
    assert_eq!(fine.validity, Validity::Valid, "{fine:#?}");
    let gap = |node: &str, at: u64| {
        if node == "n1" && (12_000..30_000).contains(&at) { silence() } else { ok() }
    };
    assert_eq!(judge(&dead(gap), Promise::AfterFaults).validity, Validity::Valid);
    let verdict = judge(&dead(gap), Promise::Always);
    let [anomaly] = &verdict.anomalies[..] else { panic!("{verdict:#?}") };
    assert_eq!(anomaly.details["node"], "n1");
}

#[test]
fn who_is_dead_for_good_owes_nothing() {
    let mut script = Script::new();
    calls(
        &mut script,
        0..40_000,
        |node, at| if node == "n3" && at >= 10_000 { silence() } else { ok() },
    );
    let plan = json!({"nodes": ["n3"], "plan": {"stays_dead": true}});
    script.fault(0, "kill", [10_000, 10_050, 15_000, 15_050], plan);
    for promise in [Promise::AfterFaults, Promise::Always] {
        let verdict = judge(&with_reached(&mut script, &[]), promise);
        assert_eq!(verdict.validity, Validity::Valid, "{verdict:#?}");
    }
}
