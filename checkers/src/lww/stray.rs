//! Reads that returned what nobody can have written by then.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use tribunal_history::{Kind, Operation};

use super::register::{Register, Stray};
use super::wording::key_name;
use crate::Anomaly;
use crate::times::seconds;

/// One anomaly for each such value of a key.
pub(super) fn anomalies(register: &Register) -> Vec<Anomaly> {
    let mut seen = BTreeSet::new();
    let first = |stray: &&Stray| seen.insert(stray.read.result().map(|it| it.datum()));
    register.strays.iter().filter(first).map(|stray| stray_read(register, stray)).collect()
}

fn stray_read(register: &Register, Stray { read, write }: &Stray) -> Anomaly {
    let time = read.completion().map_or(0, |event| event.time());
    let (name, what) = match write {
        None => ("thin-air-read", "which nobody ever wrote".to_owned()),
        Some(write) if write.kind() == Kind::Fail => {
            ("aborted-read", format!("whose write by {} failed", write.process()))
        }
        Some(write) => (
            "thin-air-read",
            format!("{} before its write began", seconds(write.invoked_at().saturating_sub(time))),
        ),
    };
    let message = format!(
        "{}: {}'s read{} returned {} at {}, {what}.",
        key_name(register.key),
        read.process(),
        read.node().map_or_else(String::new, |node| format!(" through {node}")),
        read.result().map_or_else(|| "null".to_owned(), |value| value.to_string()),
        seconds(time),
    );
    Anomaly {
        name: name.into(),
        message,
        key: register.key.map(Value::from),
        ops: write.iter().chain([read]).map(Operation::start).collect(),
        window: Some((read.invoked_at(), time)),
        details: Map::new(),
    }
}
