//! Logs by hand: each conflict's sentence, and what need not be there.

mod judged;
mod script;

use judged::{conflict, is_fine};
use script::Script;
use serde_json::{Value, json};
use tribunal_checkers::linearizability::log::Log;

/// Appends of 10, 11, 12, … at these offsets, one after the other; `None` without answer.
fn appended(offsets: &[Option<i64>]) -> Script {
    let mut script = Script::new();
    for (at, offset) in (0..).zip(offsets) {
        let end = if offset.is_some() { "ok" } else { "info" };
        let call = json!({"p": 1 + at, "f": "append", "arg": 10 + at, "value": offset, "end": end});
        script.call((100 * (1 + at), 100 * (1 + at) + 50), call);
    }
    script
}

fn poll(script: &mut Script, process: u64, times: (u64, u64), entries: Value) {
    script.call(times, json!({"p": process, "f": "poll", "value": entries}));
}

#[track_caller]
fn told(script: &mut Script, kind: &str, message: &str) {
    let found = conflict(&Log, &script.history());
    assert_eq!((found.kind, &*found.message), (kind, message));
}

#[test]
fn what_was_never_polled_past_is_not_missed() {
    let mut script = appended(&[Some(0), Some(1), Some(2)]);
    poll(&mut script, 9, (500, 510), json!([[0, 10], [1, 11]]));
    poll(&mut script, 9, (520, 530), json!([]));
    assert!(is_fine(&Log, &script.history()));
}

#[test]
fn a_lost_append() {
    let mut script = appended(&[Some(0), Some(1), Some(2)]);
    poll(&mut script, 9, (500, 510), json!([[0, 10], [2, 12]]));
    told(
        &mut script,
        "lost-append",
        "p9's poll at 0.510 s returned offsets from 0 to 2, without p2's append of 11 (at 0.250 s), \
         which was acknowledged at offset 1",
    );
    // Had it crashed, it might not be there.
    let mut script = appended(&[Some(0), None, Some(2)]);
    poll(&mut script, 9, (500, 510), json!([[0, 10], [2, 12]]));
    assert!(is_fine(&Log, &script.history()));
    // But somebody has seen it.
    poll(&mut script, 8, (400, 410), json!([[1, 11], [2, 12]]));
    told(
        &mut script,
        "skipped",
        "p9's poll at 0.510 s returned offsets from 0 to 2, without offset 1, where p8's poll at \
         0.410 s found an entry",
    );
}

#[test]
fn consumers_go_on_where_they_were() {
    let mut script = appended(&[Some(0), Some(1), Some(2)]);
    poll(&mut script, 9, (500, 510), json!([[0, 10]]));
    poll(&mut script, 9, (520, 530), json!([[2, 12]]));
    told(
        &mut script,
        "lost-append",
        "p9's poll at 0.530 s began at offset 2, where p9's poll at 0.510 s had ended at 0, without \
         p2's append of 11 (at 0.250 s), which was acknowledged at offset 1",
    );
    let rewound = |seek: bool| {
        let mut script = appended(&[Some(0), Some(1), Some(2)]);
        poll(&mut script, 9, (500, 510), json!([[1, 11], [2, 12]]));
        if seek {
            script.call((511, 512), json!({"p": 9, "f": "seek", "arg": 0}));
        }
        poll(&mut script, 9, (520, 530), json!([[0, 10]]));
        script
    };
    told(
        &mut rewound(false),
        "rewound",
        "p9's poll at 0.530 s went back to offset 0, though p9's poll at 0.510 s had come as far as 2",
    );
    assert!(is_fine(&Log, &rewound(true).history()));
    // A seek that nobody heard of took the consumer elsewhere once at the most.
    let mut script = appended(&[Some(0), Some(1)]);
    script.call((495, 496), json!({"p": 9, "f": "seek", "arg": 0, "end": "info"}));
    poll(&mut script, 9, (500, 510), json!([[0, 10]]));
    poll(&mut script, 9, (520, 530), json!([[0, 10]]));
    assert!(is_fine(&Log, &script.history()));
    poll(&mut script, 9, (540, 550), json!([[0, 10]]));
    assert_eq!(conflict(&Log, &script.history()).kind, "rewound");
}

#[test]
fn values_and_offsets_that_contradict_each_other() {
    told(
        &mut appended(&[Some(0), Some(0)]),
        "same-offset",
        "p1's append of 10 (at 0.150 s) and p2's append of 11 (at 0.250 s) were both acknowledged at \
         offset 0: one overwrote the other",
    );
    told(
        &mut appended(&[Some(1), Some(0)]),
        "out-of-order",
        "p1's append of 10 (at 0.150 s) was acknowledged at offset 1, before p2's append of 11 began \
         at 0.200 s, but that took effect at offset 0: offsets must follow the order of time",
    );
    let mut script = appended(&[Some(0), None]);
    poll(&mut script, 9, (500, 510), json!([[0, 11]]));
    told(
        &mut script,
        "diverged",
        "p9's poll at 0.510 s found 11 at offset 0, but p1's append of 10 (at 0.150 s) was \
         acknowledged there",
    );
    let mut script = appended(&[Some(0)]);
    poll(&mut script, 9, (500, 510), json!([[0, 10], [1, 10]]));
    told(
        &mut script,
        "duplicate",
        "p9's poll at 0.510 s found 10 at offset 1, but p9's poll at 0.510 s found it at another \
         offset, and it was not appended as often",
    );
    let mut script = appended(&[Some(0), Some(1)]);
    poll(&mut script, 9, (500, 510), json!([[1, 11], [0, 10]]));
    told(
        &mut script,
        "unsorted-poll",
        "p9's poll at 0.510 s returned its entries in another order than that of their offsets",
    );
}

#[test]
fn values_from_nowhere() {
    let mut script = appended(&[Some(0)]);
    script.call((200, 210), json!({"p": 7, "f": "append", "arg": 77, "end": "fail"}));
    poll(&mut script, 9, (500, 510), json!([[0, 10], [1, 77]]));
    told(
        &mut script,
        "aborted-append",
        "p9's poll at 0.510 s found 77 at offset 1, but p7's append of it had failed at 0.210 s",
    );
    let mut script = appended(&[Some(0)]);
    poll(&mut script, 9, (500, 510), json!([[1, 78]]));
    told(
        &mut script,
        "unappended",
        "p9's poll at 0.510 s found 78 at offset 1, but nobody ever appended it",
    );
    let mut script = appended(&[Some(0), Some(1)]);
    poll(&mut script, 9, (190, 195), json!([[0, 10], [1, 11]]));
    told(
        &mut script,
        "poll-from-the-future",
        "p9's poll at 0.195 s came as far as offset 1, before p2's append of 11 began at 0.200 s, but \
         that took effect at offset 1: offsets must follow the order of time",
    );
}
