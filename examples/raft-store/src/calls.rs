//! Tribunal's calls as requests, and answers as outcomes.

use std::collections::BTreeMap;

use raft_floor::Request;
use serde_json::json;
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::state::{Access, Answer, Change, Question, Step};

/// What a client remembers.
pub struct Memory {
    objects: Objects,
    places: Places,
}

/// Where a consumer is in each log: the offset that it polls next.
type Places = BTreeMap<String, u64>;

/// What the words of a workload are about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Objects {
    /// Registers and logs.
    Plain,
    /// Sets: logs that are read whole.
    Sets,
    /// Registers whose changes are watched: logs of what was written.
    Watched,
}

impl Memory {
    /// What a client of this workload remembers at first.
    pub fn of(workload: &str) -> Self {
        let objects = match workload {
            "set" | "set-full" | "causal-reverse" => Objects::Sets,
            "watch" => Objects::Watched,
            _ => Objects::Plain,
        };
        Self { objects, places: Places::new() }
    }
}

/// The request that a call is.
pub fn request(memory: &Memory, call: &Call) -> Result<Request<Change, Question>, Failure> {
    let key = key(call);
    match (memory.objects, &*call.f, call.value.clone()) {
        (Objects::Sets, "read", _) => Ok(Request::Ask(Question::Whole { key })),
        (Objects::Sets, "add" | "write", value)
        | (Objects::Watched, "write", value)
        | (_, "append", value) => Ok(Request::Change(Change::Append { key, value })),
        (_, "poll" | "watch", _) => {
            let from = memory.places.get(&key).copied().unwrap_or(0);
            Ok(Request::Ask(Question::Poll { key, from }))
        }
        (_, "read", _) => Ok(Request::Ask(Question::Read { key })),
        (_, "write", value) => Ok(Request::Change(Change::Write { key, value })),
        (_, "cas", Value::Array(pair)) if pair.len() == 2 => {
            let (old, new) = (pair[0].clone(), pair[1].clone());
            Ok(Request::Change(Change::Cas { key, old, new }))
        }
        (_, "txn", steps) => transaction(steps),
        (_, f, value) => Err(Failure::fail(format!("raft-store has no `{f}` of {value}"))),
    }
}

fn transaction(steps: Value) -> Result<Request<Change, Question>, Failure> {
    let steps: Vec<Step> = serde_json::from_value(steps)
        .map_err(|error| Failure::fail(format!("no transaction of raft-store: {error}")))?;
    let writes = steps.iter().any(|(access, ..)| *access == Access::Write);
    Ok(match writes {
        true => Request::Change(Change::Transact { steps }),
        false => Request::Ask(Question::Several { steps }),
    })
}

fn key(call: &Call) -> String {
    call.key.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// How the call ended; a consumer goes on after what it polled.
pub fn conclude(memory: &mut Memory, call: &Call, answer: Answer) -> Outcome {
    Ok(match answer {
        Answer::Appended { .. } if memory.objects == Objects::Sets => Reply::of(call.value.clone()),
        Answer::Written | Answer::Compared { swapped: true, .. } => Reply::of(call.value.clone()),
        Answer::Compared { swapped: false, found } => {
            Reply::of(call.value.clone()).with("swapped", false).with("found", found)
        }
        Answer::Appended { offset } => Reply::of(offset),
        Answer::Value(value) => Reply::of(value),
        Answer::Steps(steps) => Reply::of(json!(steps)),
        Answer::Whole(values) => Reply::of(values),
        Answer::Polled(values) => {
            if let Some((last, _)) = values.last() {
                memory.places.insert(key(call), last + 1);
            }
            Reply::of(json!(values))
        }
    })
}
