//! When liveness is promised, and whose: periods in which no fault begins or ends.

use std::collections::BTreeSet;

use serde_json::Value;
use tribunal_history::{Fault, Nanos};

use super::Promise;

/// Calls must succeed from some time after its start on, at every node that is not down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Period {
    pub start: Nanos,
    /// `None`: the end of the history.
    pub end: Option<Nanos>,
    /// Nodes that are dead meanwhile.
    pub down: BTreeSet<String>,
}

/// The periods of a history with these faults, all of which have been undone.
pub(super) fn of(faults: &[Fault], nodes: &[&str], promise: Promise) -> Vec<Period> {
    let mut moments: Vec<Nanos> = faults.iter().flat_map(moments).collect();
    moments.push(0);
    moments.sort_unstable();
    moments.dedup();
    let bounds = moments.iter().zip(moments.iter().skip(1).map(Some).chain([None]));
    let all = bounds.filter_map(|(&start, end)| period(faults, start, end.copied()));
    let majority = |period: &Period| 2 * period.down.len() < nodes.len();
    match promise {
        Promise::AfterFaults => all.filter(|it| it.end.is_none() && majority(it)).collect(),
        Promise::Always => all.filter(majority).collect(),
    }
}

/// Whatever a fault begins or ends at; between two of these all stays as it is.
fn moments(fault: &Fault) -> Vec<Nanos> {
    [Some(fault.from), fault.injected, fault.heal, fault.until].into_iter().flatten().collect()
}

/// What lies between two moments; `None` where a fault is just on its way.
fn period(faults: &[Fault], start: Nanos, end: Option<Nanos>) -> Option<Period> {
    let mut down = BTreeSet::new();
    for fault in faults {
        let (heal, until) = (fault.heal.unwrap_or(Nanos::MAX), fault.until.unwrap_or(Nanos::MAX));
        let over = start >= until;
        let before = end.is_some_and(|end| end <= fault.from);
        let steady = fault.injected.is_some_and(|injected| injected <= start)
            && end.is_some_and(|end| end <= heal);
        let dead = fault.plan.get("stays_dead") == Some(&Value::Bool(true));
        if before || (over && !dead) {
            continue;
        }
        if !steady && !over {
            return None;
        }
        down.extend(fault.nodes.iter().map(ToString::to_string));
    }
    Some(Period { start, end, down })
}
