//! Text of one read or write a line, in blocks, several at once.
//!
//! What the lines of a format look like, and what they come to mean together, is told by the formats:
//! [`plume`](super::plume) and [`awdit`](super::awdit).

use std::io::Read;

use rayon::prelude::*;

use super::error::{Excerpt, ImportError, Problem};
use super::sessions::Words;
use super::text::{LONGEST_EVENT, Position};
use crate::cutter::Cutter;
use crate::value::Translation;
use crate::{Datum, Values, pipeline};

/// A part of a file, read by itself.
pub(super) struct Block<M> {
    /// The steps, as lists.
    pub(super) steps: Vec<Datum>,
    /// What the steps' data are of, until they are those of the whole file.
    pub(super) values: Values,
    words: Words,
    /// What the lines say beside the steps.
    pub(super) marks: Vec<M>,
    /// The number of lines.
    lines: u64,
    /// The first line that is none; lines count from 1 within the block.
    failure: Option<(Position, Problem)>,
}

impl<M> Block<M> {
    /// Adds a step.
    pub(super) fn step(&mut self, step: Step) {
        self.steps.push(self.words.step(&mut self.values, step));
    }

    /// Makes the steps those of the values that took over the block's.
    fn translate(&mut self, translation: &Translation) {
        self.steps.iter_mut().for_each(|step| *step = translation.of(*step));
    }
}

/// A read or a write.
pub(super) struct Step {
    pub(super) reads: bool,
    pub(super) key: Datum,
    /// `None` where a read found what was there before all writes.
    pub(super) value: Option<Datum>,
}

/// How a format reads the line that begins at the cursor, but not its end.
pub(super) type ReadLine<M> = fn(&mut Cursor, &mut Block<M>) -> Result<(), Problem>;

/// Reads all blocks, and gives them to `add` in order, each with the number of lines before it.
/// Answers what the steps' data are of by then.
pub(super) fn read<M: Send>(
    from: &mut impl Read,
    line: ReadLine<M>,
    mut add: impl FnMut(Block<M>, u64) -> Result<(), ImportError> + Send,
) -> Result<Values, ImportError> {
    let (mut values, mut before) = (Values::of_parts(), 0);
    let join = |mut blocks: Vec<Block<M>>| {
        let drafts = blocks.iter_mut().map(|block| std::mem::take(&mut block.values));
        let translations = values.adopt(drafts.collect());
        let both = blocks.par_iter_mut().zip(&translations);
        both.for_each(|(block, translation)| block.translate(translation));
        for mut block in blocks {
            let (lines, failure) = (block.lines, block.failure.take());
            add(block, before)?;
            if let Some((at, problem)) = failure {
                return Err(misread(at, problem, before));
            }
            before += lines;
        }
        Ok(())
    };
    let cutter = Cutter::new(LONGEST_EVENT as usize);
    pipeline::run(from, cutter, |text| parse(text, line), join)?;
    Ok(values)
}

/// What is wrong with a line of a block, in the file.
fn misread(at: Position, mut problem: Problem, before: u64) -> ImportError {
    if let Problem::CutOff { began, .. } = &mut problem {
        *began = below(*began, before);
    }
    ImportError::at(below(at, before), problem)
}

/// A place of a block as one of the file.
pub(super) fn below(at: Position, lines: u64) -> Position {
    Position { line: lines + at.line, ..at }
}

fn parse<M>(text: &[u8], line: ReadLine<M>) -> Block<M> {
    let (mut values, steps) = (Values::draft(0), Vec::with_capacity(text.len() / 20));
    let words = Words::of(&mut values);
    let mut block = Block { steps, values, words, marks: Vec::new(), lines: 0, failure: None };
    let mut cursor = Cursor { text, at: 0, line: 0, line_start: 0 };
    while cursor.begin_line() {
        block.lines = cursor.line;
        if let Err(problem) = line(&mut cursor, &mut block).and_then(|()| cursor.end_line()) {
            block.failure = Some(cursor.fail(problem));
            break;
        }
    }
    block
}

/// A place in a block.
pub(super) struct Cursor<'t> {
    text: &'t [u8],
    at: usize,
    /// The line, from 1, and where it begins.
    line: u64,
    line_start: usize,
}

impl Cursor<'_> {
    /// The next byte; 0 at the end, which no line holds.
    #[inline]
    pub(super) fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    /// Whether nothing comes any more, not even a line's end: only the last line of a file may end so.
    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.text.len()
    }

    /// Takes the next byte if it is `expected`.
    #[inline]
    pub(super) fn take(&mut self, expected: u8) -> bool {
        let is = self.peek() == expected;
        self.at += usize::from(is);
        is
    }

    /// Takes blanks.
    pub(super) fn blanks(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\r') {
            self.at += 1;
        }
    }

    /// Takes a whole number without a sign.
    #[inline]
    pub(super) fn number(&mut self) -> Result<u64, Problem> {
        let from = self.at;
        let mut number = 0_u64;
        while self.peek().is_ascii_digit() {
            number = number.wrapping_mul(10).wrapping_add(u64::from(self.peek() - b'0'));
            self.at += 1;
        }
        match self.at - from {
            1..=19 => Ok(number),
            _ => self.long_number(from),
        }
    }

    /// A number of more digits than surely fit, or of none.
    #[cold]
    fn long_number(&mut self, from: usize) -> Result<u64, Problem> {
        let digits = String::from_utf8_lossy(&self.text[from..self.at]).into_owned();
        digits.parse().map_err(|_| match digits.is_empty() {
            true => Problem::NotAStep(self.rest_of_line()),
            false => Problem::NumberTooLarge(Excerpt::of(&digits)),
        })
    }

    /// What the line holds, for a sentence.
    pub(super) fn rest_of_line(&self) -> Excerpt {
        let line = &self.text[self.line_start..];
        let line = line.split(|&byte| byte == b'\n').next().unwrap_or_default();
        Excerpt::of(&String::from_utf8_lossy(&line[..line.len().min(200)]))
    }

    /// The line, from 1, of the block.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Goes to the next line that is not blank.
    fn begin_line(&mut self) -> bool {
        loop {
            self.line += 1;
            self.line_start = self.at;
            self.blanks();
            if !self.take(b'\n') {
                break;
            }
        }
        self.at < self.text.len()
    }

    fn end_line(&mut self) -> Result<(), Problem> {
        self.blanks();
        match self.is_at_end() || self.take(b'\n') {
            true => Ok(()),
            false => Err(Problem::NotAStep(self.rest_of_line())),
        }
    }

    /// What is wrong, and where: if the text ends there, that.
    fn fail(&self, problem: Problem) -> (Position, Problem) {
        let column = (self.at - self.line_start) as u64 + 1;
        let began = Position { line: self.line, column: 1 };
        let problem = match problem {
            Problem::NotAStep(_) if self.at as u64 - self.line_start as u64 > LONGEST_EVENT => {
                Problem::TooLong
            }
            Problem::NotAStep(_) if self.at == self.text.len() => {
                Problem::CutOff { what: "a line", began }
            }
            other => other,
        };
        (Position { line: self.line, column }, problem)
    }
}

/// A number as a value of a history.
#[inline]
pub(super) fn datum(values: &mut Values, number: u64) -> Datum {
    match i64::try_from(number) {
        Ok(number) => values.int(number),
        Err(_) => values.intern(&number.into()),
    }
}
