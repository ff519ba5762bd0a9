//! Any well-formed history has a report, however strange: a page is also asked
//! for when everything else has gone wrong.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use tribunal_checkers::{Anomaly, Validity, Verdict};
use tribunal_harness::{report, store::RunRecord};
use tribunal_history::{Call, Event, History, Kind, Process};

/// What may happen next: a step of time, who, which kind, which words.
type Step = (u64, u64, u8, u8);

/// A well-formed history from any steps: what would not be well formed is left out.
fn history(steps: &[Step]) -> History {
    let (mut events, mut open, mut time) = (Vec::new(), Map::new(), 0_u64);
    for &(gap, process, kind, word) in steps {
        time = time.saturating_add(gap);
        if process == 0 {
            events.push(Event::of(&nemesis(kind, word), time, Process::Nemesis, Kind::Info));
            continue;
        }
        let who = process.to_string();
        let (kind, word) = match open.remove(&who).and_then(|word| word.as_u64()) {
            Some(word) => ([Kind::Ok, Kind::Fail, Kind::Info][usize::from(kind) % 3], word as u8),
            None => {
                open.insert(who, json!(word));
                (Kind::Invoke, word)
            }
        };
        let mut event = Event::of(&call(word), time, Process::Client(process), kind);
        event.node = (word % 3 > 0).then(|| format!("n{}", word % 3).into());
        event.error = [Value::Null, json!("timed out"), json!({ "code": word })]
            [usize::from(word) % 3]
            .clone();
        events.push(event);
    }
    History::new(events).expect("only well-formed steps were kept")
}

fn call(word: u8) -> Call {
    let value = [
        Value::Null,
        json!(word),
        json!([["r", word, null]]),
        json!("\u{0}<é🦀>"),
        json!({ "a": [] }),
    ];
    let call = Call::new(["read", "write", ""][usize::from(word) % 3])
        .value(value[usize::from(word) % 5].clone());
    if word.is_multiple_of(2) {
        call.key(value[usize::from(word) % 4].clone())
    } else {
        call.mark("swapped", false)
    }
}

/// Notes in any order, and what is no note.
fn nemesis(kind: u8, word: u8) -> Call {
    let stage = ["inject", "injected", "heal", "healed", "none of these"][usize::from(kind) % 5];
    let nodes = ["n1", "n2"].map(Value::from);
    let effect = json!({ "observed": word.is_multiple_of(2), "evidence": ["seen"] });
    Call::new("pause").value(json!({ "id": word % 4, "stage": stage, "nodes": nodes, "summary": "n1", "effect": effect }))
}

fn verdict(windows: &[(u64, u64, u8)]) -> Verdict {
    let anomaly = |&(from, until, word): &(u64, u64, u8)| Anomaly {
        name: "lost-write".into(),
        message: "it is lost".into(),
        key: call(word).key,
        ops: (0..u64::from(word)).map(|op| op * 3).collect(),
        window: (word % 3 > 0).then_some((from, until)),
        ..Anomaly::default()
    };
    let mut verdict = Verdict::of(windows.iter().map(anomaly).collect());
    if windows.len() % 3 == 2 {
        verdict.validity =
            [Validity::Valid, Validity::Unknown, Validity::Invalid][windows.len() / 3 % 3];
    }
    verdict
}

proptest! {
    #[test]
    fn every_history_has_a_page_and_a_summary(
        steps in prop::collection::vec((prop_oneof![0..3_u64, 0..u64::MAX / 20], 0..6_u64, any::<u8>(), any::<u8>()), 0..60),
        windows in prop::collection::vec((any::<u64>(), any::<u64>(), any::<u8>()), 0..7),
    ) {
        let (run, history, verdict) = (RunRecord::default(), history(&steps), verdict(&windows));
        let page = report::render(&run, &history, &verdict, &[]);
        prop_assert!(page.trim_end().ends_with("</html>"));
        let summary = report::summary(&run, &history, &verdict);
        prop_assert!(summary.lines().all(|line| line.chars().count() <= 100), "{}", summary);
    }
}
