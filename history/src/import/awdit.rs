//! AWDIT's plain text: `r key value` and `w key value`, one a line.
//!
//! A line of dashes ends a transaction, a line of equals signs ends a session too. Keys
//! and values are whole numbers, and 0 is one like any other: there is no word for what was there before
//! all writes. A file that ends right after a digit is refused: `r 1 5` may be the beginning of `r 1 53`.

use std::io::Read;

use super::error::{ImportError, Problem};
use super::sessions::{Fate, Sessions};
use super::steps::{self, Block, Cursor, Step, datum};
use crate::History;

/// Reads a whole file.
pub(super) fn read(from: &mut impl Read) -> Result<History, ImportError> {
    let mut merge = Merge::default();
    let values = steps::read(from, line, |block, before| {
        merge.add(&block, before);
        Ok(())
    })?;
    merge.close();
    Ok(merge.sessions.finish(values))
}

/// Whether a file that begins so is such a text.
pub(super) fn is_told(head: &[u8]) -> bool {
    let head = head.trim_ascii_start();
    matches!(head, [b'r' | b'w', b' ' | b'\t', ..] | [b'-', b'-', b'-', ..])
        || head.starts_with(b"===")
}

/// The beginning or the end of a transaction.
struct Mark {
    /// How many steps of the block come before it.
    steps: usize,
    what: What,
}

enum What {
    /// The first step of a transaction, or of what the block has of it, on a line of the block, from 1.
    Begin {
        line: u64,
    },
    End,
    /// The session ends, too.
    EndOfSession,
}

/// `r key value`, `-----` or `=====`
fn line(cursor: &mut Cursor, block: &mut Block<Mark>) -> Result<(), Problem> {
    let separator = cursor.peek();
    if let b'-' | b'=' = separator {
        while cursor.take(separator) {}
        let what = if separator == b'=' { What::EndOfSession } else { What::End };
        block.marks.push(Mark { steps: block.steps.len(), what });
        return Ok(());
    }
    let reads = cursor.take(b'r');
    if !reads && !cursor.take(b'w') {
        return Err(Problem::NotAStep(cursor.rest_of_line()));
    }
    let field = |cursor: &mut Cursor| {
        if !matches!(cursor.peek(), b' ' | b'\t') {
            return Err(Problem::NotAStep(cursor.rest_of_line()));
        }
        cursor.blanks();
        cursor.number()
    };
    let (key, value) = (field(cursor)?, field(cursor)?);
    if cursor.is_at_end() {
        return Err(Problem::OpenNumber);
    }
    let (key, value) = (datum(&mut block.values, key), datum(&mut block.values, value));
    if !matches!(block.marks.last(), Some(Mark { what: What::Begin { .. }, .. })) {
        let what = What::Begin { line: cursor.line() };
        block.marks.push(Mark { steps: block.steps.len(), what });
    }
    block.step(Step { reads, key, value: Some(value) });
    Ok(())
}

/// The session that is being read, and those before it.
#[derive(Default)]
struct Merge {
    sessions: Sessions,
    session: u32,
    /// Whether the session has a transaction.
    began: bool,
    /// The first line of the transaction that is being read.
    line: u32,
}

impl Merge {
    /// Adds a block, before which there are so many lines.
    fn add(&mut self, block: &Block<Mark>, before: u64) {
        let mut from = 0;
        for mark in &block.marks {
            self.sessions.extend(&block.steps[from..mark.steps]);
            from = mark.steps;
            match mark.what {
                What::Begin { line } if self.sessions.under_way() == 0 => {
                    self.line = u32::try_from(before + line).unwrap_or(u32::MAX);
                }
                What::Begin { .. } => {}
                What::End => self.close(),
                What::EndOfSession => {
                    self.close();
                    self.session += u32::from(self.began);
                    self.began = false;
                }
            }
        }
        self.sessions.extend(&block.steps[from..]);
    }

    /// Ends the transaction, if there is any.
    fn close(&mut self) {
        if self.sessions.under_way() > 0 {
            self.sessions.end(self.session, Fate::Committed, self.line);
            self.began = true;
        }
    }
}
