//! Lost, stale, unexpected and duplicated elements in words.

use serde_json::{Map, Value, json};
use tribunal_history::{Kind, Operation};

use super::element::{Element, Outcome, Seen, Tally};
use super::{TOLD, ended};
use crate::Anomaly;
use crate::times::{lapse, seconds};

/// All that is wrong with a set; of each kind only the first few.
pub(super) fn anomalies(tally: &Tally, linearizable: bool) -> Vec<Anomaly> {
    let lost = tally.elements.iter().filter(|element| element.outcome() == Outcome::Lost);
    let mut all: Vec<Anomaly> = lost.take(TOLD).map(lost_element).collect();
    if linearizable {
        let stale = tally.elements.iter().filter(|element| element.stale());
        all.extend(stale.take(TOLD).map(stale_element));
    }
    all.extend(tally.unexpected.iter().take(TOLD).map(unexpected));
    all.extend(tally.duplicated.iter().take(TOLD).map(duplicated));
    all
}

/// A stale element in numbers.
pub(super) fn stale(element: &Element) -> Value {
    json!({
        "element": element.value.to_value(),
        "known_ns": element.known.as_ref().map(ended),
        "last_missed_ns": element.absent.map(|read| read.invoked_at()),
        "stale_ns": element.stale_for(),
    })
}

/// "p3's read (0.300–0.310 s)".
fn noun(call: &Operation) -> String {
    let of = if call.f() == "add" { format!(" of {}", call.argument()) } else { String::new() };
    let from = seconds(call.invoked_at());
    let span = match call.is_ok() {
        true => format!("{}–{}", from.trim_end_matches(" s"), seconds(ended(call))),
        false => format!("from {from}, outcome unknown"),
    };
    format!("{}'s {}{of} ({span})", call.process(), call.f())
}

/// "p0's add of 7 was acknowledged at 0.200 s".
fn known(element: &Element) -> String {
    let Some(known) = &element.known else { return String::new() };
    let at = seconds(ended(known));
    match known.f() {
        "add" => format!("{}'s add of it had been acknowledged at {at}", known.process()),
        _ => format!("{} had seen it by {at}", noun(known)),
    }
}

fn lost_element(element: &Element) -> Anomaly {
    let missed = element.absent.as_ref().map_or_else(String::new, noun);
    let seen = match &element.present {
        Some(read) => format!("{} was the last to see it", noun(read)),
        None => "no read ever saw it".to_owned(),
    };
    let message = format!(
        "{} is lost: {}, but {missed} did not see it, nor did any read that began later; {seen}",
        element.value,
        known(element),
    );
    anomaly("lost-element", message, element, element.lost_after())
}

fn stale_element(element: &Element) -> Anomaly {
    let missed = element.absent.as_ref().map_or_else(String::new, noun);
    let message = format!(
        "{missed} did not see {}, although {}, {} before it began; later reads did see it",
        element.value,
        known(element),
        lapse(element.stale_for()),
    );
    anomaly("stale-element", message, element, element.stale_for())
}

fn anomaly(name: &str, message: String, element: &Element, latency: u64) -> Anomaly {
    let calls = [Some(element.add), element.known, element.present, element.absent];
    let calls: Vec<Operation> = calls.into_iter().flatten().collect();
    let details = Map::from_iter([
        ("element".to_owned(), element.value.to_value()),
        ("latency_ns".to_owned(), latency.into()),
    ]);
    witnessed(name, message, &calls, details)
}

fn unexpected(seen: &Seen) -> Anomaly {
    let what = &seen.value;
    let why = match &seen.add {
        Some(add) if add.kind() == Kind::Fail => format!(
            "{what} was never added: {}'s add of {what} (from {}) had failed",
            add.process(),
            seconds(add.invoked_at())
        ),
        Some(add) => format!("no call began to add {what} before {}", noun(add)),
        None => format!("{what} was never added"),
    };
    let message = format!("{} saw {what}, but {why}", noun(&seen.read));
    about("unexpected-element", message, seen)
}

fn duplicated(seen: &Seen) -> Anomaly {
    let message = format!("{} held {} more than once", noun(&seen.read), seen.value);
    about("duplicated-element", message, seen)
}

fn about(name: &str, message: String, seen: &Seen) -> Anomaly {
    let calls: Vec<Operation> = [Some(seen.read), seen.add].into_iter().flatten().collect();
    let details = Map::from_iter([("element".to_owned(), seen.value.to_value())]);
    witnessed(name, message, &calls, details)
}

fn witnessed(
    name: &str,
    message: String,
    calls: &[Operation],
    details: Map<String, Value>,
) -> Anomaly {
    let mut ops: Vec<u64> = calls.iter().map(Operation::start).collect();
    ops.sort_unstable();
    ops.dedup();
    let from = calls.iter().map(Operation::invoked_at).min();
    let until = calls.iter().map(ended).max();
    Anomaly { name: name.to_owned(), message, key: None, ops, window: from.zip(until), details }
}
