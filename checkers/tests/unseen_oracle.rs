//! What never arrived, against brute force, on random small histories of logs and watches that lose,
//! skip, repeat and reorder.
//!
//! The truth is told by worlds: a put takes effect at some moment of its call (at any later one, or at none,
//! where its outcome is not known), and a last poll looks at the log at some moment of its own. Its consumer
//! was owed a put if, in whichever moments, the put comes first. Every pair of moments is tried. A consumer
//! that went elsewhere in the log, or whose answer was lost, is owed nothing.
//!
//! This says nothing of the order of what arrived, or of its offsets: that is `log_oracle`'s.
//!
//! ```text
//! ORACLE_HISTORIES=1000000 cargo test --release -p tribunal-checkers --test unseen_oracle -- --nocapture
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test unseen_oracle
//! ```

mod oracle;
mod slotted;

use std::collections::{BTreeMap, BTreeSet};

use oracle::{Draw, Outcome, Slot, few_processes, seeds, slots};
use rayon::prelude::*;
use serde_json::{Value, json};
use slotted::{Entry, history};
use tribunal_checkers::{Anomaly, Checker, Unseen, Validity};
use tribunal_history::Call;

/// What a history may hold.
struct Shape {
    name: &'static str,
    /// The names of the two calls.
    put: &'static str,
    take: &'static str,
    by_each: bool,
    keys: u64,
}

const SHAPES: [Shape; 4] = [
    Shape { name: "log", put: "append", take: "poll", by_each: false, keys: 1 },
    Shape { name: "two logs", put: "append", take: "poll", by_each: false, keys: 2 },
    Shape { name: "watch", put: "write", take: "watch", by_each: true, keys: 1 },
    Shape { name: "two watched objects", put: "write", take: "watch", by_each: true, keys: 2 },
];

/// The most calls of a history, and the most anomalies that are told of an object.
const CALLS: u64 = 10;
const TOLD: usize = 8;

/// A call as it is drawn.
#[derive(Clone, Debug)]
enum What {
    Put(u64),
    /// What came, each at its offset, and whether the poll is marked as a last one; false marks nothing.
    Take(Vec<(u64, u64)>, Option<bool>),
    Seek,
}

#[derive(Clone, Debug)]
struct Drawn {
    slot: Slot,
    process: u64,
    key: u64,
    what: What,
}

/// A log as it is, and how far each consumer has come.
#[derive(Default)]
struct Log {
    entries: Vec<u64>,
    places: BTreeMap<u64, usize>,
}

impl Log {
    /// What a consumer gets: what is new to it, with something wrong once in `wild` times.
    fn take(&mut self, draw: &mut Draw, process: u64, wild: u64) -> Vec<(u64, u64)> {
        let place = self.places.entry(process).or_default();
        let new = self.entries.len() - *place;
        let to = if draw.one_in(4) {
            *place + draw.below(new as u64 + 1) as usize
        } else {
            *place + new
        };
        let entry = |at: usize| (at as u64, self.entries[at]);
        let mut taken: Vec<(u64, u64)> = (*place..to).map(entry).collect();
        *place = to;
        if !taken.is_empty() && draw.one_in(wild) {
            let at = draw.below(taken.len() as u64) as usize;
            match draw.below(5) {
                0..=2 => drop(taken.remove(at)),
                3 => taken[at].1 = 1 + draw.below(9),
                _ => taken.push(taken[at]),
            }
        }
        if draw.one_in(6) {
            taken.reverse();
        }
        taken
    }
}

/// Calls on logs, the last of which are mostly last polls.
fn drawn(draw: &mut Draw, shape: &Shape) -> Vec<Drawn> {
    let crashed = draw.below(4);
    let slots = slots(draw, CALLS, crashed);
    let processes = few_processes(draw, &slots);
    let (wild, values) = (1 + draw.below(8), if draw.one_in(4) { 3 } else { 0 });
    let (count, puts) = (slots.len() as u64, 1 + draw.below(slots.len() as u64 / 2 + 1));
    let mut logs: Vec<Log> = (0..shape.keys).map(|_| Log::default()).collect();
    let mut calls = Vec::new();
    for (number, (slot, process)) in (0..).zip(slots.into_iter().zip(processes)) {
        let key = draw.below(shape.keys);
        let log = &mut logs[key as usize];
        let late = number >= puts;
        let what = if late == draw.one_in(6) {
            let value = if values == 0 { number + 1 } else { 1 + draw.below(values) };
            let happens = match slot.outcome {
                Outcome::Ok => !draw.one_in(2 * wild),
                Outcome::Fail => draw.one_in(8),
                Outcome::Info | Outcome::Open => draw.one_in(2),
            };
            log.entries.extend(happens.then_some(value));
            What::Put(value)
        } else if draw.one_in(4 * count) {
            log.places.insert(process, draw.below(log.entries.len() as u64 + 1) as usize);
            What::Seek
        } else {
            let last = match late {
                true => (!draw.one_in(6)).then_some(!draw.one_in(12)),
                false => draw.one_in(6).then_some(true),
            };
            let moves = slot.outcome != Outcome::Fail;
            // Now and then nothing comes, though there is something.
            let stuck = late && draw.one_in(3);
            let taken = match moves && !stuck {
                true => log.take(draw, process, wild),
                false => Vec::new(),
            };
            What::Take(taken, last)
        };
        calls.push(Drawn { slot, process, key, what });
    }
    calls.sort_by_key(|call| call.slot.start);
    calls
}

fn entry(drawn: &Drawn, shape: &Shape) -> Entry {
    let (call, answer) = match &drawn.what {
        What::Put(value) => (Call::new(shape.put).value(*value), json!(drawn.slot.start)),
        What::Take(taken, last) => {
            let call = Call::new(shape.take);
            let nothing = taken.is_empty() && drawn.slot.start.is_multiple_of(2);
            let answer = if nothing { Value::Null } else { json!(taken) };
            (last.map_or(call.clone(), |last| call.mark("final", last)), answer)
        }
        What::Seek => (Call::new("seek").value(0), Value::Null),
    };
    let call = call.key(drawn.key);
    let answer = call.clone().value(answer);
    Entry { slot: drawn.slot, process: drawn.process, call, answer }
}

// The definitions.

impl Drawn {
    fn answered(&self) -> bool {
        self.slot.outcome == Outcome::Ok
    }

    /// What a consumer is known to have got.
    fn got(&self) -> impl Iterator<Item = u64> {
        let taken = match &self.what {
            What::Take(taken, _) if self.answered() => taken.as_slice(),
            _ => &[],
        };
        taken.iter().map(|&(_, value)| value)
    }

    /// Whether it was a last poll, and nothing came.
    fn is_end(&self) -> bool {
        let empty = |taken: &Vec<_>| taken.is_empty();
        self.answered() && matches!(&self.what, What::Take(taken, Some(true)) if empty(taken))
    }

    /// Whether the consumer may be anywhere in the log after it.
    fn loses_place(&self) -> bool {
        match self.what {
            What::Put(_) => false,
            What::Take(..) => matches!(self.slot.outcome, Outcome::Info | Outcome::Open),
            What::Seek => self.slot.outcome != Outcome::Fail,
        }
    }

    /// The gaps between events, by the place before each, in which it may take effect; without an answer it
    /// may be in any later one.
    fn moments(&self) -> std::ops::Range<u32> {
        const AFTER_ALL: u32 = 2 * CALLS as u32 + 1;
        self.slot.start..if self.answered() { self.slot.end } else { AFTER_ALL }
    }
}

/// Whether a put that happened comes before a poll in all worlds.
fn is_surely_before(put: &Drawn, poll: &Drawn) -> bool {
    let first = |put: u32| poll.moments().all(|poll| put < poll);
    // It may as well not have happened, or after all else.
    put.answered() && put.moments().all(first)
}

/// A put that never arrived, by its place among the calls, and the consumer that missed it, where each is to
/// see all.
type Missing = (usize, Option<u64>);

/// What never arrived of one log, and whether any consumer came to its end.
fn missing(calls: &[&Drawn], by_each: bool) -> (BTreeSet<Missing>, bool) {
    let knows_its_place = |end: &Drawn| {
        let mut own = calls.iter().filter(|call| call.process == end.process);
        !own.any(|call| call.loses_place() && call.slot.start < end.slot.start)
    };
    let ends: Vec<&Drawn> =
        calls.iter().copied().filter(|call| call.is_end() && knows_its_place(call)).collect();
    let mut missing = BTreeSet::new();
    for (place, put) in calls.iter().enumerate() {
        let What::Put(value) = put.what else { continue };
        for end in ends.iter().filter(|end| is_surely_before(put, end)) {
            let consumers = calls.iter().filter(|call| !by_each || call.process == end.process);
            if !consumers.flat_map(|call| call.got()).any(|got| got == value) {
                missing.insert((place, by_each.then_some(end.process)));
            }
        }
    }
    (missing, !ends.is_empty())
}

/// The put and the consumer that an anomaly tells of; `None` where its calls do not bear it out.
fn told(anomaly: &Anomaly, starts: &[u64], calls: &[Drawn], by_each: bool) -> Option<Missing> {
    let [put, end] = anomaly.ops[..] else { return None };
    let place = |start: u64| starts.iter().position(|&it| it == start);
    let (put, end) = (place(put)?, place(end)?);
    let (name, consumer) = match by_each {
        true => ("missed-change", Some(calls[end].process)),
        false => ("never-seen", None),
    };
    let right = calls[end].is_end()
        && is_surely_before(&calls[put], &calls[end])
        && calls[put].key == calls[end].key
        && anomaly.key == Some(json!(calls[put].key))
        && anomaly.name == name;
    right.then_some((put, consumer))
}

fn judge(seed: u64, shape: &Shape) -> Validity {
    let calls = drawn(&mut Draw(seed), shape);
    let history = history(calls.iter().map(|drawn| entry(drawn, shape)));
    let verdict = Unseen { by_each: shape.by_each }.check(&history);
    let context = || format!("{}, seed {seed}: {calls:#?} {verdict:#?}", shape.name);
    let starts: Vec<u64> = history.operations().map(|it| it.start()).collect();
    let (mut wrong, mut open) = (false, false);
    for key in 0..shape.keys {
        let places: Vec<usize> = (0..calls.len()).filter(|&at| calls[at].key == key).collect();
        let own: Vec<&Drawn> = places.iter().map(|&at| &calls[at]).collect();
        let (missing, ended) = missing(&own, shape.by_each);
        let expected: BTreeSet<Missing> =
            missing.into_iter().map(|(put, consumer)| (places[put], consumer)).collect();
        let anomalies = verdict.anomalies.iter().filter(|it| it.key == Some(json!(key)));
        let mut found = BTreeSet::new();
        for anomaly in anomalies {
            let told = told(anomaly, &starts, &calls, shape.by_each);
            let told = told.unwrap_or_else(|| panic!("{anomaly:?}: {}", context()));
            assert!(found.insert(told), "told twice: {}", context());
        }
        match expected.len() > TOLD {
            true => assert!(found.len() == TOLD && found.is_subset(&expected), "{}", context()),
            false => assert_eq!(found, expected, "{}", context()),
        }
        wrong |= !expected.is_empty();
        open |= !ended && !own.is_empty();
    }
    let expected = match (wrong, open) {
        (true, _) => Validity::Invalid,
        (false, true) => Validity::Unknown,
        (false, false) => Validity::Valid,
    };
    assert_eq!(verdict.validity, expected, "{}", context());
    assert_eq!(verdict.unknowns.is_empty(), !open, "{}", context());
    expected
}

#[test]
fn what_never_arrived() {
    for shape in &SHAPES {
        let verdicts: Vec<Validity> =
            seeds().into_par_iter().map(|seed| judge(seed, shape)).collect();
        let all = verdicts.len();
        let of = |it: Validity| verdicts.iter().filter(|&&verdict| verdict == it).count();
        let [valid, invalid, unknown] =
            [Validity::Valid, Validity::Invalid, Validity::Unknown].map(of);
        println!(
            "{}: {all} histories, {valid} valid, {invalid} invalid, {unknown} unknown, 0 mismatches",
            shape.name
        );
        if all > 1_000 {
            let least = valid.min(invalid).min(unknown);
            assert!(least > all / 20, "{} is one-sided", shape.name);
        }
    }
}
