//! One line of a history.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::Call;

/// Nanoseconds since the run began, on the controller's monotonic clock.
pub type Nanos = u64;

/// A short name that many events share: a function, a node.
pub type Name = Arc<str>;

/// Who made a call: a logical single-threaded client, or the nemesis.
///
/// After an `info` a client process is retired, and its worker goes on under a
/// new number; so a number names one thread of execution that had at most one
/// call open at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Process {
    /// A client.
    Client(u64),
    /// The process that injects faults.
    Nemesis,
}

impl Process {
    /// Whether this is a client (and not the nemesis).
    pub fn is_client(self) -> bool {
        matches!(self, Process::Client(_))
    }
}

impl fmt::Display for Process {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Process::Client(number) => write!(out, "p{number}"),
            Process::Nemesis => out.write_str("nemesis"),
        }
    }
}

impl Serialize for Process {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Process::Client(number) => to.serialize_u64(*number),
            Process::Nemesis => to.serialize_str("nemesis"),
        }
    }
}

impl<'de> Deserialize<'de> for Process {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Process;
            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a process number or \"nemesis\"")
            }
            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Process, E> {
                Ok(Process::Client(number))
            }
            fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Process, E> {
                match name {
                    "nemesis" => Ok(Process::Nemesis),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(name), &self)),
                }
            }
        }
        from.deserialize_any(Visitor)
    }
}

/// What an event says of its call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The call is about to be made.
    Invoke,
    /// It happened.
    Ok,
    /// It certainly did not happen, and never will.
    Fail,
    /// Nobody knows; it may still happen at any later time.
    Info,
}

impl fmt::Display for Kind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Kind::Invoke => "invoke",
            Kind::Ok => "ok",
            Kind::Fail => "fail",
            Kind::Info => "info",
        })
    }
}

/// One event: an invocation, or its completion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the history, dense from 0.
    #[serde(default = "Event::unnumbered")]
    pub index: u64,
    /// When: stamped before the call leaves, and after its answer is in.
    pub time: Nanos,
    /// Who.
    pub process: Process,
    /// Invocation, or which completion.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// The function called.
    pub f: Name,
    /// The object, where there is more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Value>,
    /// The argument, or (on `ok`) what came back.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
    /// The node that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<Name>,
    /// On `fail` and `info`: why. Text in our own histories; others write objects too.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub error: Value,
    /// What the database exposes beside the value: `{"timestamp": ns}`, `{"term": 3}`.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub ext: Map<String, Value>,
}

impl Event {
    /// The index of an event whose line gave none; the reader replaces it.
    pub(crate) const UNNUMBERED: u64 = u64::MAX;

    fn unnumbered() -> u64 {
        Self::UNNUMBERED
    }

    /// An event of `call` with neither node nor extras; `index` is set when it is recorded.
    pub fn of(call: &Call, time: Nanos, process: Process, kind: Kind) -> Self {
        Self {
            index: Self::UNNUMBERED,
            time,
            process,
            kind,
            f: call.f.clone(),
            key: call.key.clone(),
            value: call.value.clone(),
            node: None,
            error: Value::Null,
            ext: call.ext.clone(),
        }
    }
}
