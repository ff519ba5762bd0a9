//! Counters, logs and ids by hand: each conflict's sentence.

mod judged;
mod script;

use judged::{conflict, decision, is_fine};
use script::Script;
use serde_json::json;
use tribunal_checkers::linearizability::counter::Counter;
use tribunal_checkers::linearizability::ids::UniqueIds;
use tribunal_history::History;

const COUNTER: Counter = Counter { initial: 0 };

/// A call of a process from and until so many milliseconds: function, argument, answer, end.
type Drawn<'a> = (u64, (u64, u64), &'a str, i64, i64, &'a str);

fn calls(drawn: &[Drawn]) -> History {
    let mut script = Script::new();
    for &(process, times, f, argument, answer, end) in drawn {
        let call = json!({"p": process, "f": f, "arg": argument, "value": answer, "end": end});
        script.call(times, call);
    }
    script.history()
}

#[test]
fn a_read_below_what_was_read_before() {
    let found = conflict(
        &COUNTER,
        &calls(&[
            (1, (100, 110), "add", 1, 1, "ok"),
            (1, (120, 130), "add", 1, 1, "ok"),
            (2, (140, 150), "read", 0, 2, "ok"),
            (1, (160, 170), "add", 1, 1, "ok"),
            (3, (180, 190), "read", 0, 2, "ok"),
        ]),
    );
    assert_eq!(found.kind, "passed");
    assert_eq!(
        found.message,
        "p3's read returned 2 at 0.190 s, but it was 3 or beyond before that call began: p2's read \
         returned 2 at 0.150 s, and 1 add was acknowledged since"
    );
    assert_eq!(found.calls, [2, 3, 4]);
}

#[test]
fn a_read_above_all_that_was_added() {
    let history =
        |end| calls(&[(1, (100, 110), "add", 1, 1, end), (2, (140, 150), "read", 0, 2, "ok")]);
    let found = conflict(&COUNTER, &history("ok"));
    assert_eq!(found.kind, "beyond");
    assert_eq!(
        found.message,
        "p2's read returned 2 at 0.150 s, but no more than 1 add had begun by then, and the counter \
         cannot have stood above 1"
    );
    let one =
        |end| calls(&[(1, (100, 110), "add", 1, 1, end), (2, (140, 150), "read", 0, 1, "ok")]);
    assert!(is_fine(&COUNTER, &one("info")), "an add without answer may have happened");
    assert_eq!(conflict(&COUNTER, &one("fail")).kind, "beyond");
}

#[test]
fn two_adds_that_found_the_same() {
    let found = conflict(
        &COUNTER,
        &calls(&[
            (1, (100, 130), "add-fetch", 1, 1, "ok"),
            (2, (120, 140), "add-fetch", 1, 1, "ok"),
        ]),
    );
    assert_eq!(found.kind, "found-twice");
    assert_eq!(
        found.message,
        "p2's add-fetch returned 1 at 0.140 s, and p1's add-fetch returned 1 at 0.130 s: one of the \
         two adds was lost"
    );
}

#[test]
fn a_sum_between_the_steps() {
    let found = conflict(
        &COUNTER,
        &calls(&[(1, (100, 110), "add", 5, 5, "ok"), (2, (120, 130), "read", 0, 3, "ok")]),
    );
    assert_eq!(
        found.message,
        "p2's read returned 3 at 0.130 s, but every add is of 5, and none leads there"
    );
}

#[test]
fn different_amounts_are_judged_by_bounds() {
    let read = |found| {
        calls(&[
            (1, (100, 110), "add", 5, 5, "ok"),
            (1, (120, 200), "add", 3, 3, "ok"),
            (2, (140, 150), "read", 0, found, "ok"),
        ])
    };
    assert_eq!(conflict(&COUNTER, &read(4)).kind, "passed");
    assert_eq!(conflict(&COUNTER, &read(9)).kind, "beyond");
    assert!(decision(&COUNTER, &read(5)).is_none(), "within its bounds");
    assert_eq!(conflict(&Counter { initial: 7 }, &read(9)).kind, "passed");
    let read_again = |found| {
        calls(&[
            (1, (100, 900), "add", 5, 5, "ok"),
            (2, (100, 900), "add", 3, 3, "ok"),
            (3, (200, 210), "read", 0, 5, "ok"),
            (3, (300, 310), "read", 0, found, "ok"),
        ])
    };
    let found = conflict(&COUNTER, &read_again(3));
    assert_eq!((found.kind, found.calls), ("passed", vec![2, 3]), "5 was there before");
    assert!(decision(&COUNTER, &read_again(8)).is_none());
}

#[test]
fn a_long_witness_is_cut() {
    let adds = |count: u64| -> Vec<Drawn> {
        let read = (0, (9_000, 9_010), "read", 0, 1_000, "ok");
        let add = |at: u64| (1, (10 * at, 10 * at + 5), "add", 1, 1, "ok");
        (0..count).map(add).chain([read]).collect()
    };
    let found = conflict(&COUNTER, &calls(&adds(31)));
    assert_eq!((found.kind, found.calls.len()), ("beyond", 32));
    assert!(!found.message.contains("listed"), "{}", found.message);
    let found = conflict(&COUNTER, &calls(&adds(99)));
    assert_eq!(found.calls, (68..100).collect::<Vec<u32>>());
    let cut = "; it takes all 100 calls to show it, of which the last 32 are listed";
    assert!(found.message.ends_with(cut), "{}", found.message);
}

#[test]
fn ids_given_twice() {
    let mut script = Script::new();
    for (process, id) in [(1, json!("a")), (2, json!("b")), (3, json!("a")), (4, json!("a"))] {
        let times = (100 * process, 100 * process + 10);
        script.call(times, json!({"p": process, "f": "generate", "value": id}));
    }
    script.call((600, 610), json!({"p": 5, "f": "generate", "end": "info"}));
    let found = conflict(&UniqueIds, &script.history());
    assert_eq!(found.kind, "same-id");
    assert_eq!(
        found.message,
        "p1 received the id \"a\" at 0.110 s, and p3 received it too at 0.310 s; 1 more call \
         received an id that another had received too"
    );
    assert_eq!(found.calls, [0, 2]);
}
