//! A whole history, checked for shape and indexed into operations.

use std::fmt;

use rustc_hash::FxHashMap;

use crate::columns::{Columns, NEMESIS, NONE};
use crate::{Datum, Event, EventRef, Kind, Nanos, Operation, Values};

/// Events in order, each completion paired with its invocation.
///
/// Every `History` is well formed: indexes are dense, times never run
/// backwards, a process has at most one call open, and every completion
/// completes one. A call left open at the end is an `info`.
#[derive(Clone, Debug, Default)]
pub struct History {
    pub(crate) columns: Columns,
    /// For each client invocation, in order: its index and its completion's.
    pairs: Vec<(u32, u32)>,
    /// Nobody recorded when calls of different processes were made.
    without_real_time: bool,
    /// The lines of the file on which the operations begin, from 1; none where nobody knows.
    lines: Vec<u32>,
}

/// The completion of a call that has none.
pub(crate) const OPEN: u32 = u32::MAX;

impl History {
    /// Checks and indexes `events`. Events without an index get their position.
    pub fn new(events: Vec<Event>) -> Result<Self, HistoryError> {
        let mut columns = Columns::default();
        columns.reserve(events.len());
        for (position, event) in events.into_iter().enumerate() {
            let expected = position as u64;
            if event.index != Event::UNNUMBERED && event.index != expected {
                let reason = Reason::Index { found: event.index, expected };
                return Err(HistoryError::at(position, reason));
            }
            let pushed = columns.push_event(&event);
            pushed.ok_or_else(|| HistoryError::at(position, Reason::ProcessTooLarge))?;
        }
        Self::of(columns)
    }

    /// Checks and indexes events in columns.
    pub(crate) fn of(columns: Columns) -> Result<Self, HistoryError> {
        let pairs = Pairing::of(&columns)?;
        Ok(Self { columns, pairs, without_real_time: false, lines: Vec::new() })
    }

    /// The same history, of which nobody recorded when its calls were made.
    pub(crate) fn without_real_time(self) -> Self {
        Self { without_real_time: true, ..self }
    }

    /// The same history, whose operations begin on these lines of a file.
    pub(crate) fn on_lines(self, lines: Vec<u32>) -> Self {
        debug_assert!(lines.is_empty() || lines.len() == self.pairs.len());
        Self { lines, ..self }
    }

    /// Where in another tool's file of sessions the operation of an event stands, since such a file has no events:
    /// `line 7` (from 1), or `transaction 2 of session 0` (both from 0). `None` of any other history.
    pub fn place_in_file(&self, event: u64) -> Option<String> {
        let until = |it: &(u32, u32)| u64::from(it.0) <= event;
        let number = self.pairs.partition_point(until).checked_sub(1)?;
        let (start, end) = self.pairs[number];
        let is_its = self.without_real_time && [start, end].map(u64::from).contains(&event);
        if !is_its {
            return None;
        }
        if let Some(line) = self.lines.get(number) {
            return Some(format!("line {line}"));
        }
        let session = self.columns.process[start as usize];
        let before = self.pairs[..number].iter();
        let before = before.filter(|it| self.columns.process[it.0 as usize] == session).count();
        Some(format!("transaction {before} of session {session}"))
    }

    /// Whether the order of the events is that in which they happened. Where it is not, only the
    /// events of one process are in order; times and places in the history say nothing else.
    pub fn has_real_time(&self) -> bool {
        !self.without_real_time
    }

    /// All events.
    pub fn events(&self) -> impl ExactSizeIterator<Item = EventRef<'_>> + DoubleEndedIterator {
        (0..self.columns.len()).map(|at| EventRef::new(self, at as u32))
    }

    /// One event, by its index.
    pub fn event(&self, index: u64) -> EventRef<'_> {
        assert!((index as usize) < self.len(), "the history has no event {index}");
        EventRef::new(self, index as u32)
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.columns.len()
    }

    /// Whether there is no event at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The clients' operations, in the order of their invocations.
    pub fn operations(&self) -> impl ExactSizeIterator<Item = Operation<'_>> + DoubleEndedIterator {
        (0..self.pairs.len()).map(|number| self.operation(number as u32))
    }

    /// One operation, by its number.
    pub fn operation(&self, number: u32) -> Operation<'_> {
        Operation::new(self, number, self.pairs[number as usize])
    }

    /// The values of all events.
    pub fn values(&self) -> &Values {
        &self.columns.values
    }

    /// Every key that is called, in the order of their first events.
    pub fn keys(&self) -> &[Datum] {
        &self.columns.keys
    }

    /// The place of an operation's key among [`History::keys`]; `None` where it has none.
    pub fn key_place(&self, operation: &Operation) -> Option<usize> {
        let place = self.columns.key[operation.start() as usize];
        (place != NONE).then_some(place as usize)
    }

    /// Time of the last event; 0 for an empty history.
    pub fn duration(&self) -> Nanos {
        self.columns.time.last().copied().unwrap_or(0)
    }
}

/// Pairs invocations with completions, one event at a time.
struct Pairing<'e> {
    columns: &'e Columns,
    pairs: Vec<(u32, u32)>,
    open: OpenCalls,
    time: Nanos,
}

impl<'e> Pairing<'e> {
    fn of(columns: &'e Columns) -> Result<Vec<(u32, u32)>, HistoryError> {
        let pairs = Vec::with_capacity(columns.len() / 2 + 1);
        let mut pairing = Self { columns, pairs, open: OpenCalls::default(), time: 0 };
        for position in 0..columns.len() {
            pairing.add(position).map_err(|reason| HistoryError::at(position, reason))?;
        }
        Ok(pairing.pairs)
    }

    fn add(&mut self, position: usize) -> Result<(), Reason> {
        let time = self.columns.time[position];
        if time < self.time {
            return Err(Reason::TimeRanBack { found: time, before: self.time });
        }
        self.time = time;
        match (self.columns.process[position], self.columns.kind[position]) {
            (NEMESIS, _) => Ok(()),
            (process, Kind::Invoke) => self.invoke(position, process),
            (process, _) => self.complete(position, process),
        }
    }

    fn invoke(&mut self, position: usize, process: u32) -> Result<(), Reason> {
        if let Some(before) = self.open.begin(process, self.pairs.len() as u32) {
            let first = self.pairs[before as usize].0;
            let process = u64::from(process);
            return Err(Reason::TwoOpenCalls { process, first: u64::from(first) });
        }
        self.pairs.push((position as u32, OPEN));
        Ok(())
    }

    fn complete(&mut self, position: usize, process: u32) -> Result<(), Reason> {
        let columns = self.columns;
        let Some(pair) = self.open.end(process) else {
            let kind = columns.kind[position];
            return Err(Reason::CompletesNothing { process: u64::from(process), kind });
        };
        let call = self.pairs[pair as usize].0 as usize;
        if columns.f[call] != columns.f[position] {
            return Err(Reason::OtherFunction {
                process: u64::from(process),
                called: columns.names.get(columns.f[call]).to_string(),
                completed: columns.names.get(columns.f[position]).to_string(),
            });
        }
        if columns.key[position] != NONE && columns.key[position] != columns.key[call] {
            return Err(Reason::OtherKey { process: u64::from(process) });
        }
        self.pairs[pair as usize].1 = position as u32;
        Ok(())
    }
}

/// Each process' open call. Numbers are small as a rule, and then need no hashing.
#[derive(Default)]
struct OpenCalls {
    small: Vec<u32>,
    large: FxHashMap<u32, u32>,
}

impl OpenCalls {
    /// Numbers below this have a place of their own.
    const SMALL: u32 = 1 << 20;

    /// A process begins a call; tells the one that it still has open.
    fn begin(&mut self, process: u32, call: u32) -> Option<u32> {
        if process >= Self::SMALL {
            return self.large.insert(process, call);
        }
        let at = process as usize;
        if self.small.len() <= at {
            self.small.resize(at + 1, OPEN);
        }
        let before = std::mem::replace(&mut self.small[at], call);
        (before != OPEN).then_some(before)
    }

    /// A process ends its open call.
    fn end(&mut self, process: u32) -> Option<u32> {
        if process >= Self::SMALL {
            return self.large.remove(&process);
        }
        let open = self.small.get_mut(process as usize)?;
        let call = std::mem::replace(open, OPEN);
        (call != OPEN).then_some(call)
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
    /// A process number beyond 2^32.
    ProcessTooLarge,
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
            Reason::ProcessTooLarge => out.write_str(
                "the process number is too large; processes are numbered below 4294967295",
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
