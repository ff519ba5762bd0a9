//! Faults as explanations: which of them were in force around an anomaly, and
//! how a message names them.
//!
//! Nothing here accuses. A checker first convicts by the calls alone and asks
//! afterwards what the nemesis was doing at the time.

use std::ops::RangeInclusive;

use serde_json::Value;
use tribunal_history::{Fault, Nanos};

use crate::times::seconds;

/// A stretch of the run.
pub(crate) type Window = RangeInclusive<Nanos>;

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list<S: AsRef<str>>(items: &[S]) -> String {
    match items {
        [] => String::new(),
        [only] => only.as_ref().to_owned(),
        [most @ .., last] => {
            let most: Vec<&str> = most.iter().map(AsRef::as_ref).collect();
            format!("{} and {}", most.join(", "), last.as_ref())
        }
    }
}

/// Ids of faults, for an anomaly's details.
pub(crate) fn ids(faults: &[&Fault]) -> Value {
    faults.iter().map(|fault| fault.id).collect()
}

/// Whether the fault moves a wall clock.
pub(crate) fn moves_clocks(fault: &Fault) -> bool {
    fault.name.starts_with("clock")
}

/// Whether the fault keeps packets of some nodes from others.
pub(crate) fn is_partition(fault: &Fault) -> bool {
    fault.name.starts_with("partition")
}

/// Whether the fault stops a node's processes without ending them.
pub(crate) fn is_pause(fault: &Fault) -> bool {
    &*fault.name == "pause"
}

/// Whether the fault may have acted within the window.
pub(crate) fn overlaps(fault: &Fault, window: &Window) -> bool {
    fault.may_overlap(*window.start(), *window.end())
}

/// Whether the fault harmed this node: it is among the victims, or a partition
/// keeps its packets from somebody.
pub(crate) fn touches(fault: &Fault, node: &str) -> bool {
    fault.nodes.iter().any(|victim| &**victim == node) || cuts(fault, node)
}

fn cuts(fault: &Fault, node: &str) -> bool {
    let Some(cuts) = fault.plan.get("cuts").and_then(Value::as_object) else { return false };
    cuts.iter().any(|(dropper, sources)| {
        let sources = sources.as_array().map_or(&[][..], Vec::as_slice);
        !sources.is_empty()
            && (dropper == node || sources.iter().any(|source| source.as_str() == Some(node)))
    })
}

/// What the plan of a fault says that it does to a node's clock.
struct Moved {
    /// Ahead, in nanoseconds.
    offset: i128,
    /// How much faster it runs, in parts per million.
    ppm: i128,
    /// Whether it goes back again and again.
    strobes: bool,
}

/// What a fault does to a node's clock; `None` where the plan does not tell.
fn moved(fault: &Fault, node: &str) -> Option<Moved> {
    let number = |value: Option<&Value>| value.and_then(Value::as_i64).map_or(0, i128::from);
    if !moves_clocks(fault) {
        return Some(Moved { offset: 0, ppm: 0, strobes: false });
    }
    if let Some(offsets) = fault.plan.get("offsets_ns") {
        return Some(Moved { offset: number(offsets.get(node)), ppm: 0, strobes: false });
    }
    let clock = fault.plan.get("clocks")?.get(node);
    let part = |name: &str| number(clock.and_then(|clock| clock.get(name)));
    let (offset, ppm) = (part("offset_ns"), part("ppm"));
    Some(Moved { offset, ppm, strobes: part("strobe_ms") != 0 })
}

/// By how much the fault moves this node's clock, at the farthest; 0 where it does not, or does not tell.
pub(crate) fn clock_offset(fault: &Fault, node: &str) -> i128 {
    let Some(Moved { offset, ppm, .. }) = moved(fault, node) else { return 0 };
    let lasts = fault.until.unwrap_or(i64::MAX as u64).saturating_sub(fault.from);
    offset + ppm * i128::from(lasts) / 1_000_000
}

/// The same of a clock that stays where it was put for as long as the fault acts; `None` if it does
/// not, or if that is not told.
pub(crate) fn steady_offset(fault: &Fault, node: &str) -> Option<i128> {
    let steady = moved(fault, node).filter(|moved| moved.ppm == 0 && !moved.strobes);
    steady.map(|moved| moved.offset)
}

/// The least and the most by which the faults can have moved a node's clock at
/// an instant of the window. A fault whose outer window only touches it may
/// have acted or not; one whose inner window spans it certainly did.
pub(crate) fn clock_bounds(faults: &[Fault], node: &str, window: &Window) -> (i128, i128) {
    let mut bounds = (0, 0);
    for fault in faults.iter().filter(|fault| overlaps(fault, window)) {
        let offset = clock_offset(fault, node);
        let steady = steady_offset(fault, node).is_some();
        let spans = steady
            && fault.injected.is_some_and(|injected| injected <= *window.start())
            && fault.heal.is_none_or(|heal| heal >= *window.end());
        bounds.0 += if spans { offset } else { offset.min(0) };
        bounds.1 += if spans { offset } else { offset.max(0) };
    }
    bounds
}

/// When the fault acted, in words: `since 9.000 s`, `from 9.000 s to 13.900 s`.
pub(crate) fn when(fault: &Fault) -> String {
    let from = fault.injected.unwrap_or(fault.from);
    match fault.until.or(fault.heal) {
        Some(until) => format!("from {} to {}", seconds(from), seconds(until)),
        None => format!("since {}", seconds(from)),
    }
}

/// A fault in words: `partition-halves {n1 n2 | n3} from 5.000 s to 9.000 s`.
pub(crate) fn named(fault: &Fault) -> String {
    let plan = match &*fault.summary {
        "" => list(&fault.nodes),
        summary => summary.to_owned(),
    };
    // A plan in words may open with the fault's own name.
    let plan = plan.strip_prefix(&*fault.name).unwrap_or(&plan).trim_start_matches([':', ' ']);
    let space = if plan.is_empty() { "" } else { " " };
    format!("{}{space}{plan} {}", fault.name, when(fault))
}
