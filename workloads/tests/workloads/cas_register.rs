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
}

/// Registers, which take effect when they are called. One call in twenty gets
/// no answer, and half of those have had no effect; one in twenty fails.
struct Registers {
    rng: Rng,
    bug: Bug,
    /// All that a register has held.
    held: BTreeMap<String, Vec<i64>>,
    /// What a register holds before the first call.
    initial: Option<i64>,
}

impl Registers {
    fn new(bug: Bug, seed: u64) -> Self {
        Self { rng: Seed(seed).stream("registers"), bug, held: BTreeMap::new(), initial: None }
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
                Answer::ok(held.iter().rev().nth(2).copied().or(self.initial))
            }
            Function::Read => Answer::ok(held.last().copied().or(self.initial)),
            Function::Write(_) if wrong && self.bug == Bug::LostWrite => {
                Answer::ok(attempt.call.value.clone())
            }
            Function::Write(value) => {
                held.push(value);
                Answer::ok(value)
            }
            Function::Cas(old, new) if held.last() == Some(&old) || self.bug == Bug::BlindCas => {
                held.push(new);
                Answer::ok(attempt.call.value.clone())
            }
            Function::Cas(..) => {
                let answer = Answer::ok(attempt.call.value.clone()).with("swapped", false);
                answer.with("found", held.last().copied())
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
fn registers_that_get_their_initial_value_back_are_judged_as_well() {
    let resetting = |bug, seed| {
        let mut registers = Registers { initial: Some(0), ..Registers::new(bug, seed) };
        let options = json!({"reset": 1, "initial": 0});
        let (history, verdict) =
            run_with("register", options, seed, |attempt| registers.answer(attempt));
        let resets = calls(&history).iter().filter(|(f, _, v)| f == "write" && v == 0).count();
        assert!(resets > 1000, "a third of the calls, not {resets}");
        verdict
    };
    for seed in SEEDS {
        acquitted(&resetting(Bug::None, seed));
        convicted(&resetting(Bug::LostWrite, seed), "nonlinearizable");
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
