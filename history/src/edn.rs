//! Writes histories as Jepsen's EDN, one map a line, for Elle and Knossos. Reading it back is
//! [`import`](crate::import)'s.

use std::io::{self, Write};

use crate::{EventRef, History, Kind, Nanos, Process, ValueRef};

/// Why a history cannot be written as EDN.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The writer's.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Jepsen takes the order of events for real time.
    #[error(
        "nobody recorded when the calls of this history were made, and EDN has no word for that; \
         export it as arrow"
    )]
    NoRealTime,
}

/// Writes all events. Calls that never end get an `:info` at the end, as Jepsen's own have.
pub fn write(history: &History, to: &mut impl Write) -> Result<(), WriteError> {
    if !history.has_real_time() {
        return Err(WriteError::NoRealTime);
    }
    let mut calls = vec![None; history.len()];
    for operation in history.operations() {
        let completion = operation.completion().map(EventRef::index);
        completion.into_iter().for_each(|at| calls[at as usize] = Some(operation.invocation()));
    }
    for (event, call) in history.events().zip(&calls) {
        line(to, event, call.unwrap_or(event))?;
    }
    let open = history.operations().filter(|operation| operation.completion().is_none());
    for (index, operation) in (history.len()..).zip(open) {
        let line = Line { kind: Kind::Info, index: index as u64, time: history.duration() };
        line.write(to, operation.invocation())?;
        writeln!(to, ", :error :never-ended}}")?;
    }
    Ok(())
}

/// One event, and its call (which may be the same).
fn line(to: &mut impl Write, event: EventRef, call: EventRef) -> io::Result<()> {
    let observed = event.ext("swapped").and_then(|it| it.as_bool()) == Some(false);
    let kind = if observed { Kind::Fail } else { event.kind() };
    let line = Line { kind, index: event.index(), time: event.time() };
    // An answer that says nothing of the value is about that of its call.
    let told = event.kind() == Kind::Ok || !event.value().is_null();
    line.write(to, if told { event } else { call })?;
    if let Some(node) = event.node() {
        write!(to, ", :node ")?;
        text(to, node)?;
    }
    if !event.error().is_null() {
        write!(to, ", :error ")?;
        value(to, event.error())?;
    }
    let mut fields = event.exts().peekable();
    if fields.peek().is_some() {
        write!(to, ", :ext ")?;
        map(to, fields)?;
    }
    writeln!(to, "}}")
}

/// What every line says, whatever it is the line of.
struct Line {
    kind: Kind,
    index: u64,
    time: Nanos,
}

impl Line {
    /// Writes the beginning of a map, with the function, key and value of an event.
    fn write(&self, to: &mut impl Write, of: EventRef) -> io::Result<()> {
        let Self { kind, index, time } = self;
        write!(to, "{{:index {index}, :time {time}, :type :{kind}, :process ")?;
        match of.process() {
            Process::Client(number) => write!(to, "{number}")?,
            Process::Nemesis => write!(to, ":nemesis")?,
        }
        write!(to, ", :f ")?;
        name(to, of.f())?;
        if let Some(key) = of.key() {
            write!(to, ", :key ")?;
            value(to, key)?;
        }
        write!(to, ", :value ")?;
        match (of.f(), of.value().elements()) {
            ("txn", Some(steps)) => list(to, steps, step),
            _ => value(to, of.value()),
        }
    }
}

/// A micro-operation, whose name is a keyword.
fn step(to: &mut dyn Write, step: ValueRef) -> io::Result<()> {
    let Some(elements) = step.elements().filter(|elements| elements.len() > 0) else {
        return value(to, step);
    };
    let mut first = true;
    list(to, elements, |to, part| match part.as_str() {
        Some(word) if std::mem::take(&mut first) => name(to, word),
        _ => value(to, part),
    })
}

fn value(to: &mut dyn Write, it: ValueRef) -> io::Result<()> {
    if let Some(elements) = it.elements() {
        return list(to, elements, value);
    }
    if let Some(fields) = it.entries() {
        return map(to, fields);
    }
    match it.as_str() {
        Some(it) => text(to, it),
        None if it.is_null() => write!(to, "nil"),
        // Numbers and truth values are what they are in JSON.
        None => write!(to, "{it}"),
    }
}

fn list<'h>(
    to: &mut dyn Write,
    elements: impl Iterator<Item = ValueRef<'h>>,
    mut one: impl FnMut(&mut dyn Write, ValueRef<'h>) -> io::Result<()>,
) -> io::Result<()> {
    write!(to, "[")?;
    for (at, element) in elements.enumerate() {
        write!(to, "{}", if at > 0 { " " } else { "" })?;
        one(to, element)?;
    }
    write!(to, "]")
}

fn map<'h>(
    to: &mut dyn Write,
    fields: impl Iterator<Item = (&'h str, ValueRef<'h>)>,
) -> io::Result<()> {
    write!(to, "{{")?;
    for (at, (field, it)) in fields.enumerate() {
        write!(to, "{}", if at > 0 { ", " } else { "" })?;
        text(to, field)?;
        write!(to, " ")?;
        value(to, it)?;
    }
    write!(to, "}}")
}

/// A keyword, where the name can be one.
fn name(to: &mut dyn Write, name: &str) -> io::Result<()> {
    let fit = |byte: u8| byte.is_ascii_alphanumeric() || b"-_+*!?.".contains(&byte);
    match name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.bytes().all(fit) {
        true => write!(to, ":{name}"),
        false => text(to, name),
    }
}

fn text(to: &mut dyn Write, text: &str) -> io::Result<()> {
    write!(to, "\"")?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(to, "\\{character}")?,
            '\n' => write!(to, "\\n")?,
            '\r' => write!(to, "\\r")?,
            '\t' => write!(to, "\\t")?,
            _ => write!(to, "{character}")?,
        }
    }
    write!(to, "\"")
}
