//! Liveness: calls succeed again within the bound that the database names for itself.
//!
//! Only a system model says when that is promised: in a partially synchronous system once the last
//! fault is over, in a synchronous one also while some nodes are dead, for the others. Asynchronous
//! systems promise nothing (Fischer, Lynch and Paterson). What is judged is a **stretch**: the time
//! at one node without an acknowledged call, from where the promise begins, or from the last call
//! that was acknowledged since. Accused is who let a stretch grow longer than the bound although
//! enough calls were *made* after the bound had passed, and each of them ended without an answer.
//!
//! What it deliberately is not: a measure of latency, or of availability. And it accuses nobody
//!
//! - whose node could not be reached when the faults were healed (the run records that),
//! - who answered: a call that failed for a reason of its own is an answer,
//! - for what may have been the client program's own doing; where it certainly was, the run has marked the call,
//! - who had not served before the first fault either,
//! - where too little was tried; that is `unknown`.

mod periods;
mod stretch;
mod wording;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tribunal_history::{EventRef, Fault, History, Nanos, Operation, Process};

use crate::times::seconds;
use crate::{Anomaly, Checker, Verdict};
use periods::Period;
use stretch::{Call, Stretch};

/// How many calls must have been made in vain.
const ENOUGH: usize = 5;
/// More anomalies of one kind say nothing more.
const MOST: usize = 8;

/// The name of the nemesis' event that says which nodes could be reached after the last heal.
pub const REACHED: &str = "reached";

/// The value of that event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reached {
    /// Nodes that answered.
    pub reached: Vec<String>,
    /// Nodes that did not.
    pub lost: Vec<String>,
}

/// The mark, in a completion's `ext`, of a call that failed by the client program's own fault: it crashed, did not
/// start, or broke the protocol.
pub const BY_CLIENT: &str = "by_client";

/// When calls must succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Promise {
    /// Once the last fault is over.
    AfterFaults,
    /// Also while a minority of the nodes is dead, at the others.
    Always,
}

/// Judges liveness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Liveness {
    /// How long the database may take to recover, by its own word, in nanoseconds.
    #[serde(rename = "bound_ns")]
    pub bound: Nanos,
    /// When it must.
    pub promise: Promise,
}

impl Checker for Liveness {
    fn check(&self, history: &History) -> Verdict {
        let faults = history.faults();
        if let Some(fault) = faults.iter().find(|fault| fault.until.is_none()) {
            let why = "was never seen to be undone, so nobody knows when the database must recover";
            return Verdict::unknown(format!("liveness was not judged: {} {why}", fault.name));
        }
        let Some(reached) = reached(history) else {
            return Verdict::unknown(
                "liveness was not judged: it was not recorded which nodes could be reached after \
                 the last fault",
            );
        };
        let nodes = nodes(history);
        let periods = periods::of(&faults, &nodes, self.promise);
        self.judge(history, &faults, &reached, &nodes, &periods)
    }
}

impl Liveness {
    fn judge(
        &self,
        history: &History,
        faults: &[Fault],
        reached: &Reached,
        nodes: &[&str],
        periods: &[Period],
    ) -> Verdict {
        let calls = stretch::calls(history);
        let begun = faults.iter().map(|fault| fault.from).min();
        let (mut anomalies, mut doubts) = (Vec::new(), Vec::new());
        let mut silent = BTreeSet::new();
        for node in nodes.iter().copied().filter(|node| !reached.lost.iter().any(|it| it == node)) {
            let Some(calls) = calls.get(node) else { continue };
            if let Some(begun) = begun
                && !calls.iter().any(|call| call.is_ok() && call.ended < begun)
            {
                doubts.push(format!(
                    "liveness was not judged on {node}: it answered no call before the first fault either"
                ));
                continue;
            }
            for period in periods.iter().filter(|period| !period.down.contains(node)) {
                match stretch::longest(calls, period, self.bound) {
                    Ok(Some(stretch)) => {
                        silent.insert(node);
                        anomalies.push(self.of_node(node, period, &stretch, calls));
                    }
                    Ok(None) => {}
                    // A short period between two faults owes nobody a call.
                    Err(why) if period.end.is_none() => {
                        doubts.push(wording::untested(node, period, self.bound, &why))
                    }
                    Err(_) => {}
                }
            }
        }
        if let Some(last) = periods.iter().find(|period| period.end.is_none()) {
            let others = |node: &str| {
                nodes.contains(&node) && !silent.contains(node) && !last.down.contains(node)
            };
            anomalies.extend(self.of_keys(history, last, others));
        }
        anomalies.truncate(MOST);
        let from = periods.iter().map(|period| period.start).max().unwrap_or(0);
        let mut verdict = Verdict::of(anomalies);
        doubts.into_iter().for_each(|why| verdict.doubt(why));
        verdict
            .fact("bound_ms", self.bound / 1_000_000)
            .fact("last_fault_over_ns", from)
            .fact("judged", json!(nodes))
    }

    fn of_node(&self, node: &str, period: &Period, stretch: &Stretch, calls: &[Call]) -> Anomaly {
        let before = calls.iter().filter(|call| call.is_ok() && call.ended < period.start).count();
        Anomaly {
            name: "not-live".to_owned(),
            message: wording::node(node, period, stretch, self.bound, before),
            key: None,
            ops: stretch.calls.iter().take(MOST).map(|call| call.index).collect(),
            window: Some((stretch.from, stretch.to)),
            details: wording::details(&[("node", json!(node))], period, stretch, self.bound),
        }
    }

    /// Keys of which no call succeeds, although their nodes serve others.
    fn of_keys(
        &self,
        history: &History,
        period: &Period,
        node_serves: impl Fn(&str) -> bool,
    ) -> Vec<Anomaly> {
        let mut keys: BTreeMap<String, (serde_json::Value, Vec<Call>)> = BTreeMap::new();
        for operation in history.operations() {
            let (Some(key), Some(call)) = (operation.key(), Call::of(&operation)) else { continue };
            let key = serde_json::Value::from(key);
            keys.entry(key.to_string()).or_insert_with(|| (key, Vec::new())).1.push(call);
        }
        let mut anomalies = Vec::new();
        for (key, calls) in keys.into_values() {
            // A call at a node that is silent altogether says nothing of the key.
            let served = calls.iter().filter(|call| call.node.as_deref().is_some_and(&node_serves));
            let mut served: Vec<Call> = served.cloned().collect();
            served.sort_by_key(|call| call.ended);
            let answered = served.iter().any(|call| call.is_ok() && call.ended >= period.start);
            let Ok(Some(stretch)) = stretch::longest(&served, period, self.bound) else { continue };
            let nodes: BTreeSet<&str> =
                stretch.calls.iter().filter_map(|call| call.node.as_deref()).collect();
            if answered || nodes.len() < 2 {
                continue;
            }
            anomalies.push(Anomaly {
                name: "not-live".to_owned(),
                message: wording::key(&key, &nodes, period, &stretch, self.bound),
                ops: stretch.calls.iter().take(MOST).map(|call| call.index).collect(),
                window: Some((stretch.from, stretch.to)),
                details: wording::details(&[("nodes", json!(nodes))], period, &stretch, self.bound),
                key: Some(key),
            });
        }
        anomalies
    }
}

/// The nodes that calls went to, by name.
fn nodes(history: &History) -> Vec<&str> {
    let nodes: BTreeSet<&str> =
        history.operations().filter_map(|it| Operation::node(&it)).collect();
    nodes.into_iter().collect()
}

/// Which nodes could be reached after the last heal, as the run has recorded it.
fn reached(history: &History) -> Option<Reached> {
    let told = |event: EventRef| event.process() == Process::Nemesis && event.f() == REACHED;
    let last = history.events().rfind(|event| told(*event))?;
    Reached::deserialize(last.value().to_value()).ok()
}

/// A moment, for a sentence.
fn at(time: Nanos) -> String {
    seconds(time)
}
