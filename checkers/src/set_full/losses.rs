//! All that a history lost, in one sentence: how much, through which nodes, when, and under which faults.

use std::collections::BTreeMap;

use serde_json::json;
use tribunal_history::{Fault, History};

use super::element::{Element, Outcome, Tally};
use super::ended;
use crate::Anomaly;
use crate::blame::{ids, list, named, overlaps};
use crate::times::seconds;

/// Faults that a sentence names; of more it says how many.
const NAMED: usize = 3;

/// Puts it before what is told of the first lost element. One alone says enough of itself.
pub(super) fn sum_up(anomalies: &mut [Anomaly], tallies: &[&Tally], history: &History) {
    let elements = || tallies.iter().flat_map(|tally| &tally.elements);
    let lost: Vec<&Element> = elements().filter(|it| it.outcome() == Outcome::Lost).collect();
    let first = anomalies.iter_mut().find(|anomaly| anomaly.name == "lost-element");
    let Some(first) = first.filter(|_| lost.len() > 1) else { return };
    let from = lost.iter().map(|element| element.add.invoked_at()).min().unwrap_or(0);
    let until = lost.iter().map(|element| ended(&element.add)).max().unwrap_or(from);
    let faults = history.faults();
    let faults: Vec<&Fault> = faults.iter().filter(|it| overlaps(it, &(from..=until))).collect();
    first.message = format!(
        "{} elements are lost, and {} were acknowledged in all. The lost were added{} from {} to {}{}. \
         The first of them: {}",
        lost.len(),
        elements().filter(|element| element.acknowledged).count(),
        through(&lost),
        seconds(from),
        seconds(until),
        under(&faults),
        first.message,
    );
    first.details.insert("lost".to_owned(), json!(lost.len()));
    first.details.insert("faults".to_owned(), ids(&faults));
}

/// ` through n1 (1102) and n4 (1088)`.
fn through(lost: &[&Element]) -> String {
    let mut nodes: BTreeMap<String, usize> = BTreeMap::new();
    for node in lost.iter().filter_map(|element| element.add.node()) {
        *nodes.entry(node.to_string()).or_default() += 1;
    }
    let nodes: Vec<String> =
        nodes.iter().map(|(node, count)| format!("{node} ({count})")).collect();
    if nodes.is_empty() { String::new() } else { format!(" through {}", list(&nodes)) }
}

/// `, under partition-one n1 from 5.000 s to 9.000 s`.
fn under(faults: &[&Fault]) -> String {
    let mut named: Vec<String> = faults.iter().take(NAMED).map(|fault| named(fault)).collect();
    match faults.len().checked_sub(NAMED) {
        Some(more @ 1..) => named.push(format!("{more} faults more")),
        _ => {}
    }
    if named.is_empty() { String::new() } else { format!(", under {}", list(&named)) }
}
