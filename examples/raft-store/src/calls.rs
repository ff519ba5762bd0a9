//! Tribunal's calls as requests, and answers as outcomes.

use std::collections::BTreeMap;

use raft_floor::Request;
use serde_json::json;
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::state::{Answer, Change, Question};

/// Where a consumer is in each log: the offset that it polls next.
pub type Places = BTreeMap<String, u64>;

/// The request that a call is.
pub fn request(places: &Places, call: &Call) -> Result<Request<Change, Question>, Failure> {
    let key = key(call);
    match (&*call.f, call.value.clone()) {
        ("read", _) => Ok(Request::Ask(Question::Read { key })),
        ("write", value) => Ok(Request::Change(Change::Write { key, value })),
        ("cas", Value::Array(pair)) if pair.len() == 2 => {
            let (old, new) = (pair[0].clone(), pair[1].clone());
            Ok(Request::Change(Change::Cas { key, old, new }))
        }
        ("append", value) => Ok(Request::Change(Change::Append { key, value })),
        ("poll", _) => {
            let from = places.get(&key).copied().unwrap_or(0);
            Ok(Request::Ask(Question::Poll { key, from }))
        }
        (f, value) => Err(Failure::fail(format!("raft-store has no `{f}` of {value}"))),
    }
}

fn key(call: &Call) -> String {
    call.key.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// How the call ended; a consumer goes on after what it polled.
pub fn conclude(places: &mut Places, call: &Call, answer: Answer) -> Outcome {
    Ok(match answer {
        Answer::Written | Answer::Compared { swapped: true, .. } => Reply::of(call.value.clone()),
        Answer::Compared { swapped: false, found } => {
            Reply::of(call.value.clone()).with("swapped", false).with("found", found)
        }
        Answer::Appended { offset } => Reply::of(offset),
        Answer::Value(value) => Reply::of(value),
        Answer::Polled(values) => {
            if let Some((last, _)) = values.last() {
                places.insert(key(call), last + 1);
            }
            Reply::of(json!(values))
        }
    })
}
