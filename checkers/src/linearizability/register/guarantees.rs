//! Session guarantees as a promise of their own (Terry et al., PDIS 1994): for stores that never
//! said that they were linearizable.
//!
//! A guarantee is broken where no order of a register's values gives it to every session
//! ([`levels`](super::levels)). The witness is what is left of the calls when all are taken away
//! that the contradiction does not need; with a write go the reads of its value.
//!
//! A value that nobody wrote is no server's, in whatever order: who reads one accuses the store alone.

use serde_json::{Value, json};
use tribunal_history::{History, Operation, Process};

use super::explanation::Finding;
use super::levels::{Levels, levels};
use super::object::Object;
use super::op::{INITIAL, Op, ValueId};
use super::parse::Calls;
use crate::linearizability::told::did;
use crate::{Anomaly, Checker, Verdict};

/// Judges whether the sessions of each register have what they were promised. A session is a process.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionGuarantees {
    /// What every register holds before the first call; null is an absent value.
    pub initial: Value,
}

/// How the ladder tells of a guarantee.
type Told = fn(&Levels) -> Option<bool>;

/// The four guarantees: the anomaly's name, what it means, and how the ladder knows it.
const GUARANTEES: [(&str, &str, Told); 4] = [
    ("read-your-writes", "a session reads its own last write, or a newer one", |levels| {
        levels.read_your_writes
    }),
    ("monotonic-reads", "a session never reads an older value than before", |levels| {
        levels.monotonic_reads
    }),
    ("monotonic-writes", "the writes of a session come in its order", |levels| {
        levels.monotonic_writes
    }),
    ("writes-follow-reads", "a write comes after what its session has read", |levels| {
        levels.writes_follow_reads
    }),
];

impl Checker for SessionGuarantees {
    fn check(&self, history: &History) -> Verdict {
        let calls = match Calls::read(history, &self.initial) {
            Ok(calls) => calls,
            Err(bad) => return Verdict::objected(bad.to_string()),
        };
        let rulings = calls.map(|object| judge(&object));
        let (keys, mut anomalies, mut open) = (rulings.len(), Vec::new(), 0);
        for (found, unknown) in rulings {
            anomalies.extend(found);
            open += usize::from(unknown);
        }
        let mut verdict = Verdict::of(anomalies).fact("keys", keys);
        if open > 0 {
            verdict.doubt(format!(
                "{open} keys hold values that were written more than once, or by nobody, or swaps \
                 that do not tell what they found: whether their sessions have what they were \
                 promised is not known; write every value once"
            ));
        }
        verdict
    }
}

/// What is broken of one register, and whether something is not known of it.
fn judge(object: &Object) -> (Vec<Anomaly>, bool) {
    let found = of(object, &object.ops);
    let broken = GUARANTEES.into_iter().filter(|(_, _, kept)| kept(&found) == Some(false));
    let mut anomalies: Vec<Anomaly> = broken
        .map(|(name, meaning, kept)| {
            let witness = least(object, |ops| kept(&of(object, ops)) == Some(false));
            breach(object, name, meaning, &witness)
        })
        .collect();
    // Where writes are out of order the other three are not asked for.
    let unknown =
        anomalies.is_empty() && GUARANTEES.iter().any(|(.., kept)| kept(&found).is_none());
    anomalies.extend(strays(object));
    (anomalies, unknown)
}

/// The first read of each value that no call set.
fn strays(object: &Object) -> Vec<Anomaly> {
    let mut known = vec![false; object.values];
    known[INITIAL as usize] = true;
    object
        .ops
        .iter()
        .filter_map(|op| op.action.produces())
        .for_each(|it| known[it as usize] = true);
    let mut is_news = |value: ValueId| !std::mem::replace(&mut known[value as usize], true);
    let answered = object.ops.iter().filter(|op| !op.crashed());
    answered
        .filter(|op| op.action.observes().is_some_and(&mut is_news))
        .map(|op| stray(object, op.call))
        .collect()
}

fn stray(object: &Object, reader: u32) -> Anomaly {
    let Finding { kind, message, calls } = object.unwritten(reader);
    let name = if kind == "unwritten" { "thin-air-read" } else { kind };
    let calls: Vec<Operation> = calls.into_iter().map(|call| object.call(call)).collect();
    anomaly(object, name, &message, &calls)
}

fn of(object: &Object, ops: &[Op]) -> Levels {
    let session = |op: &Op| match object.call(op.call).process() {
        Process::Client(number) => number as u32,
        Process::Nemesis => u32::MAX,
    };
    let sessions: Vec<u32> = ops.iter().map(session).collect();
    levels(ops, &sessions, object.values)
}

/// Calls that are still `broken`, and are not without any one of them: ever smaller parts are taken
/// away as long as that is so (Zeller and Hildebrandt's delta debugging).
fn least(object: &Object, broken: impl Fn(&[Op]) -> bool) -> Vec<Op> {
    let mut ops = object.ops.clone();
    let mut part = ops.len().div_ceil(2);
    while part > 0 {
        let mut from = 0;
        while from < ops.len() {
            let fewer = without(&ops, from..(from + part).min(ops.len()));
            match broken(&fewer) {
                true => ops = fewer,
                false => from += part,
            }
        }
        part /= 2;
    }
    ops
}

/// The calls without some, and without those that saw what these had set.
fn without(ops: &[Op], gone: std::ops::Range<usize>) -> Vec<Op> {
    let mut lost: Vec<ValueId> =
        ops[gone.clone()].iter().filter_map(|op| op.action.produces()).collect();
    let mut kept: Vec<Op> = ops[..gone.start].iter().chain(&ops[gone.end..]).copied().collect();
    loop {
        let before = kept.len();
        kept.retain(|op| {
            let stays = op.action.observes().is_none_or(|value| !lost.contains(&value));
            if !stays {
                lost.extend(op.action.produces());
            }
            stays
        });
        if kept.len() == before {
            return kept;
        }
    }
}

/// A guarantee that these calls do not have.
fn breach(object: &Object, name: &str, meaning: &str, witness: &[Op]) -> Anomaly {
    let calls: Vec<Operation> = witness.iter().map(|op| object.call(op.call)).collect();
    let told: Vec<String> = calls.iter().map(did).collect();
    let message = format!(
        "{}; no order of the values gives every session {name}: {meaning}",
        told.join("; ")
    );
    anomaly(object, name, &message, &calls)
}

fn anomaly(object: &Object, name: &str, message: &str, calls: &[Operation]) -> Anomaly {
    let key = object.key.map(|key| key.to_value());
    let on = key.as_ref().map_or(String::new(), |key| format!("key {key}: "));
    let message = format!("{on}{message}");
    let from = calls.iter().map(Operation::invoked_at).min();
    let until = calls.iter().filter_map(Operation::completed_at).max();
    let Value::Object(details) = json!({"guarantee": name}) else { unreachable!("it is one") };
    Anomaly {
        name: name.to_owned(),
        message,
        key,
        ops: calls.iter().map(Operation::start).collect(),
        window: from.zip(until),
        details,
    }
}
