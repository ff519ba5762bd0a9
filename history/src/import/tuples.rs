//! Whether the values of a history are Jepsen's `[key value]` tuples.
//!
//! `jepsen.independent` runs one test on many keys and gives every value as a tuple, which is
//! printed like any vector: a write of `[1 2]` is a write of 2 to key 1, or of `[1 2]`, and
//! only the other events tell which. They are tuples where
//!
//! 1. every call's value is a pair that begins with a number or a name,
//! 2. at least one of those could hardly be a plain value: `[k nil]`, or a pair within the pair,
//! 3. every answer that differs from its call is a pair that begins with its call's key.
//!
//! If some answers begin so and others do not, the file is refused: to guess would be to accuse.

use std::collections::HashMap;

use serde_json::Value;

use super::error::{Excerpt, ImportError, Problem};
use super::record::Record;
use crate::Kind;

/// Splits the values into keys and values if they are tuples; says whether they were.
pub(super) fn split_if_told(records: &mut [Record]) -> Result<bool, ImportError> {
    let told = are_told(records)?;
    if told {
        split(records)?;
    }
    Ok(told)
}

/// Splits every client's value into key and value.
pub(super) fn split(records: &mut [Record]) -> Result<(), ImportError> {
    let mut keys: HashMap<u64, Value> = HashMap::new();
    for record in records {
        let Some(process) = record.client() else { continue };
        let found = pair(&record.event.value);
        if record.event.kind == Kind::Invoke {
            let Some((key, _)) = found else {
                let problem = Problem::NotATuple(Excerpt::from(&record.event.value));
                return Err(ImportError::at(record.at, problem));
            };
            keys.insert(process, key.clone());
        }
        // An answer that the client gave without its key is still that key's.
        let Some(key) = keys.get(&process) else { continue };
        if let Some((_, value)) = found.filter(|(its_key, _)| *its_key == key) {
            record.event.value = value.clone();
        }
        record.event.key = Some(key.clone());
    }
    Ok(())
}

fn are_told(records: &[Record]) -> Result<bool, ImportError> {
    let mut calls = records.iter().filter(|record| record.is_call()).peekable();
    if calls.peek().is_none() || records.iter().any(|record| record.event.key.is_some()) {
        return Ok(false);
    }
    let mut hardly_plain = false;
    for call in calls {
        match pair(&call.event.value) {
            Some((_, value)) => hardly_plain |= value.is_null() || value.is_array(),
            None => return Ok(false),
        }
    }
    if !hardly_plain {
        return Ok(false);
    }
    answers_agree(records)
}

/// Whether the answers are tuples: all, or none of them.
fn answers_agree(records: &[Record]) -> Result<bool, ImportError> {
    let mut open: HashMap<u64, &Value> = HashMap::new();
    let (mut tuples, mut plain) = (0, None);
    for record in records {
        let Some(process) = record.client() else { continue };
        if record.event.kind == Kind::Invoke {
            open.insert(process, &record.event.value);
            continue;
        }
        let Some(call) = open.remove(&process) else { continue };
        if record.event.kind != Kind::Ok || record.event.value == *call {
            continue;
        }
        let key = pair(call).map(|(key, _)| key);
        match pair(&record.event.value) {
            Some((its_key, _)) if Some(its_key) == key => tuples += 1,
            _ => plain = plain.or(Some(record.at)),
        }
    }
    match plain {
        None => Ok(true),
        Some(_) if tuples == 0 => Ok(false),
        Some(at) => Err(ImportError::at(at, Problem::MixedTuples)),
    }
}

/// The key and the value of what may be a tuple.
fn pair(value: &Value) -> Option<(&Value, &Value)> {
    let [key, value] = value.as_array()?.as_slice() else { return None };
    let is_key = key.is_number() || key.is_string();
    is_key.then_some((key, value))
}
