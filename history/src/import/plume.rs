//! The text that Plume, PolySI and AWDIT share: `r(key,value,session,transaction)` a line.
//!
//! All are whole numbers. The lines of a session are in its order; those of different sessions may
//! alternate. A value of 0 was there before all writes. A transaction of -1 is
//! AWDIT's word for one that was aborted.

use std::io::Read;

use rustc_hash::FxHashMap;

use super::error::{ImportError, Problem};
use super::sessions::{Fate, Sessions, process};
use super::steps::{self, Block, Cursor, Step, below, datum};
use super::text::Position;
use crate::{Datum, History};

/// Reads a whole file.
pub(super) fn read(from: &mut impl Read) -> Result<History, ImportError> {
    let mut merge = Merge::default();
    let values = steps::read(from, line, |block, before| merge.add(&block, before))?;
    Ok(merge.finish().finish(values))
}

/// Whether a file that begins so is such a text.
pub(super) fn is_told(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    matches!(head.first(), Some(b'r' | b'w')) && head.get(1) == Some(&b'(')
}

/// Lines of one transaction, one right after the other.
struct Run {
    session: u64,
    /// `None`: it was aborted.
    transaction: Option<u64>,
    /// Where its steps end; they begin where those of the run before end.
    steps_end: usize,
    /// Its first line in the block, from 1.
    line: u64,
}

/// `r(key,value,session,transaction)`
fn line(cursor: &mut Cursor, block: &mut Block<Run>) -> Result<(), Problem> {
    let no_step = |cursor: &Cursor| Problem::NotAStep(cursor.rest_of_line());
    let reads = cursor.take(b'r');
    if !(reads || cursor.take(b'w')) || !cursor.take(b'(') {
        return Err(no_step(cursor));
    }
    let field = |cursor: &mut Cursor, end: u8| {
        let number = cursor.number()?;
        if cursor.take(end) { Ok(number) } else { Err(no_step(cursor)) }
    };
    let (key, value) = (field(cursor, b',')?, field(cursor, b',')?);
    let session = field(cursor, b',')?;
    let transaction = if cursor.take(b'-') {
        if field(cursor, b')')? != 1 {
            return Err(no_step(cursor));
        }
        None
    } else {
        Some(field(cursor, b')')?)
    };
    if value == 0 && !reads {
        return Err(Problem::WriteOfInitial);
    }
    let key = datum(&mut block.values, key);
    let value = (value != 0).then(|| datum(&mut block.values, value));
    block.step(Step { reads, key, value });
    let steps_end = block.steps.len();
    match block.marks.last_mut() {
        Some(run) if (run.session, run.transaction) == (session, transaction) => {
            run.steps_end = steps_end;
        }
        _ => block.marks.push(Run { session, transaction, steps_end, line: cursor.line() }),
    }
    Ok(())
}

/// Puts the runs of transactions together, in the order of their first lines.
#[derive(Default)]
struct Merge {
    /// The last transaction of each session, which may go on: its number and its place.
    open: FxHashMap<u32, (u64, u32)>,
    seen: Seen,
    places: Vec<Place>,
    /// The steps of all runs.
    steps: Vec<Datum>,
    /// Each run: the transaction's place, and where its steps end.
    runs: Vec<(u32, usize)>,
}

/// A transaction, among all.
struct Place {
    session: u32,
    fate: Fate,
    /// Its first line.
    line: u32,
}

impl Merge {
    fn add(&mut self, block: &Block<Run>, before: u64) -> Result<(), ImportError> {
        let earlier = self.steps.len();
        self.steps.extend_from_slice(&block.steps);
        for run in &block.marks {
            let at = below(Position { line: run.line, column: 1 }, before);
            let session = process(run.session, at)?;
            let line = u32::try_from(at.line).unwrap_or(u32::MAX);
            let place = self.place(session, run.transaction, line);
            let place = place.map_err(|problem| ImportError::at(at, problem))?;
            let end = earlier + run.steps_end;
            match self.runs.last_mut() {
                Some((last, last_end)) if *last == place => *last_end = end,
                _ => self.runs.push((place, end)),
            }
        }
        Ok(())
    }

    /// The place of a transaction of which a session runs some steps, the first of them on that line.
    fn place(&mut self, session: u32, transaction: Option<u64>, line: u32) -> Result<u32, Problem> {
        let new = self.places.len() as u32;
        let Some(transaction) = transaction else {
            self.places.push(Place { session, fate: Fate::Aborted, line });
            return Ok(new);
        };
        match self.open.get(&session) {
            Some(&(open, place)) if open == transaction => return Ok(place),
            _ => {}
        }
        match self.seen.insert(transaction, session) {
            None => {}
            Some(first) if first == session => {
                return Err(Problem::Resumed { transaction, session });
            }
            Some(first) => {
                return Err(Problem::TwoSessions { transaction, first, second: session });
            }
        }
        self.open.insert(session, (transaction, new));
        self.places.push(Place { session, fate: Fate::Committed, line });
        Ok(new)
    }

    /// All transactions.
    fn finish(mut self) -> Sessions {
        if self.runs.len() > self.places.len() {
            self.gather();
        }
        let mut sessions = Sessions::of(self.steps);
        for (place, (_, end)) in self.places.iter().zip(self.runs) {
            sessions.push(place.session, place.fate, end, place.line);
        }
        sessions
    }

    /// Makes one run of all runs of a transaction: lines of sessions alternate within transactions.
    fn gather(&mut self) {
        let begin = |run: usize| run.checked_sub(1).map_or(0, |before| self.runs[before].1);
        let mut order: Vec<usize> = (0..self.runs.len()).collect();
        order.sort_by_key(|&run| self.runs[run].0);
        let mut steps = Vec::with_capacity(self.steps.len());
        let mut runs: Vec<(u32, usize)> = Vec::with_capacity(self.places.len());
        for those in order.chunk_by(|&one, &other| self.runs[one].0 == self.runs[other].0) {
            for &run in those {
                steps.extend_from_slice(&self.steps[begin(run)..self.runs[run].1]);
            }
            runs.push((self.runs[those[0]].0, steps.len()));
        }
        (self.steps, self.runs) = (steps, runs);
    }
}

/// The session of every transaction so far. Most numbers are small, and then need no hashing.
#[derive(Default)]
struct Seen {
    /// A session and one more; 0 where there is none.
    small: Vec<u32>,
    large: FxHashMap<u64, u32>,
}

impl Seen {
    /// Numbers below this have a place of their own.
    const SMALL: u64 = 1 << 24;

    /// Notes a transaction; tells the session that has it already.
    fn insert(&mut self, transaction: u64, session: u32) -> Option<u32> {
        if transaction >= Self::SMALL {
            return self.large.insert(transaction, session);
        }
        let at = transaction as usize;
        if self.small.len() <= at {
            self.small.resize(at + 1, 0);
        }
        std::mem::replace(&mut self.small[at], session + 1).checked_sub(1)
    }
}
