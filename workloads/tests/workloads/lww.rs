//! `lww` against replicas that exchange their writes at once.

use std::collections::{BTreeMap, BTreeSet};

use tribunal_checkers::Verdict;
use tribunal_generator::simulation::{Answer, Attempt};
use tribunal_generator::{Rng, Seed};
use tribunal_history::{Event, Kind, Value};
use tribunal_workloads::lww::Function;

use crate::{SEEDS, acquitted, calls, convicted, latency, run};

const SECOND: i64 = 1_000_000_000;

/// How the store tells which write is the last.
#[derive(Clone, Copy, PartialEq)]
enum Clock {
    /// One that never runs behind what was seen.
    Hybrid,
    /// The wall clock of the node, of which n2's is ahead by 300 ms.
    Wall,
}

/// A store that keeps the write with the greatest timestamp.
struct Store {
    rng: Rng,
    clock: Clock,
    seen: i64,
    /// By key: timestamp and value.
    held: BTreeMap<String, (i64, i64)>,
    /// A node whose calls all end unknown, once the load is over.
    dead: Option<&'static str>,
}

impl Store {
    fn new(clock: Clock, seed: u64) -> Self {
        let rng = Seed(seed).stream("store");
        Self { rng, clock, seen: 0, held: BTreeMap::new(), dead: None }
    }

    fn stamp(&mut self, attempt: Attempt) -> i64 {
        let ahead = attempt.node.is_some_and(|node| &**node == "n2");
        let now = attempt.time as i64 + if ahead { 3 * SECOND / 10 } else { 0 };
        self.seen = now.max(self.seen + 1);
        if self.clock == Clock::Hybrid { self.seen } else { now }
    }

    fn answer(&mut self, attempt: Attempt) -> Answer {
        let after = latency(&mut self.rng);
        let is_last = attempt.call.ext.contains_key("final");
        if is_last && attempt.node.map(|node| &**node) == self.dead && self.dead.is_some() {
            return Answer::info("timed out").after(after).on(attempt.node);
        }
        let answer = match self.rng.below(40) {
            0 => Answer::info("timed out"),
            1 | 2 => Answer::fail("refused"),
            _ => self.apply(attempt),
        };
        answer.after(after).on(attempt.node)
    }

    fn apply(&mut self, attempt: Attempt) -> Answer {
        let key = attempt.call.key.as_ref().map_or_else(String::new, Value::to_string);
        match Function::parse(attempt.call).expect("the workload knows its calls") {
            Function::Read => match self.held.get(&key) {
                Some((stamp, value)) => Answer::ok(*value).with("timestamp", *stamp),
                None => Answer::ok(Value::Null),
            },
            Function::Write(value) => {
                let write = (self.stamp(attempt), value);
                let held = self.held.entry(key).or_insert(write);
                *held = write.max(*held);
                Answer::ok(value).with("timestamp", write.0)
            }
        }
    }
}

fn trial(clock: Clock, seed: u64) -> (Vec<Event>, Verdict) {
    let mut store = Store::new(clock, seed);
    run("lww", seed, |attempt| store.answer(attempt))
}

fn is_final(event: &&Event) -> bool {
    event.ext.contains_key("final")
}

#[test]
fn a_store_whose_clock_keeps_the_order_is_acquitted() {
    SEEDS.for_each(|seed| acquitted(&trial(Clock::Hybrid, seed).1));
}

#[test]
fn a_store_on_wall_clocks_loses_writes_and_is_convicted() {
    for seed in SEEDS {
        let anomaly = convicted(&trial(Clock::Wall, seed).1, "lost-write");
        assert!(anomaly.message.contains("n2"), "n2's clock did it: {}", anomaly.message);
    }
}

#[test]
fn every_key_is_read_at_the_end_on_every_node_until_it_is_ok() {
    let (history, _) = trial(Clock::Hybrid, 7);
    let key = |event: &Event| event.key.as_ref().map(Value::to_string);
    let written: BTreeSet<_> =
        history.iter().filter(|event| &*event.f == "write").map(key).collect();
    assert!(written.len() > 100, "{}", written.len());
    for node in crate::NODES {
        let ours =
            history.iter().filter(is_final).filter(|event| event.node.as_deref() == Some(node));
        let ok: Vec<_> = ours.filter(|event| event.kind == Kind::Ok).map(key).collect();
        let keys: BTreeSet<_> = ok.iter().cloned().collect();
        assert!(keys.is_superset(&written) && keys.len() == ok.len(), "{node}");
    }
}

#[test]
fn the_last_reads_end_although_a_node_is_dead() {
    let mut store = Store::new(Clock::Hybrid, 7);
    store.dead = Some("n3");
    let (history, _) = run("lww", 7, |attempt| store.answer(attempt));
    let last: Vec<&Event> = history.iter().filter(is_final).collect();
    let dead = last.iter().filter(|event| event.node.as_deref() == Some("n3"));
    assert!(dead.clone().all(|event| event.kind != Kind::Ok) && dead.count() > 100);
    let length = last.last().map_or(0, |end| end.time) - last.first().map_or(0, |start| start.time);
    assert!(length < 61 * SECOND as u64, "{length}");
}

#[test]
fn consecutive_writes_of_a_key_go_through_other_nodes() {
    let (history, _) = trial(Clock::Hybrid, 7);
    let mut last: BTreeMap<String, String> = BTreeMap::new();
    let (mut same, mut other) = (0, 0);
    let writes = |event: &&Event| &*event.f == "write" && event.kind == Kind::Invoke;
    for event in history.iter().filter(writes) {
        let key = event.key.as_ref().map_or_else(String::new, Value::to_string);
        let node = event.node.as_deref().unwrap_or_default().to_owned();
        match last.insert(key, node.clone()) {
            Some(before) if before == node => same += 1,
            Some(_) => other += 1,
            None => {}
        }
    }
    assert!(other > 50 * (same + 1), "{same} same, {other} other");
}

#[test]
fn values_are_unique_and_a_seed_fixes_the_calls() {
    let (history, _) = trial(Clock::Hybrid, 7);
    let load: Vec<Event> = history.iter().filter(|event| !is_final(event)).cloned().collect();
    let calls = |events: &[Event]| calls(events);
    let writes: Vec<Value> =
        calls(&load).into_iter().filter(|(f, ..)| f == "write").map(|(.., value)| value).collect();
    assert!(writes.iter().map(|value| value.as_u64()).eq((1..=writes.len() as u64).map(Some)));
    let other = run("lww", 7, |_| Answer::ok(Value::Null)).0;
    let other: Vec<Event> = other.iter().filter(|event| !is_final(event)).cloned().collect();
    assert_eq!(calls(&load)[..4000], calls(&other)[..4000]);
}
