//! One event as another tool wrote it, before the rules of its format and before numbering.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::error::{Excerpt, Problem};
use super::text::Position;
use crate::{Event, Kind, Name, Process};

/// An event whose index and time may be missing. Those of `event` are not set yet.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) at: Position,
    pub(super) index: Option<u64>,
    pub(super) time: Option<u64>,
    /// Whether the event says who made it.
    pub(super) has_process: bool,
    pub(super) event: Event,
}

impl Record {
    /// The client that made it, if one did.
    pub(super) fn client(&self) -> Option<u64> {
        match self.event.process {
            Process::Client(number) => Some(number),
            Process::Nemesis => None,
        }
    }

    /// Whether a client calls here.
    pub(super) fn is_call(&self) -> bool {
        self.client().is_some() && self.event.kind == Kind::Invoke
    }
}

/// Makes records of maps, and shares the names that they have in common.
#[derive(Default)]
pub(super) struct Records {
    names: HashSet<Name>,
    pub(super) list: Vec<Record>,
}

impl Records {
    /// Takes a map with the fields of Jepsen's operations. Fields that we have no place for are
    /// left out: exceptions with their stacks above all.
    pub(super) fn push(&mut self, at: Position, fields: Value) -> Result<(), Problem> {
        let Value::Object(mut fields) = fields else {
            return Err(Problem::NotAnEvent(Excerpt::from(&fields)));
        };
        let mut take = |name: &str| fields.remove(name).unwrap_or(Value::Null);
        let kind = kind(&take("type"))?;
        let (process, has_process) = process(&take("process"))?;
        let value = take("value");
        let f = self.function(&take("f"), &value, process)?;
        let record = Record {
            at,
            index: stamp("index", &take("index"))?,
            time: stamp("time", &take("time"))?,
            has_process,
            event: Event {
                index: Event::UNNUMBERED,
                time: 0,
                process,
                kind,
                f,
                key: Some(take("key")).filter(|key| !key.is_null()),
                value,
                node: self.node(&take("node")),
                error: take("error"),
                ext: extras(take("ext")),
            },
        };
        self.list.push(record);
        Ok(())
    }

    /// Takes an event of a log, which has no more than this.
    pub(super) fn log(
        &mut self,
        at: Position,
        process: Process,
        kind: Kind,
        f: &str,
    ) -> &mut Event {
        let event = Event {
            index: Event::UNNUMBERED,
            time: 0,
            process,
            kind,
            f: self.name(f),
            key: None,
            value: Value::Null,
            node: None,
            error: Value::Null,
            ext: Map::new(),
        };
        self.list.push(Record { at, index: None, time: None, has_process: true, event });
        let last = self.list.len() - 1;
        &mut self.list[last].event
    }

    /// The function, or the one that a list of micro-operations can only be.
    fn function(&mut self, f: &Value, value: &Value, process: Process) -> Result<Name, Problem> {
        match f {
            Value::String(f) if is_name(f) => Ok(self.name(f)),
            Value::Null if is_transaction(value) => Ok(self.name("txn")),
            Value::Null if process == Process::Nemesis => Ok(self.name("unnamed")),
            Value::Null => Err(Problem::NoFunction),
            other => Err(field("f", other, "a name of at most 100 characters")),
        }
    }

    fn node(&mut self, node: &Value) -> Option<Name> {
        node.as_str().map(|node| self.name(node))
    }

    fn name(&mut self, text: &str) -> Name {
        if let Some(known) = self.names.get(text) {
            return known.clone();
        }
        let name = Name::from(text);
        self.names.insert(name.clone());
        name
    }
}

/// Whether this can stand in a sentence.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= 100 && !text.contains(char::is_control)
}

fn kind(value: &Value) -> Result<Kind, Problem> {
    match value.as_str() {
        Some("invoke") => Ok(Kind::Invoke),
        Some("ok") => Ok(Kind::Ok),
        Some("fail") => Ok(Kind::Fail),
        Some("info") => Ok(Kind::Info),
        _ => Err(field("type", value, "invoke, ok, fail or info")),
    }
}

/// Who, and whether the event says so. What is no client is told like the nemesis.
fn process(value: &Value) -> Result<(Process, bool), Problem> {
    match value {
        Value::Null => Ok((Process::Nemesis, false)),
        Value::String(name) if !name.starts_with(|first: char| first.is_ascii_digit()) => {
            Ok((Process::Nemesis, true))
        }
        other => match other.as_u64() {
            Some(number) => Ok((Process::Client(number), true)),
            None => Err(field("process", other, "a whole number from 0, or the name of a process")),
        },
    }
}

/// An index or a time. Jepsen's library writes -1 where there is none.
fn stamp(name: &'static str, value: &Value) -> Result<Option<u64>, Problem> {
    let whole = |number: &f64| number.fract() == 0.0 && (0.0..9e15).contains(number);
    match (value, value.as_u64(), value.as_f64()) {
        (Value::Null, ..) => Ok(None),
        (_, Some(number), _) if number < Event::UNNUMBERED => Ok(Some(number)),
        (_, None, Some(-1.0)) => Ok(None),
        (_, None, Some(number)) if whole(&number) => Ok(Some(number as u64)),
        _ => Err(field(name, value, "a whole number from 0")),
    }
}

fn extras(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(extras) => extras,
        _ => Map::new(),
    }
}

/// Whether this can only be a transaction: a list of `["r", ..]`, `["w", ..]`, `["append", ..]`.
pub(super) fn is_transaction(value: &Value) -> bool {
    let micro = |op: &Value| {
        let name = op.as_array().and_then(|op| op.first()).and_then(Value::as_str);
        matches!(name, Some("r" | "w" | "append" | "read" | "write"))
    };
    value.as_array().is_some_and(|ops| !ops.is_empty() && ops.iter().all(micro))
}

fn field(field: &'static str, found: &Value, expected: &'static str) -> Problem {
    let found = if found.is_null() { Excerpt::of("missing") } else { Excerpt::from(found) };
    Problem::Field { field, found, expected }
}
