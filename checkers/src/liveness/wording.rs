//! What is said of a promise that was not kept.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use tribunal_history::{Name, Nanos};

use super::at;
use super::periods::Period;
use super::stretch::Stretch;
use crate::blame::list;

/// Of a node.
pub(super) fn node(
    node: &str,
    period: &Period,
    stretch: &Stretch,
    bound: Nanos,
    before: usize,
) -> String {
    let whole = whole(stretch);
    let earlier = if stretch.after_ok {
        String::new()
    } else {
        format!(" (before, it had acknowledged {before})")
    };
    let again = if stretch.over { "; then it served again" } else { "; that is how the run ended" };
    format!(
        "{node} acknowledged no call {whole}, {}, although the database recovers within {} by its \
         own word: {}{earlier}{again}",
        since(period, stretch),
        length(bound),
        vain(stretch),
    )
}

/// Of a key.
pub(super) fn key(
    key: &Value,
    nodes: &BTreeSet<&str>,
    period: &Period,
    stretch: &Stretch,
    bound: Nanos,
) -> String {
    let nodes: Vec<&str> = nodes.iter().copied().collect();
    format!(
        "no call on key {key} was acknowledged {}, {}, although the database recovers within {} by \
         its own word and {} served other keys: {}",
        whole(stretch),
        since(period, stretch),
        length(bound),
        list(&nodes),
        vain(stretch),
    )
}

/// Why a node was not judged.
pub(super) fn untested(node: &str, period: &Period, bound: Nanos, why: &str) -> String {
    let from = at(period.start.saturating_add(bound));
    format!("liveness was not judged on {node}: after {from}, when it had to serve again, {why}")
}

/// Numbers for machines.
pub(super) fn details(
    more: &[(&str, Value)],
    period: &Period,
    stretch: &Stretch,
    bound: Nanos,
) -> Map<String, Value> {
    let processes: BTreeSet<Name> =
        stretch.calls.iter().map(|call| call.process.to_string().as_str().into()).collect();
    let own = [
        ("promised_from_ns", json!(period.start)),
        ("bound_ns", json!(bound)),
        ("in_vain", json!(stretch.calls.len())),
        ("processes", json!(processes)),
    ];
    let all = more.iter().cloned().chain(own);
    all.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn whole(stretch: &Stretch) -> String {
    let length = length(stretch.to - stretch.from);
    format!("from {} to {} ({length})", at(stretch.from), at(stretch.to))
}

fn since(period: &Period, stretch: &Stretch) -> String {
    match (stretch.after_ok, period.end) {
        (true, _) => format!("with no fault since {}", at(period.start)),
        (false, None) if period.start == 0 => "with no fault at all".to_owned(),
        (false, None) => "since the last fault was undone".to_owned(),
        (false, Some(_)) => "since the faults were last changed".to_owned(),
    }
}

fn vain(stretch: &Stretch) -> String {
    let processes: BTreeSet<String> =
        stretch.calls.iter().map(|call| call.process.to_string()).collect();
    let (count, of) = (stretch.calls.len(), processes.len());
    let who = if of == 1 { "1 process".to_owned() } else { format!("{of} processes") };
    let error = stretch.calls.first().map_or("", |call| call.error.as_str());
    format!("{count} calls of {who} that were made after that time had no answer ({error})")
}

fn length(time: Nanos) -> String {
    format!("{:.1} s", time as f64 / 1e9)
}
