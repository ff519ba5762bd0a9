//! A part of a file: whole lines, read by themselves, and put together in order.

use super::{ReadError, Tail, line};
use crate::Event;
use crate::columns::Columns;
use crate::history::{HistoryError, Reason};

/// What was read of a block.
pub(super) struct Block {
    columns: Columns,
    /// Lines read, blank ones too.
    lines: usize,
    /// For each blank line, how many events came before it.
    blanks: Vec<usize>,
    /// The first event that tells its index, and that index.
    indexed: Option<(usize, u64)>,
    /// The first line that is none.
    failure: Option<Failure>,
}

/// A line that is no event.
struct Failure {
    reason: Reason,
    /// It is the last one and does not end.
    torn: bool,
}

impl Block {
    /// Reads the lines of `text`.
    pub fn parse(text: &[u8]) -> Self {
        let (columns, blanks) = (Columns::default(), Vec::new());
        let mut block = Self { columns, lines: 0, blanks, indexed: None, failure: None };
        // A line of ours takes about a hundred bytes.
        block.columns.reserve(text.len() / 100);
        for line in text.split_inclusive(|&byte| byte == b'\n') {
            block.lines += 1;
            if line.iter().all(u8::is_ascii_whitespace) {
                block.blanks.push(block.columns.len());
            } else if let Err(failure) = block.add(line) {
                block.failure = Some(failure);
                break;
            }
        }
        block
    }

    fn add(&mut self, text: &[u8]) -> Result<(), Failure> {
        let at = self.columns.len();
        let index = line::read(text, &mut self.columns).map_err(|error| {
            let torn = error.is_eof() && !text.ends_with(b"\n");
            let reason = if torn { Reason::CutOff } else { not_an_event(&error) };
            Failure { reason, torn }
        })?;
        if index == Event::UNNUMBERED {
            return Ok(());
        }
        let (first, offset) = *self.indexed.get_or_insert((at, index));
        let expected = offset + (at - first) as u64;
        match index == expected {
            true => Ok(()),
            false => Err(Failure { reason: Reason::Index { found: index, expected }, torn: false }),
        }
    }
}

fn not_an_event(error: &serde_json::Error) -> Reason {
    // serde_json adds "at line 1 column 17"; the line is ours to tell.
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    let what = what.replace(char::is_control, " ");
    Reason::NotAnEvent(format!("{what} (column {})", error.column()))
}

/// The blocks so far, as one.
#[derive(Default)]
pub(super) struct Whole {
    pub columns: Columns,
    lines: usize,
    /// For each blank line, how many events came before it.
    blanks: Vec<usize>,
}

impl Whole {
    /// Adds the next block.
    pub fn add(&mut self, block: Block, tail: Tail) -> Result<(), ReadError> {
        let base = self.columns.len();
        self.blanks.extend(block.blanks.iter().map(|before| base + before));
        if let Some((first, found)) = block.indexed {
            let expected = (base + first) as u64;
            if found != expected {
                let error = HistoryError::at(base + first, Reason::Index { found, expected });
                return Err(self.locate(error).into());
            }
        }
        self.lines += block.lines;
        self.columns.append(block.columns);
        match block.failure {
            Some(failure) if !(failure.torn && tail == Tail::MayBeTorn) => {
                Err(HistoryError { line: self.lines, reason: failure.reason }.into())
            }
            _ => Ok(()),
        }
    }

    /// Names the line of an event that was named by its position: there may be blank ones.
    pub fn locate(&self, error: HistoryError) -> HistoryError {
        let blanks = self.blanks.iter().filter(|&&before| before < error.line).count();
        HistoryError { line: error.line + blanks, ..error }
    }
}
