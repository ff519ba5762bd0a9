//! What never arrived, by hand: each sentence, and who is owed nothing.

mod script;

use script::Script;
use serde_json::json;
use tribunal_checkers::{Checker, Unseen, Validity, Verdict};

/// Calls in the words of [`Script::call`], one after the other.
fn judge(by_each: bool, calls: &[serde_json::Value]) -> Verdict {
    let mut script = Script::new();
    for (at, call) in (1..).zip(calls) {
        script.call((100 * at, 100 * at + 50), call.clone());
    }
    Unseen { by_each }.check(&script.history())
}

#[track_caller]
fn told(verdict: &Verdict, anomalies: &[(&str, &str)]) {
    let found: Vec<_> =
        verdict.anomalies.iter().map(|it| (it.name.as_str(), it.message.as_str())).collect();
    assert_eq!(found, anomalies);
    assert_eq!(verdict.validity, Validity::Invalid);
}

#[track_caller]
fn doubted(verdict: &Verdict, why: &str) {
    assert_eq!((verdict.validity, &*verdict.unknowns), (Validity::Unknown, &[why.to_owned()][..]));
}

#[test]
fn what_nobody_saw() {
    let verdict = judge(
        false,
        &[
            json!({"p": 0, "f": "append", "arg": 7, "value": 0}),
            json!({"p": 0, "f": "append", "arg": 8, "value": 1}),
            json!({"p": 1, "f": "poll", "value": [[1, 8]]}),
            json!({"p": 2, "f": "poll", "value": [], "final": true}),
            json!({"p": 0, "f": "append", "arg": 9, "value": 2}),
        ],
    );
    told(
        &verdict,
        &[(
            "never-seen",
            "7 was acknowledged at 0.150 s by p0's append, and no consumer ever saw it, though \
             nothing came any more at p2's poll that returned []",
        )],
    );
}

#[test]
fn what_a_watcher_missed_is_told_once() {
    let end = json!({"p": 1, "f": "watch", "value": [], "final": true});
    let verdict = judge(
        true,
        &[
            json!({"p": 0, "f": "write", "arg": 7, "value": 1}),
            json!({"p": 2, "f": "watch", "value": [[1, 7]]}),
            end.clone(),
            end.clone(),
            end,
        ],
    );
    told(
        &verdict,
        &[(
            "missed-change",
            "7 was acknowledged at 0.150 s by p0's write, and p1 never saw it, though nothing came \
             any more at p1's watch that returned []",
        )],
    );
    assert_eq!(verdict.facts["consumers_to_the_end"], 1);
}

#[test]
fn a_consumer_that_lost_its_place_is_owed_nothing() {
    let lost = [
        json!({"p": 1, "f": "poll", "end": "info"}),
        json!({"p": 1, "f": "seek", "arg": 1}),
        json!({"p": 1, "f": "subscribe", "end": "info"}),
    ];
    for (lost, by_each) in lost.into_iter().flat_map(|lost| [(lost.clone(), false), (lost, true)]) {
        let mut calls = vec![
            json!({"p": 0, "f": "append", "arg": 7, "value": 0}),
            lost,
            json!({"p": 1, "f": "poll", "value": [], "final": true}),
        ];
        doubted(
            &judge(by_each, &calls),
            "no consumer polled to the end: whether something never arrived is not known; mark the \
             last polls as final",
        );
        // Whoever came to the end before still did.
        calls.swap(1, 2);
        assert_eq!(judge(by_each, &calls).validity, Validity::Invalid);
        // What certainly did not happen takes nobody anywhere.
        calls.swap(1, 2);
        calls[1]["end"] = "fail".into();
        assert_eq!(judge(by_each, &calls).validity, Validity::Invalid);
    }
}

#[test]
fn every_object_has_an_end() {
    let verdict = judge(
        false,
        &[
            json!({"p": 0, "f": "append", "key": "a", "arg": 7, "value": 0}),
            json!({"p": 0, "f": "append", "key": "b", "arg": 8, "value": 0}),
            json!({"p": 1, "f": "poll", "key": "a", "value": [[0, 7]]}),
            json!({"p": 1, "f": "poll", "key": "a", "value": [], "final": true}),
        ],
    );
    doubted(
        &verdict,
        "no consumer polled to the end of 1 of 2 objects: whether something never arrived is not \
         known; mark the last polls as final",
    );
}

#[test]
fn answers_that_no_poll_gives() {
    let append = json!({"p": 0, "f": "append", "arg": 7, "value": 0});
    let end = json!({"p": 1, "f": "poll", "value": null, "final": true});
    for answer in [json!([7]), json!([[0, 7, 1]]), json!(7)] {
        let poll = json!({"p": 1, "f": "poll", "value": answer});
        let verdict = judge(false, &[append.clone(), poll, end.clone()]);
        assert_eq!(verdict.validity, Validity::Unknown);
        let objection =
            format!("event 2: a poll must answer [[offset, value], …], and this one did {answer}");
        assert_eq!(verdict.objection, Some(objection));
    }
}

#[test]
fn only_a_last_poll_is_an_end() {
    let append = json!({"p": 0, "f": "append", "arg": 7, "value": 0});
    let mut script = Script::new();
    script.call((100, 150), append);
    script.call((200, 250), json!({"p": 1, "f": "poll", "value": []}));
    assert_eq!(Unseen::default().check(&script.history()).validity, Validity::Unknown);
}
