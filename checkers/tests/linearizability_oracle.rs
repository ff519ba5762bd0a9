//! The checkers of linearizability against brute force, on random small histories.
//!
//! The oracle reads the events itself and tries every order that real time
//! allows (Wing and Gong, 1993); it shares nothing with what it judges. Every
//! history has a seed of its own. To replay one that failed, with its drawing:
//!
//! ```text
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test linearizability_oracle
//! ```

mod oracle;
mod registers;

use std::collections::HashSet;

use oracle::{Draw, first, histories};
use registers::{Shape, calls_of, history, longer, told};
use serde_json::Value;
use tribunal_checkers::linearizability::register::{blocks, search};
use tribunal_checkers::{Anomaly, Checker, Linearizable, Validity};
use tribunal_history::{Event, EventRef, History, Kind, Operation};

// The oracle.

/// Whether some order of the operations is that of one register, starting absent.
fn linearizable(history: &History) -> bool {
    let may_have: Vec<Operation> =
        history.operations().filter(|operation| operation.kind() != Kind::Fail).collect();
    let must = (0..may_have.len()).filter(|&i| may_have[i].is_ok()).fold(0, |set, i| set | 1 << i);
    extends(&may_have, must, 0, &Value::Null, &mut HashSet::new())
}

/// Whether the order so far, of the operations in `taken`, extends to all that must be in it.
fn extends(
    operations: &[Operation],
    must: u32,
    taken: u32,
    held: &Value,
    dead: &mut HashSet<(u32, String)>,
) -> bool {
    if taken & must == must {
        return true;
    }
    let state = (taken, held.to_string());
    if dead.contains(&state) {
        return false;
    }
    let left = || (0..operations.len()).filter(|&i| taken & 1 << i == 0);
    let first_end = left().filter_map(|i| operations[i].end()).min().unwrap_or(u64::MAX);
    for i in left().filter(|&i| operations[i].start() < first_end) {
        let after = apply(&operations[i], held);
        if after.is_some_and(|after| extends(operations, must, taken | 1 << i, &after, dead)) {
            return true;
        }
    }
    dead.insert(state);
    false
}

/// What the register holds after an operation; `None` if it cannot have gone so.
fn apply(operation: &Operation, held: &Value) -> Option<Value> {
    let argument = operation.argument().to_value();
    match operation.f() {
        "read" => {
            operation.result().is_none_or(|found| found.to_value() == *held).then(|| held.clone())
        }
        "write" => Some(argument.clone()),
        _ if operation.ext("swapped").is_some_and(|it| it.as_bool() == Some(false)) => {
            match operation.ext("found") {
                Some(found) => (found.to_value() == *held).then(|| held.clone()),
                None => (argument[0] != *held).then(|| held.clone()),
            }
        }
        _ => (argument[0] == *held).then(|| argument[1].clone()),
    }
}

// The comparison.

/// Judges random histories and compares with the oracle; `judge` abstains with `None`.
fn compare(name: &str, shape: Shape, judge: impl Fn(&History) -> Option<bool>) {
    if let Ok(seed) = std::env::var("ORACLE_SEED") {
        let seed = seed.parse().expect("ORACLE_SEED is a number");
        let history = history(&mut Draw(seed), shape);
        println!(
            "{name}, seed {seed}: the oracle says {}\n{}",
            linearizable(&history),
            told(&history)
        );
        agree(name, seed, &history, &judge);
        return;
    }
    let (mut good, mut bad) = (0, 0);
    for seed in first().. {
        let history = history(&mut Draw(seed), shape);
        match agree(name, seed, &history, &judge) {
            Some(true) => good += 1,
            Some(false) => bad += 1,
            None => assert!(seed - first() < 4 * histories(), "{name}: abstains too often"),
        }
        if good + bad == histories() {
            break;
        }
    }
    println!("{name}: {good} linearizable, {bad} not, 0 mismatches");
    assert!(
        good > histories() / 10 && bad > histories() / 10,
        "{name}: {good} to {bad} is one-sided"
    );
}

fn agree(
    name: &str,
    seed: u64,
    history: &History,
    judge: &impl Fn(&History) -> Option<bool>,
) -> Option<bool> {
    let judged = judge(history)?;
    let truth = linearizable(history);
    assert_eq!(
        judged,
        truth,
        "{name} is wrong; replay with ORACLE_SEED={seed} cargo test -p tribunal-checkers \
         --test linearizability_oracle\n{}",
        told(history)
    );
    Some(truth)
}

#[test]
fn blocks_agree_where_values_are_unique() {
    compare("blocks", Shape { values: 0, silent: 0, crashed: 2, honest: 0 }, |history| {
        let (ops, values) = calls_of(history);
        blocks::check(&ops, values).map(|answer| answer.is_ok())
    });
}

#[test]
fn blocks_judge_negative_observations_where_they_can() {
    compare(
        "blocks, silent swaps",
        Shape { values: 0, silent: 1, crashed: 2, honest: 0 },
        |history| {
            let (ops, values) = calls_of(history);
            blocks::check(&ops, values).map(|answer| answer.is_ok())
        },
    );
}

/// The search alone, with a budget that such histories never use up.
fn searched(history: &History) -> Option<bool> {
    let (ops, values) = calls_of(history);
    match search::check(&ops, values, 1_000_000) {
        search::Outcome::Linearizable { .. } => Some(true),
        search::Outcome::Stuck(_) => Some(false),
        other => panic!("{other:?}"),
    }
}

#[test]
fn search_agrees_where_values_are_unique() {
    compare(
        "search, unique values",
        Shape { values: 0, silent: 2, crashed: 2, honest: 0 },
        searched,
    );
}

#[test]
fn search_agrees_where_values_repeat() {
    compare(
        "search, three values",
        Shape { values: 3, silent: 2, crashed: 2, honest: 0 },
        searched,
    );
}

#[test]
fn search_agrees_where_half_the_calls_crash() {
    compare("search, crashes", Shape { values: 4, silent: 3, crashed: 6, honest: 0 }, searched);
}

/// Whatever legs a history is cut into, the answer is the same, and so is the place where it fails.
#[test]
fn searches_by_legs_agree() {
    let (mut good, mut bad) = (0, 0);
    for seed in first()..first() + histories() {
        let calls = 10 + seed % 40;
        let shape = Shape { values: 2 + seed % 3, silent: 3, crashed: 0, honest: 0 };
        let history = longer(&mut Draw(seed), shape, calls);
        let (ops, values) = calls_of(&history);
        let whole = search::check(&ops, values, 1_000_000);
        match whole {
            search::Outcome::Linearizable { .. } => good += 1,
            _ => bad += 1,
        }
        for leg in [1, 3, 8, 20] {
            let legs = search::check_by_legs(&ops, values, 1_000_000, leg);
            let told = || format!("seed {seed}, legs of {leg}\n{}", told(&history));
            assert_eq!(essence(&legs), essence(&whole), "{}", told());
        }
    }
    println!("legs: {good} linearizable, {bad} not, 0 mismatches");
    assert!(good > histories() / 10 && bad > histories() / 10);
}

/// What of an outcome does not depend on how it was found.
fn essence(outcome: &search::Outcome) -> Option<search::Stuck> {
    match outcome {
        search::Outcome::Linearizable { .. } => None,
        search::Outcome::Stuck(stuck) => Some(stuck.clone()),
        other => panic!("{other:?}"),
    }
}

/// The calls that begin at `starts`, as a history of their own.
fn excerpt(history: &History, starts: &[u64]) -> History {
    let chosen = history.operations().filter(|operation| starts.contains(&operation.start()));
    recorded(chosen.flat_map(|call| [Some(call.invocation()), call.completion()]).flatten())
}

/// The history without the answers of all calls but those that begin at `starts` or ended by `since`.
fn forgetful<'h>(history: &'h History, starts: &[u64], since: u64) -> History {
    let ended = |call: &Operation| call.end().is_some_and(|end| end <= since);
    let told = |call: &Operation| !call.is_ok() || starts.contains(&call.start()) || ended(call);
    let events =
        |call: Operation<'h>| [Some(call.invocation()), call.completion().filter(|_| told(&call))];
    recorded(history.operations().flat_map(events).flatten())
}

/// Some of a history's events, of each call the first or both.
fn recorded<'h>(events: impl Iterator<Item = EventRef<'h>>) -> History {
    let mut events: Vec<EventRef> = events.collect();
    events.sort_by_key(|event| event.index());
    let numbered = (0..).zip(events).map(|(index, event)| Event { index, ..event.to_event() });
    History::new(numbered.collect()).expect("well formed, call by call")
}

#[test]
fn a_witness_of_blocks_convicts_by_itself() {
    let (mut witnesses, mut widest) = (0, 0);
    for seed in first()..first() + histories() / 4 {
        let silent = seed % 2;
        let history = history(&mut Draw(seed), Shape { values: 0, silent, crashed: 2, honest: 0 });
        for anomaly in Linearizable::default().check(&history).anomalies {
            if anomaly.details["algorithm"] != "blocks" {
                assert_eq!(silent, 1);
                continue;
            }
            let witness = excerpt(&history, &anomaly.ops);
            assert!(
                !linearizable(&witness),
                "seed {seed}: {}\n{}",
                anomaly.message,
                told(&history)
            );
            widest = widest.max(anomaly.ops.len());
            witnesses += 1;
        }
    }
    println!("{witnesses} witnesses of at most {widest} calls");
    assert!(witnesses > histories() / 40 && widest <= 6);
}

/// Its calls have no order whatever became of the others; and of each the outcome is needed.
#[test]
fn a_witness_of_search_is_certain_and_least() {
    let (mut witnesses, mut calls) = (0, 0);
    for seed in first()..first() + histories() / 4 {
        let shape = Shape { values: 2, silent: 3, crashed: 2, honest: 0 };
        let history = longer(&mut Draw(seed), shape, 4 + seed % 7);
        for anomaly in Linearizable::default().check(&history).anomalies {
            if anomaly.details["algorithm"] != "search" {
                continue;
            }
            let witness = &anomaly.ops;
            let told = || format!("seed {seed}: {}\n{}", anomaly.message, told(&history));
            assert!(!linearizable(&excerpt(&history, witness)), "{}", told());
            assert!(!linearizable(&forgetful(&history, witness, 0)), "{}", told());
            if !has_ended(&history, &anomaly) {
                continue;
            }
            for one in witness {
                let others: Vec<u64> = witness.iter().copied().filter(|it| it != one).collect();
                assert!(
                    linearizable(&forgetful(&history, &others, 0)),
                    "{one} is idle, {}",
                    told()
                );
            }
            (witnesses, calls) = (witnesses + 1, calls + witness.len());
        }
    }
    println!("{witnesses} least witnesses of {} calls on average", calls / witnesses);
    assert!(witnesses > (histories() / 40) as usize);
}

/// Of a long history only the end is looked at; what is left out of that must not have mattered.
#[test]
fn a_witness_from_the_end_of_a_long_history_is_certain() {
    let (mut witnesses, mut calls) = (0, 0);
    for seed in first()..first() + histories() / 20 {
        let shape = Shape { values: 3, silent: 3, crashed: 0, honest: 60 };
        let history = longer(&mut Draw(seed), shape, 80);
        for anomaly in Linearizable::default().check(&history).anomalies {
            let Some(since) = anomaly.details.get("since").and_then(Value::as_u64) else {
                continue;
            };
            let without = forgetful(&history, &anomaly.ops, since);
            for sure in [excerpt(&history, &anomaly.ops), without] {
                let (ops, values) = calls_of(&sure);
                let outcome = search::check(&ops, values, 200_000);
                let ordered = matches!(outcome, search::Outcome::Linearizable { .. });
                assert!(!ordered, "seed {seed}: {}\n{}", anomaly.message, told(&history));
            }
            (witnesses, calls) = (witnesses + 1, calls + anomaly.ops.len());
        }
    }
    println!("{witnesses} witnesses from the end, of {} calls on average", calls / witnesses);
    assert!(witnesses > (histories() / 100) as usize);
}

/// Whether all calls of a witness returned until the one that cannot be did: only then is all that they
/// tell used to make it least.
fn has_ended(history: &History, anomaly: &Anomaly) -> bool {
    let answered = history.operations().filter(Operation::is_ok);
    let mut ends: Vec<u64> = answered.filter_map(|call| call.end()).collect();
    ends.sort_unstable();
    let returned = anomaly.details["returned"].as_u64().expect("a number of returns");
    let until = ends[returned as usize];
    let mut calls = history.operations().filter(|call| anomaly.ops.contains(&call.start()));
    calls.all(|call| call.end().is_some_and(|end| end <= until))
}

#[test]
fn the_checker_agrees_whatever_it_picks() {
    for (name, values) in [("checker, unique values", 0), ("checker, five values", 5)] {
        compare(name, Shape { values, silent: 3, crashed: 2, honest: 0 }, |history| {
            let verdict = Linearizable::default().check(history);
            assert_eq!(verdict.validity == Validity::Invalid, !verdict.anomalies.is_empty());
            Some(verdict.validity == Validity::Valid)
        });
    }
}

/// Whoever gives up may ask for a second opinion; neither may be wrong for lack of time.
#[test]
fn a_small_budget_may_miss_but_never_errs() {
    let (mut decided, mut given_up) = (0, 0);
    for seed in first()..first() + histories() / 4 {
        let history =
            history(&mut Draw(seed), Shape { values: 4, silent: 3, crashed: 6, honest: 0 });
        let truth = linearizable(&history);
        for budget in [4, 12, 40, 200] {
            let checker = Linearizable { budget, ..Linearizable::default() };
            let validity = checker.check(&history).validity;
            let right = if truth { Validity::Valid } else { Validity::Invalid };
            assert!(
                validity == right || validity == Validity::Unknown,
                "seed {seed}, budget {budget}: {validity:?}\n{}",
                told(&history)
            );
            *(if validity == right { &mut decided } else { &mut given_up }) += 1;
        }
    }
    println!("{decided} decided, {given_up} given up");
    assert!(decided > histories() / 4 && given_up > histories() / 100);
}
