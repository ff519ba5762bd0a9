//! Lost, unexpected and duplicated values in words.

use serde_json::{Map, Value};
use tribunal_history::{Kind, Nanos, Operation, ValueRef};

use super::TOLD;
use super::tally::{Loss, Take, Tally};
use crate::Anomaly;
use crate::blame::list;
use crate::times::seconds;

/// The most values named in a sentence.
const NAMED: usize = 5;

/// All that is wrong with a queue; of each kind only the first few.
pub(super) fn anomalies(tally: &Tally, at_most_once: bool) -> Vec<Anomaly> {
    let mut all: Vec<Anomaly> = tally.lost().iter().flat_map(lost).collect();
    all.extend(tally.unexpected.iter().take(TOLD).map(unexpected));
    if at_most_once {
        all.extend(tally.duplicated.iter().take(TOLD).map(duplicated));
    }
    all
}

fn ended(call: &Operation) -> Nanos {
    call.completed_at().unwrap_or_else(|| call.invoked_at())
}

/// "p3's drain (0.300–0.310 s)".
fn noun(call: &Operation) -> String {
    let from = seconds(call.invoked_at());
    match call.is_ok() || call.kind() == Kind::Fail {
        true => {
            let until = seconds(ended(call));
            let from = from.trim_end_matches(" s");
            format!("{}'s {} ({from}–{until})", call.process(), call.f())
        }
        false => format!("{}'s {} (from {from}, outcome unknown)", call.process(), call.f()),
    }
}

/// One anomaly a value if all of them are lost; one for all if calls without answer may have taken some.
fn lost(loss: &Loss) -> Vec<Anomaly> {
    let empty = noun(&loss.empty);
    if loss.takes == 0 {
        let one = |put: &Operation| {
            let value = put.argument();
            let at = seconds(ended(put));
            let message = format!(
                "{value} is lost: {}'s {} of it had been acknowledged at {at} and no call took it out, \
                 but {empty} left nothing behind",
                put.process(),
                put.f()
            );
            anomaly("lost-value", message, &[*put, loss.empty], Some(value))
        };
        return loss.puts.iter().take(TOLD).map(one).collect();
    }
    let named: Vec<String> =
        loss.puts.iter().take(NAMED).map(|put| put.argument().to_string()).collect();
    let others = match loss.puts.len() > NAMED {
        true => format!("{}, …", named.join(", ")),
        false => list(&named),
    };
    let message = format!(
        "at least {} of {} acknowledged values ({others}) are lost: none of them was seen to come out, \
         {empty} left nothing behind, and only {} without an answer can have taken one each",
        loss.certain(),
        loss.puts.len(),
        if loss.takes == 1 { "1 call".to_owned() } else { format!("{} calls", loss.takes) },
    );
    let calls: Vec<Operation> = loss.puts.iter().copied().chain([loss.empty]).collect();
    vec![anomaly("lost-value", message, &calls, None)]
}

fn unexpected(Take { value, take, put }: &Take) -> Anomaly {
    let why = match put {
        Some(put) if put.kind() == Kind::Fail => {
            format!("it was never put in: {} had failed", noun(put))
        }
        Some(put) => format!("it was put in only later, by {}", noun(put)),
        None => "it was never put in".to_owned(),
    };
    let message = format!("{} took {value}, but {why}", noun(take));
    let calls: Vec<Operation> = [Some(*take), *put].into_iter().flatten().collect();
    anomaly("unexpected-value", message, &calls, Some(*value))
}

fn duplicated(Take { value, take, put }: &Take) -> Anomaly {
    let by = put.as_ref().map_or_else(String::new, |put| format!(", first by {}", noun(put)));
    let message = format!("{} took {value} once more than it was put in{by}", noun(take));
    let calls: Vec<Operation> = [Some(*take), *put].into_iter().flatten().collect();
    anomaly("duplicated-value", message, &calls, Some(*value))
}

fn anomaly(name: &str, message: String, calls: &[Operation], value: Option<ValueRef>) -> Anomaly {
    let mut ops: Vec<u64> = calls.iter().map(Operation::start).collect();
    ops.sort_unstable();
    ops.dedup();
    let from = calls.iter().map(Operation::invoked_at).min();
    let until = calls.iter().map(ended).max();
    let value = value.map(|value| ("value".to_owned(), Value::from(value)));
    let (name, key) = (name.to_owned(), None);
    Anomaly { name, message, key, ops, window: from.zip(until), details: Map::from_iter(value) }
}
