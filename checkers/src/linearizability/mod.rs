//! Linearizability of registers and compare-and-set registers.
//!
//! A history is linearizable if every call can be given one instant between its
//! invocation and its acknowledgement at which it took effect, so that each
//! answer is the one a single register would have given (Herlihy and Wing, ACM
//! TOPLAS 12(3), 1990). It is so iff the calls on each object are, so every key
//! is judged by itself:
//!
//! - [`register`] parses the calls;
//! - [`blocks`] decides in linear time where every value is set only once;
//! - [`search`] decides the rest within a budget, or says how far it got.
//!
//! A call without answer may take effect at any time after its invocation, or
//! never; one that failed did not happen. Several keys in one call are not
//! judged here, nor other objects than registers.
//!
//! ```
//! use tribunal_checkers::{Checker, Linearizable, Validity};
//! use tribunal_history::History;
//! let history = History::parse(r#"
//! {"time":1,"process":0,"type":"invoke","f":"write","value":7}
//! {"time":2,"process":0,"type":"ok","f":"write","value":7}
//! {"time":3,"process":1,"type":"invoke","f":"read"}
//! {"time":4,"process":1,"type":"ok","f":"read","value":null}"#)?;
//! let verdict = Linearizable::default().check(&history);
//! assert_eq!(verdict.validity, Validity::Invalid);
//! println!("{}", verdict.anomalies[0].message);
//! # Ok::<(), tribunal_history::HistoryError>(())
//! ```

pub mod blocks;
pub mod counter;
mod crashed;
mod dense;
pub mod engine;
mod explanation;
mod frontier;
mod gaps;
pub mod ids;
mod judge;
pub mod lock;
pub mod log;
pub mod model;
pub mod models;
mod moments;
pub mod priority;
mod process;
pub mod queue;
mod range_min;
mod reduction;
pub mod register;
pub mod search;
pub mod set;
mod stabs;
pub mod stack;
mod timeline;
mod told;
mod wording;

pub use judge::Judge;
pub use timeline::timeline;

use rayon::prelude::*;
use serde_json::Value;
use tribunal_history::History;

use crate::{Anomaly, Checker, Verdict};
use blocks::Conflict;
use register::Object;
use search::Outcome;

/// Judges whether each key of a history is a linearizable register.
#[derive(Clone, Debug, PartialEq)]
pub struct Linearizable {
    /// What every register holds before the first call; null is an absent value.
    pub initial: Value,
    /// Configurations that a search may look at or compare for one key before it gives up: a
    /// microsecond each at the worst.
    pub budget: u64,
}

impl Default for Linearizable {
    fn default() -> Self {
        Self { initial: Value::Null, budget: 50_000_000 }
    }
}

impl Checker for Linearizable {
    fn check(&self, history: &History) -> Verdict {
        let objects = match register::parse(history, &self.initial) {
            Ok(objects) => objects,
            Err(bad) => return Verdict::unknown(bad.to_string()),
        };
        let judge = |object: &Object| judge(object, self.budget);
        let rulings: Vec<Ruling> = objects.par_iter().map(judge).collect();
        summarize(&objects, rulings)
    }

    fn objection(&self, history: &History) -> Option<String> {
        register::parse(history, &self.initial).err().map(|bad| bad.to_string())
    }
}

/// What is known of one object.
enum Ruling {
    Blocks(Result<(), Conflict>),
    Search(Outcome),
}

fn judge(object: &Object, budget: u64) -> Ruling {
    let (ops, values) = (&object.ops, object.values.len());
    if let Some(op) = reduction::unwritten(ops, values) {
        return Ruling::Blocks(Err(Conflict::Unwritten { observer: op.call }));
    }
    match blocks::check(ops, values) {
        Some(Err(conflict)) => Ruling::Blocks(Err(conflict)),
        Some(Ok(())) if !reduction::has_negative(ops) => Ruling::Blocks(Ok(())),
        _ => Ruling::Search(search::check(ops, values, budget)),
    }
}

fn summarize(objects: &[Object], rulings: Vec<Ruling>) -> Verdict {
    let mut anomalies: Vec<Anomaly> = Vec::new();
    let mut doubts: Vec<String> = Vec::new();
    let (mut by_blocks, mut by_search, mut steps) = (0, 0, 0);
    for (object, ruling) in objects.iter().zip(rulings) {
        match &ruling {
            Ruling::Blocks(_) => by_blocks += 1,
            Ruling::Search(_) => by_search += 1,
        }
        match ruling {
            Ruling::Blocks(Ok(())) => {}
            Ruling::Blocks(Err(conflict)) => anomalies.push(object.explain(&conflict)),
            Ruling::Search(Outcome::Linearizable { steps: taken }) => steps += taken,
            Ruling::Search(Outcome::Stuck(stuck)) => anomalies.push(object.explain_stuck(&stuck)),
            Ruling::Search(other) => doubts.push(object.explain_doubt(&other)),
        }
    }
    let mut verdict = Verdict::of(anomalies)
        .fact("keys", objects.len())
        .fact("calls", objects.iter().map(|object| object.calls.len()).sum::<usize>())
        .fact("keys_judged_by_blocks", by_blocks)
        .fact("keys_judged_by_search", by_search)
        .fact("search_steps", steps);
    doubts.into_iter().for_each(|doubt| verdict.doubt(doubt));
    verdict
}
