//! Locks by hand: each conflict's sentence, and what a call without answer may explain.

mod judged;
mod script;

use judged::{conflict, decision, is_fine};
use script::Script;
use serde_json::{Value, json};
use tribunal_checkers::linearizability::lock::{FencedLock, FencedStore, OwnedLock, Semaphore};
use tribunal_history::History;

/// A call of a process from and until so many milliseconds: `acquire`, `acquire 3` with its
/// token, `refused`, `release`; `?` behind it for an unknown outcome, `x` for a failure.
fn calls(drawn: &[(u64, u64, u64, &str)]) -> History {
    let mut script = Script::new();
    for &(process, from, to, what) in drawn {
        let end = match what.chars().last() {
            Some('?') => "info",
            Some('x') => "fail",
            _ => "ok",
        };
        let mut words = what.trim_end_matches(['?', 'x']).split(' ');
        let f = words.next().expect("a function");
        let token = words.next().map(|token| token.parse::<i64>().expect("a token"));
        let (f, value) = match (f, token) {
            ("refused", _) => ("acquire", json!(false)),
            (f, Some(token)) => (f, json!({"token": token})),
            (f, None) => (f, Value::Null),
        };
        script.call((from, to), json!({"p": process, "f": f, "end": end, "value": value}));
    }
    script.history()
}

const PLAIN: OwnedLock = OwnedLock::PLAIN;
const MUTEX: Semaphore = Semaphore::MUTEX;
const FENCED: FencedLock = FencedLock { exclusive: true };

#[test]
fn two_holders() {
    let history = calls(&[
        (1, 100, 200, "acquire"),
        (2, 250, 310, "acquire"),
        (1, 500, 600, "release"),
        (2, 700, 800, "release"),
    ]);
    let found = conflict(&PLAIN, &history);
    assert_eq!(found.kind, "two-holders");
    assert_eq!(
        found.message,
        "p2 was granted the lock at 0.310 s, while p1 held it: it had acquired it at 0.200 s until \
         it began to release it at 0.500 s"
    );
    assert_eq!(found.calls, [0, 1, 2, 3]);
    let found = conflict(&MUTEX, &history);
    assert_eq!(found.kind, "too-many-holders");
    assert_eq!(
        found.message,
        "p2's acquire was granted at 0.310 s, but the lock had been acquired by p1 at 0.200 s, and \
         no release had begun that could have come in between"
    );
    assert_eq!(found.calls, [0, 1]);
}

#[test]
fn a_release_without_answer_may_have_given_the_lock_back() {
    let after = |release| {
        calls(&[(1, 100, 200, "acquire"), (1, 250, 260, release), (2, 300, 310, "acquire")])
    };
    assert!(is_fine(&PLAIN, &after("release?")));
    assert!(is_fine(&MUTEX, &after("release?")));
    assert_eq!(conflict(&PLAIN, &after("releasex")).kind, "two-holders");
    assert_eq!(conflict(&MUTEX, &after("releasex")).kind, "too-many-holders");
}

#[test]
fn an_acquire_without_answer_holds_nothing_for_certain() {
    let history = calls(&[(1, 100, 200, "acquire?"), (2, 300, 310, "acquire")]);
    assert!(is_fine(&PLAIN, &history));
    assert!(is_fine(&MUTEX, &history));
    // But it may explain a release by anybody.
    let history = calls(&[(1, 100, 200, "acquire?"), (2, 300, 310, "release")]);
    assert!(is_fine(&MUTEX, &history));
    assert_eq!(conflict(&PLAIN, &history).kind, "released-unheld");
    let history = calls(&[(1, 100, 200, "acquirex"), (2, 300, 310, "release")]);
    assert_eq!(
        conflict(&MUTEX, &history).message,
        "p2's release was acknowledged at 0.310 s, but nobody held the lock: all that had been \
         acquired by then had been given back"
    );
}

#[test]
fn a_process_that_goes_on_after_an_unknown_outcome_is_left_to_the_search() {
    let history = calls(&[(1, 100, 200, "acquire?"), (1, 300, 310, "release")]);
    assert!(decision(&PLAIN, &history).is_none());
    assert!(decision(&FENCED, &history).is_none());
}

#[test]
fn misuse() {
    let history = calls(&[(1, 100, 200, "acquire"), (1, 250, 260, "acquire")]);
    let found = conflict(&PLAIN, &history);
    assert_eq!(found.kind, "acquired-twice");
    assert_eq!(
        found.message,
        "p1's acquire was granted at 0.260 s, but it held the lock already, since 0.200 s, and had \
         not given it back"
    );
    assert!(is_fine(&OwnedLock::REENTRANT, &history));
    assert!(is_fine(&OwnedLock { depth: 2 }, &history));
    let history =
        calls(&[(1, 100, 200, "acquire"), (1, 250, 260, "release"), (1, 300, 310, "release")]);
    let found = conflict(&PLAIN, &history);
    assert_eq!(found.kind, "released-unheld");
    assert_eq!(
        found.message,
        "p1's release was acknowledged at 0.310 s, but it did not hold the lock: it had given it \
         back at 0.260 s"
    );
    assert_eq!(found.calls, [0, 1, 2]);
}

#[test]
fn a_reentrant_lock_is_held_until_its_last_release() {
    let history = calls(&[
        (1, 100, 110, "acquire"),
        (1, 120, 130, "acquire"),
        (1, 140, 150, "release"),
        (2, 160, 170, "acquire"),
    ]);
    let found = conflict(&OwnedLock::REENTRANT, &history);
    assert_eq!(
        found.message,
        "p2 was granted the lock at 0.170 s, while p1 held it: it had acquired it at 0.110 s and \
         never gave it back"
    );
}

#[test]
fn a_refusal_needs_a_holder() {
    let history =
        calls(&[(1, 100, 110, "acquire"), (2, 120, 130, "refused"), (1, 140, 150, "release")]);
    assert!(is_fine(&PLAIN, &history));
    assert!(is_fine(&MUTEX, &history));
    // Nobody held it: no quick answer, the search will tell.
    let history = calls(&[(2, 120, 130, "refused")]);
    assert!(decision(&PLAIN, &history).is_none());
    assert!(decision(&MUTEX, &history).is_none());
}

#[test]
fn a_semaphore_has_so_many_permits() {
    let history = calls(&[
        (1, 100, 110, "acquire"),
        (2, 120, 130, "acquire"),
        (3, 140, 150, "acquire"),
        (1, 160, 170, "release"),
    ]);
    assert!(is_fine(&Semaphore { permits: 3 }, &history));
    let found = conflict(&Semaphore { permits: 2 }, &history);
    assert_eq!(
        found.message,
        "p3's acquire was granted at 0.150 s, but all 2 permits were taken, and no release had \
         begun that could have come in between"
    );
    assert_eq!(found.calls, [0, 1, 2]);
}

#[test]
fn tokens() {
    let history =
        calls(&[(1, 100, 110, "acquire 5"), (1, 120, 130, "release"), (2, 140, 150, "acquire 5")]);
    let found = conflict(&FENCED, &history);
    assert_eq!(found.kind, "same-token");
    assert_eq!(
        found.message,
        "p1 and p2 were granted the lock under one token 5, at 0.110 s and at 0.150 s: every grant \
         needs a token of its own"
    );
    let history =
        calls(&[(1, 100, 110, "acquire 5"), (1, 120, 130, "release"), (2, 140, 150, "acquire 4")]);
    let found = conflict(&FENCED, &history);
    assert_eq!(found.kind, "token-order");
    assert_eq!(
        found.message,
        "p2 was granted the lock under token 4 at 0.150 s, but p1 had been granted it under token \
         5 at 0.110 s, before that acquire began: tokens must grow"
    );
    // Two that overlap may get their tokens in either order.
    let history =
        calls(&[(1, 100, 150, "acquire 5"), (2, 120, 130, "acquire 4"), (2, 131, 132, "release")]);
    assert!(is_fine(&FENCED, &history));
}

#[test]
fn a_fenced_lock_that_expires_is_judged_by_its_tokens() {
    let history = calls(&[(1, 100, 110, "acquire 1"), (2, 140, 150, "acquire 2")]);
    assert!(is_fine(&FencedLock { exclusive: false }, &history));
    assert_eq!(
        conflict(&FENCED, &history).message,
        "p2 was granted the lock (token 2) at 0.150 s, while p1 held it (token 1): it had acquired \
         it at 0.110 s and never gave it back"
    );
}

fn write(script: &mut Script, process: u64, times: (u64, u64), token: i64, end: &str) {
    let value = json!({"token": token, "value": process});
    script
        .call(times, json!({"p": process, "f": "write", "arg": value, "value": value, "end": end}));
}

#[test]
fn a_store_refuses_old_tokens() {
    let stale = |end| {
        let mut script = Script::new();
        write(&mut script, 2, (100, 110), 34, "ok");
        write(&mut script, 1, (120, 130), 33, end);
        script.history()
    };
    let found = conflict(&FencedStore::default(), &stale("ok"));
    assert_eq!(found.kind, "stale-token");
    assert_eq!(
        found.message,
        "p1's write of 1 under token 33 began at 0.120 s and was acknowledged, though the store had \
         acknowledged p2's write of 2 under token 34 at 0.110 s: the older token should have been \
         refused"
    );
    assert!(is_fine(&FencedStore::default(), &stale("fail")));
    assert!(is_fine(&FencedStore::default(), &stale("info")));
    let mut script = Script::new();
    write(&mut script, 2, (100, 110), 34, "ok");
    let old = json!({"token": 33, "value": 1});
    script.call((120, 130), json!({"p": 1, "f": "write", "arg": old, "value": false}));
    assert!(is_fine(&FencedStore::default(), &script.history()), "an answer of false is a refusal");
}
