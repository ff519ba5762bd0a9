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
    let mut sessions = Sessions::new();
    steps::read(from, line, |block, before| merge.add(&mut sessions, &block, before))?;
    merge.finish(&mut sessions);
    Ok(sessions.finish())
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

/// Puts the runs of transactions together.
#[derive(Default)]
struct Merge {
    /// The last transaction of each session, which may go on.
    open: FxHashMap<u32, Open>,
    seen: Seen,
    /// The steps of a run, as the history has them.
    adopted: Vec<Datum>,
}

#[derive(Default)]
struct Open {
    transaction: u64,
    steps: Vec<Datum>,
}

impl Merge {
    fn add(
        &mut self,
        sessions: &mut Sessions,
        block: &Block<Run>,
        before: u64,
    ) -> Result<(), ImportError> {
        let mut from = 0;
        for run in &block.marks {
            let at = below(Position { line: run.line, column: 1 }, before);
            let session = process(run.session, at)?;
            let values = sessions.values();
            self.adopted.clear();
            let steps = &block.steps[from..run.steps_end];
            self.adopted.extend(steps.iter().map(|&step| values.adopt(&block.values, step)));
            from = run.steps_end;
            match run.transaction {
                None => sessions.push(session, &self.adopted, Fate::Aborted),
                Some(transaction) => {
                    self.go_on(sessions, session, transaction)
                        .map_err(|problem| ImportError::at(at, problem))?;
                }
            }
        }
        Ok(())
    }

    /// A session runs these steps of a transaction.
    fn go_on(
        &mut self,
        sessions: &mut Sessions,
        session: u32,
        transaction: u64,
    ) -> Result<(), Problem> {
        let open = self.open.entry(session).or_default();
        if open.steps.is_empty() || open.transaction != transaction {
            match self.seen.insert(transaction, session) {
                None => {}
                Some(first) if first == session => {
                    return Err(Problem::Resumed { transaction, session });
                }
                Some(first) => {
                    return Err(Problem::TwoSessions { transaction, first, second: session });
                }
            }
            open.close(sessions, session);
            open.transaction = transaction;
        }
        open.steps.extend_from_slice(&self.adopted);
        Ok(())
    }

    /// Ends the last transaction of every session.
    fn finish(self, sessions: &mut Sessions) {
        let mut last: Vec<(u32, Open)> = self.open.into_iter().collect();
        last.sort_unstable_by_key(|&(session, _)| session);
        for (session, mut open) in last {
            open.close(sessions, session);
        }
    }
}

impl Open {
    fn close(&mut self, sessions: &mut Sessions, session: u32) {
        if !self.steps.is_empty() {
            sessions.push(session, &self.steps, Fate::Committed);
            self.steps.clear();
        }
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
