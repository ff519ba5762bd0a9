//! A whole history, checked for shape and indexed into operations.

use std::collections::HashMap;
use std::fmt;

use crate::{Event, Kind, Nanos, Operation, Process};

/// Events in order, each completion paired with its invocation.
///
/// Every `History` is well formed: indexes are dense, times never run
/// backwards, a process has at most one call open, and every completion
/// completes one. A call left open at the end is an `info`.
#[derive(Clone, Debug, Default)]
pub struct History {
    events: Vec<Event>,
    /// For each client invocation, in order: its index and its completion's.
    pairs: Vec<(u32, u32)>,
}

const OPEN: u32 = u32::MAX;

impl History {
    /// Checks and indexes `events`. Events without an index get their position.
    pub fn new(mut events: Vec<Event>) -> Result<Self, HistoryError> {
        for (position, event) in events.iter_mut().enumerate() {
            if event.index == Event::UNNUMBERED {
                event.index = position as u64;
            }
        }
        let pairs = Pairing::of(&events)?;
        Ok(Self { events, pairs })
    }

    /// All events.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.events.len()
    }

    /// Whether there is no event at all.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// The clients' operations, in the order of their invocations.
    pub fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        self.pairs.iter().map(|&(start, end)| Operation {
            invocation: &self.events[start as usize],
            completion: (end != OPEN).then(|| &self.events[end as usize]),
        })
    }

    /// Time of the last event; 0 for an empty history.
    pub fn duration(&self) -> Nanos {
        self.events.last().map_or(0, |event| event.time)
    }
}

/// Pairs invocations with completions, one event at a time.
struct Pairing<'e> {
    events: &'e [Event],
    pairs: Vec<(u32, u32)>,
    /// Each process' open call, as its place in `pairs`.
    open: HashMap<u64, usize>,
    time: Nanos,
}

impl<'e> Pairing<'e> {
    fn of(events: &'e [Event]) -> Result<Vec<(u32, u32)>, HistoryError> {
        let mut pairing = Self { events, pairs: Vec::new(), open: HashMap::new(), time: 0 };
        for (position, event) in events.iter().enumerate() {
            pairing.add(position, event).map_err(|reason| HistoryError::at(position, reason))?;
        }
        Ok(pairing.pairs)
    }

    fn add(&mut self, position: usize, event: &Event) -> Result<(), Reason> {
        if event.index != position as u64 {
            return Err(Reason::Index { found: event.index, expected: position as u64 });
        }
        if event.time < self.time {
            return Err(Reason::TimeRanBack { found: event.time, before: self.time });
        }
        self.time = event.time;
        match (event.process, event.kind) {
            (Process::Nemesis, _) => Ok(()),
            (Process::Client(process), Kind::Invoke) => self.invoke(position, process),
            (Process::Client(process), _) => self.complete(position, process, event),
        }
    }

    fn invoke(&mut self, position: usize, process: u64) -> Result<(), Reason> {
        if let Some(before) = self.open.insert(process, self.pairs.len()) {
            let first = self.pairs[before].0;
            return Err(Reason::TwoOpenCalls { process, first: u64::from(first) });
        }
        self.pairs.push((position as u32, OPEN));
        Ok(())
    }

    fn complete(&mut self, position: usize, process: u64, event: &Event) -> Result<(), Reason> {
        let Some(pair) = self.open.remove(&process) else {
            return Err(Reason::CompletesNothing { process, kind: event.kind });
        };
        let call = &self.events[self.pairs[pair].0 as usize];
        if call.f != event.f {
            return Err(Reason::OtherFunction {
                process,
                called: call.f.to_string(),
                completed: event.f.to_string(),
            });
        }
        if event.key.is_some() && event.key != call.key {
            return Err(Reason::OtherKey { process });
        }
        self.pairs[pair].1 = position as u32;
        Ok(())
    }
}

/// A history that is not one, and where.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct HistoryError {
    /// The line, from 1 (for events that never were lines: the position).
    pub line: usize,
    /// What is wrong there.
    pub reason: Reason,
}

impl HistoryError {
    pub(crate) fn at(position: usize, reason: Reason) -> Self {
        Self { line: position + 1, reason }
    }
}

/// What can be wrong with an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The line is not an event.
    NotAnEvent(String),
    /// The file ends in the middle of a line.
    CutOff,
    /// Indexes are not dense from 0.
    Index {
        /// What the line says.
        found: u64,
        /// What it should say.
        expected: u64,
    },
    /// Time runs backwards.
    TimeRanBack {
        /// This event's time.
        found: Nanos,
        /// The time of the event before it.
        before: Nanos,
    },
    /// A completion without an invocation.
    CompletesNothing {
        /// Whose.
        process: u64,
        /// What it claims.
        kind: Kind,
    },
    /// A process began a call before its last one was over.
    TwoOpenCalls {
        /// Which process.
        process: u64,
        /// Index of the call that is still open.
        first: u64,
    },
    /// A completion names another function than its invocation.
    OtherFunction {
        /// Whose.
        process: u64,
        /// The invocation's function.
        called: String,
        /// The completion's.
        completed: String,
    },
    /// A completion names another key than its invocation.
    OtherKey {
        /// Whose.
        process: u64,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::NotAnEvent(why) => write!(out, "not a history event: {why}"),
            Reason::CutOff => out.write_str(
                "the file ends in the middle of this line; it was cut off. \
                 Fetch it again, or delete the line to judge what is there",
            ),
            Reason::Index { found, expected } => write!(
                out,
                "index is {found} where {expected} was due; events are missing or out of order"
            ),
            Reason::TimeRanBack { found, before } => write!(
                out,
                "time {found} is earlier than the event before it ({before}); \
                 events must be in order of time"
            ),
            Reason::CompletesNothing { process, kind } => write!(
                out,
                "this {kind} of process {process} completes nothing: the process has no open call"
            ),
            Reason::TwoOpenCalls { process, first } => write!(
                out,
                "process {process} begins a call while its call at index {first} is still open; \
                 a process makes one call at a time"
            ),
            Reason::OtherFunction { process, called, completed } => write!(
                out,
                "process {process} completes a {completed}, but its open call is a {called}"
            ),
            Reason::OtherKey { process } => {
                write!(out, "process {process} completes a call on another key than it called")
            }
        }
    }
}
