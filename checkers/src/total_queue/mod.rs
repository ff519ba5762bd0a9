//! What went into a queue against what came out: the semantics of Jepsen's `total-queue`, in any order.
//!
//! - *lost*: a value whose put was acknowledged never came out, though later a call found
//!   nothing left. Calls without an answer may have taken one value each (a drain any number): only
//!   what is more than those is lost for certain. Without such a call nothing is known, and the verdict is unknown.
//! - *unexpected*: a value came out that nobody put in, or before somebody did.
//! - *duplicated*: a value came out more often than it was put in. It is told, and is no
//!   fault of a queue that promises to deliver at least once, unless [`TotalQueue::at_most_once`] is asked for.
//! - *recovered*: a value came out whose put had no answer. That is right.
//!
//! Empty answers that came while something was inside for certain are judged by the
//! linearizability of an [`UnorderedQueue`](crate::linearizability::queue::UnorderedQueue), not here.

mod report;
mod tally;

use serde_json::{Map, Value, json};
use tribunal_history::History;

use crate::{Checker, Verdict, keys};
use tally::Tally;

/// Compares what went into queues with what came out.
#[derive(Clone, Copy, Debug, Default)]
pub struct TotalQueue {
    /// Whether a value may come out no more often than it went in.
    pub at_most_once: bool,
}

/// The most anomalies of one kind that are told, a queue; and the most values listed in a fact.
const TOLD: usize = 16;

impl Checker for TotalQueue {
    fn check(&self, history: &History) -> Verdict {
        if let Some(verdict) = Verdict::without_real_time(history) {
            return verdict;
        }
        let queues = match keys::each(history, Tally::of) {
            Ok(queues) => queues,
            Err(problem) => return Verdict::objected(problem),
        };
        let anomalies = |tally: &Tally| report::anomalies(tally, self.at_most_once);
        let mut verdict = Verdict::of(keys::wrong(&queues, anomalies));
        let tallies: Vec<&Tally> = queues.iter().map(|(_, tally)| tally).collect();
        verdict.facts = facts(&tallies);
        let unjudged: usize = tallies.iter().map(|tally| tally.unjudged()).sum();
        if unjudged > 0 {
            verdict.doubt(format!(
                "no call found the queue empty after {unjudged} of the values were acknowledged that \
                 never came out: whether they are lost is not known; drain the queue at the end"
            ));
        }
        verdict
    }
}

fn facts(tallies: &[&Tally]) -> Map<String, Value> {
    let sum = |count: fn(&Tally) -> usize| tallies.iter().map(|tally| count(tally)).sum::<usize>();
    let listed = |values: fn(&Tally) -> Vec<Value>| -> Value {
        tallies.iter().flat_map(|tally| values(tally)).take(TOLD).collect()
    };
    let facts = json!({
        "attempts": sum(|tally| tally.attempts),
        "acknowledged": sum(|tally| tally.acknowledged),
        "taken": sum(|tally| tally.taken),
        "takes_without_answer": sum(|tally| tally.takes.len()),
        "lost": sum(|tally| tally.lost().map_or(0, |loss| loss.certain())),
        "never_taken": sum(|tally| tally.leftovers.len()),
        "duplicated": sum(|tally| tally.duplicated.len()),
        "unexpected": sum(|tally| tally.unexpected.len()),
        "recovered": sum(|tally| tally.recovered),
        "never_taken_values": listed(|tally| {
            tally.leftovers.iter().take(TOLD).map(|put| put.argument().to_value()).collect()
        }),
        "duplicated_values": listed(|tally| {
            tally.duplicated.iter().take(TOLD).map(|twice| twice.value.to_value()).collect()
        }),
    });
    match facts {
        Value::Object(facts) => facts,
        _ => Map::new(),
    }
}
