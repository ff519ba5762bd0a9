//! `leader` against nodes that lead in turns, half a second each.

use std::time::Duration;

use serde_json::json;
use tribunal_checkers::Verdict;
use tribunal_generator::simulation::{Answer, Attempt};
use tribunal_generator::{Rng, Seed};
use tribunal_history::{Event, Value};
use tribunal_workloads::leader::Function;

use crate::{NODES, SEEDS, acquitted, calls, convicted, run, run_with};

const TERM: u64 = 500_000_000;

/// Leaders by lease. One that does not notice its end serves on for `longer`.
struct Leases {
    rng: Rng,
    longer: u64,
}

impl Leases {
    /// The term in which a node leads, if it holds itself leader.
    fn term_of(&self, node: &str, time: u64) -> Option<u64> {
        let leads = |term: u64| NODES[term as usize % NODES.len()] == node;
        let now = time / TERM;
        let before = now.checked_sub(1).filter(|_| time % TERM < self.longer);
        [Some(now), before].into_iter().flatten().find(|term| leads(*term))
    }

    fn answer(&mut self, attempt: Attempt) -> Answer {
        let after = Duration::from_micros(self.rng.between(200, 4_000));
        let node = attempt.node.map_or("", |node| node);
        let term = self.term_of(node, attempt.time);
        let function = Function::parse(attempt.call).expect("the workload knows its calls");
        let answer = match (function, term) {
            _ if self.rng.below(40) == 0 => Answer::info("timed out"),
            (Function::Probe, Some(term)) => {
                Answer::ok(json!({"node": node, "role": "leader", "term": term}))
            }
            (Function::Probe, None) => {
                let term = attempt.time / TERM;
                Answer::ok(json!({"node": node, "role": "follower", "term": term}))
            }
            (Function::Write(value), Some(term)) => {
                Answer::ok(value).with("term", term).with("node", node)
            }
            (Function::Write(_), None) => Answer::fail("not the leader"),
        };
        answer.after(after).on(attempt.node)
    }
}

fn trial(longer_ms: u64, seed: u64) -> (Vec<Event>, Verdict) {
    trial_with(longer_ms, json!({}), seed)
}

fn trial_with(longer_ms: u64, options: Value, seed: u64) -> (Vec<Event>, Verdict) {
    let mut leases = Leases { rng: Seed(seed).stream("leases"), longer: longer_ms * 1_000_000 };
    run_with("leader", options, seed, |attempt| leases.answer(attempt))
}

#[test]
fn one_leader_after_the_other_is_acquitted() {
    SEEDS.for_each(|seed| acquitted(&trial(0, seed).1));
}

#[test]
fn a_leader_that_serves_on_after_its_lease_is_convicted() {
    for seed in SEEDS {
        let anomaly = convicted(&trial(200, seed).1, "split-brain");
        let (from, to) = anomaly.window.expect("two leaders overlap in time");
        assert!(from < to && to - from <= 200_000_000, "{from} to {to}");
    }
}

#[test]
fn two_leaders_of_different_terms_are_allowed_where_leadership_is_not_exclusive() {
    let options = json!({"exclusive": false, "write": 0});
    acquitted(&trial_with(200, options, 7).1);
}

#[test]
fn a_write_that_a_deposed_leader_took_is_convicted_all_the_same() {
    let options = json!({"exclusive": false, "write": 9});
    convicted(&trial_with(200, options, 7).1, "dual-acknowledgement");
}

#[test]
fn every_node_is_asked_about_as_often() {
    let (history, _) = trial(0, 7);
    let probes = |node: &str| {
        let ours = |event: &&Event| &*event.f == "probe" && event.node.as_deref() == Some(node);
        history.iter().filter(ours).count()
    };
    let counts = NODES.map(probes);
    assert!(counts.iter().all(|count| count * 4 > counts.iter().sum()), "{counts:?}");
}

#[test]
fn values_are_unique_and_a_seed_fixes_the_calls() {
    let all = calls(&trial(0, 7).0);
    let writes: Vec<Option<u64>> =
        all.iter().filter(|(f, ..)| f == "write").map(|(.., value)| value.as_u64()).collect();
    assert!(writes.iter().copied().eq((1..=writes.len() as u64).map(Some)) && writes.len() > 300);
    let other = calls(&run("leader", 7, |_| Answer::ok(Value::Null)).0);
    assert_eq!(all[..4000], other[..4000]);
}
