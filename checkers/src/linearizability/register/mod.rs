//! Linearizability of registers and compare-and-set registers, each key by itself:
//!
//! - [`op`] says what a call does to a register, and [`parse`] reads the calls of a history;
//! - [`blocks`] decides in linear time where every value is set only once;
//! - [`search`] decides the rest within a budget, or says how far it got; before it gives up,
//!   `second` asks the general engine for an order.
//!
//! Several keys in one call are not judged here.

pub mod blocks;
mod causal;
mod crashed;
mod explanation;
mod failure;
mod frontier;
mod graph;
mod guarantees;
pub mod levels;
mod live;
mod object;
pub mod op;
mod parse;
mod pass;
mod recent;
mod reduction;
mod relay;
mod renaming;
pub mod search;
mod second;
mod severity;
pub mod staleness;
mod stretches;
mod versions;
mod witness;

use serde_json::Value;
use tribunal_history::History;

use crate::{Anomaly, Checker, Verdict};
use blocks::Conflict;
pub use guarantees::SessionGuarantees;
pub use object::Object;
pub use parse::{BadCall, Calls, Problem};
use search::Outcome;
use severity::Severity;

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
        if let Some(verdict) = Verdict::without_real_time(history) {
            return verdict;
        }
        let calls = match Calls::read(history, &self.initial) {
            Ok(calls) => calls,
            Err(bad) => return Verdict::objected(bad.to_string()),
        };
        let count = calls.len();
        summarize(count, calls.map(|object| Ruling::of(&object, self.budget)))
    }
}

/// What is known of one object.
#[derive(Default)]
struct Ruling {
    /// Whether it took a search.
    searched: bool,
    steps: u64,
    anomaly: Option<(Anomaly, Severity)>,
    doubt: Option<String>,
}

impl Ruling {
    fn of(object: &Object, budget: u64) -> Self {
        let (ops, values) = (&object.ops, object.values);
        match blocks::check(ops, values) {
            Some(Ok(())) => return Self::default(),
            Some(Err(conflict)) => return Self::against(object, &conflict),
            None => {}
        }
        if let Some(op) = reduction::unwritten(ops, values) {
            return Self::against(object, &Conflict::Unwritten { observer: op.call });
        }
        let ruling = Self { searched: true, ..Self::default() };
        match search::check(ops, values, budget) {
            Outcome::Linearizable { steps } => Self { steps, ..ruling },
            Outcome::Stuck(stuck) => {
                let anomaly = graded(object, object.explain_stuck(&stuck));
                Self { anomaly: Some(anomaly), ..ruling }
            }
            other => match second::order(ops, values, budget) {
                Some(steps) => Self { steps, ..ruling },
                None => Self { doubt: Some(object.explain_doubt(&other)), ..ruling },
            },
        }
    }

    fn against(object: &Object, conflict: &Conflict) -> Self {
        Self { anomaly: Some(graded(object, object.explain(conflict))), ..Self::default() }
    }
}

/// An anomaly with how bad it is, also in its details.
fn graded(object: &Object, mut anomaly: Anomaly) -> (Anomaly, Severity) {
    let severity = Severity::of(object);
    anomaly.details.insert("levels".to_owned(), severity.levels());
    anomaly.details.insert("staleness".to_owned(), severity.staleness());
    if let Some(told) = severity.told() {
        anomaly.details.insert("severity".to_owned(), told.into());
    }
    (anomaly, severity)
}

fn summarize(calls: usize, rulings: Vec<Ruling>) -> Verdict {
    let searched = rulings.iter().filter(|ruling| ruling.searched).count();
    let mut doubts: Vec<String> = Vec::new();
    let mut anomalies: Vec<Anomaly> = Vec::new();
    let (keys, mut steps, mut worst) = (rulings.len(), 0, None);
    for ruling in rulings {
        steps += ruling.steps;
        if let Some((anomaly, severity)) = ruling.anomaly {
            anomalies.push(anomaly);
            worst = Some(worst.map_or(severity, |worst| severity.worse(worst)));
        }
        doubts.extend(ruling.doubt);
    }
    let mut verdict = Verdict::of(anomalies)
        .fact("keys", keys)
        .fact("calls", calls)
        .fact("keys_judged_by_blocks", keys - searched)
        .fact("keys_judged_by_search", searched)
        .fact("search_steps", steps);
    if let Some(worst) = worst {
        verdict = verdict.fact("levels", worst.levels()).fact("staleness", worst.staleness());
    }
    doubts.into_iter().for_each(|doubt| verdict.doubt(doubt));
    verdict
}
