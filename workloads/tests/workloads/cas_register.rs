//! `cas-register` and `register` against a map.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;
use tribunal_checkers::Verdict;
use tribunal_generator::simulation::{Answer, Attempt};
use tribunal_generator::{Rng, Seed};
use tribunal_history::{Event, Kind, Value};
use tribunal_workloads::cas_register::Function;

use crate::{SEEDS, acquitted, calls, convicted, latency, run, run_with};

/// What the map does wrong, one time in twenty.
#[derive(Clone, Copy, PartialEq)]
enum Bug {
    None,
    StaleRead,
    LostWrite,
    BlindCas,
    /// What was deleted comes back.
    Resurrection,
}

/// Registers, which take effect when they are called. One call in twenty gets
/// no answer, and half of those have had no effect; one in twenty fails.
struct Registers {
    rng: Rng,
    bug: Bug,
    /// All that a register has held.
    held: BTreeMap<String, Vec<Option<i64>>>,
}

impl Registers {
    fn new(bug: Bug, seed: u64) -> Self {
        Self { rng: Seed(seed).stream("registers"), bug, held: BTreeMap::new() }
    }

    fn answer(&mut self, attempt: Attempt) -> Answer {
        let after = latency(&mut self.rng);
        let answer = match self.rng.below(40) {
            0 => {
                self.apply(attempt);
                Answer::info("timed out")
            }
            1 => Answer::info("timed out"),
            2 | 3 => Answer::fail("refused"),
            _ => self.apply(attempt),
        };
        answer.after(after).on(attempt.node)
    }

    fn apply(&mut self, attempt: Attempt) -> Answer {
        let wrong = self.rng.below(20) == 0;
        let key = attempt.call.key.as_ref().map_or_else(String::new, Value::to_string);
        let held = self.held.entry(key).or_default();
        match Function::parse(attempt.call).expect("the workload knows its calls") {
            Function::Read if wrong && self.bug == Bug::StaleRead => {
                Answer::ok(held.iter().rev().nth(2).copied().flatten())
            }
            Function::Read => Answer::ok(held.last().copied().flatten()),
            Function::Write(_) if wrong && self.bug == Bug::LostWrite => {
                Answer::ok(attempt.call.value.clone())
            }
            Function::Write(value) => {
                held.push(Some(value));
                Answer::ok(value)
            }
            Function::Delete => {
                if !wrong || self.bug != Bug::Resurrection {
                    held.push(None);
                }
                Answer::ok(Value::Null)
            }
            Function::Cas(old, new)
                if held.last() == Some(&Some(old)) || self.bug == Bug::BlindCas =>
            {
                held.push(Some(new));
                Answer::ok(attempt.call.value.clone())
            }
            Function::Cas(..) => {
                let answer = Answer::ok(attempt.call.value.clone()).with("swapped", false);
                answer.with("found", held.last().copied().flatten())
            }
        }
    }
}

fn trial(workload: &str, bug: Bug, seed: u64) -> (Vec<Event>, Verdict) {
    let mut registers = Registers::new(bug, seed);
    run(workload, seed, |attempt| registers.answer(attempt))
}

#[track_caller]
fn convict(workload: &str, bug: Bug) {
    for seed in SEEDS {
        convicted(&trial(workload, bug, seed).1, "nonlinearizable");
    }
}

#[test]
fn registers_that_are_linearizable_are_acquitted() {
    SEEDS.for_each(|seed| acquitted(&trial("cas-register", Bug::None, seed).1));
    SEEDS.for_each(|seed| acquitted(&trial("register", Bug::None, seed).1));
}

#[test]
fn stale_reads_are_convicted() {
    convict("cas-register", Bug::StaleRead);
    convict("register", Bug::StaleRead);
}

#[test]
fn lost_writes_are_convicted() {
    convict("cas-register", Bug::LostWrite);
    convict("register", Bug::LostWrite);
}

#[test]
fn what_was_deleted_stays_away_or_is_convicted() {
    let deleting = |bug, seed| {
        let mut registers = Registers::new(bug, seed);
        let (history, verdict) =
            run_with("register", json!({"delete": 1}), seed, |attempt| registers.answer(attempt));
        let deletes =
            calls(&history).iter().filter(|(f, _, v)| f == "write" && v.is_null()).count();
        assert!(deletes > 1000, "a third of the calls, not {deletes}");
        verdict
    };
    for seed in SEEDS {
        acquitted(&deleting(Bug::None, seed));
        convicted(&deleting(Bug::Resurrection, seed), "nonlinearizable");
    }
}

#[test]
fn swaps_that_do_not_compare_are_convicted() {
    convict("cas-register", Bug::BlindCas);
}

#[test]
fn no_value_is_set_twice_on_a_key_and_swaps_often_succeed() {
    let (history, _) = trial("cas-register", Bug::None, 7);
    let mut set = BTreeSet::new();
    for (f, key, value) in calls(&history) {
        let new = match &*f {
            "write" => value.as_i64(),
            "cas" => value[1].as_i64(),
            _ => continue,
        };
        assert!(set.insert((key.map(|key| key.to_string()), new)), "{new:?} is set twice");
    }
    let ok = |event: &&Event| event.f.as_ref() == "cas" && event.kind == Kind::Ok;
    let swaps: Vec<&Event> = history.iter().filter(ok).collect();
    let swapped = swaps.iter().filter(|event| !event.ext.contains_key("swapped")).count();
    assert!(swapped * 2 > swaps.len(), "{swapped} of {}", swaps.len());
}

#[test]
fn a_seed_fixes_the_calls_whatever_is_answered() {
    let correct = calls(&trial("cas-register", Bug::None, 7).0);
    let fast = run("cas-register", 7, |_| Answer::ok(Value::Null)).0;
    assert!(correct.len() > 4000);
    // The load is open and ends by the clock: a slow database sees as many calls, or fewer.
    assert!(calls(&fast).starts_with(&correct) || correct.starts_with(&calls(&fast)));
    let other = run("cas-register", 8, |_| Answer::ok(Value::Null)).0;
    assert_ne!(calls(&other)[..100], correct[..100]);
}
