//! Text of one read or write a line, in blocks, several at once.
//!
//! What the lines of a format look like, and what they come to mean together, is told by the formats:
//! [`plume`](super::plume) and [`awdit`](super::awdit).

use std::io::Read;

use rayon::prelude::*;

use super::error::{Excerpt, ImportError, Problem};
use super::text::{LONGEST_EVENT, Position};
use crate::cutter::Cutter;
use crate::{Datum, Values};

/// A part of a file, read by itself.
pub(super) struct Block<M> {
    /// The steps, as lists.
    pub(super) steps: Vec<Datum>,
    /// What the steps' data are of.
    pub(super) values: Values,
    /// The words for a read and for a write.
    words: [Datum; 2],
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
        let [read, write] = self.words;
        let word = if step.reads { read } else { write };
        let value = step.value.unwrap_or(Datum::NULL);
        self.steps.push(self.values.list(&[word, step.key, value]));
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
pub(super) fn read<M: Send>(
    from: &mut impl Read,
    line: ReadLine<M>,
    mut add: impl FnMut(Block<M>, u64) -> Result<(), ImportError>,
) -> Result<(), ImportError> {
    let mut cutter = Cutter::new(LONGEST_EVENT as usize);
    let mut before = 0;
    loop {
        let texts = cutter.several(from)?;
        if texts.is_empty() {
            return Ok(());
        }
        let blocks: Vec<Block<M>> = texts.par_iter().map(|text| parse(text, line)).collect();
        for mut block in blocks {
            let (lines, failure) = (block.lines, block.failure.take());
            add(block, before)?;
            if let Some((at, mut problem)) = failure {
                if let Problem::CutOff { began, .. } = &mut problem {
                    *began = below(*began, before);
                }
                return Err(ImportError::at(below(at, before), problem));
            }
            before += lines;
        }
    }
}

/// A place of a block as one of the file.
pub(super) fn below(at: Position, lines: u64) -> Position {
    Position { line: lines + at.line, ..at }
}

fn parse<M>(text: &[u8], line: ReadLine<M>) -> Block<M> {
    let (mut values, steps) = (Values::default(), Vec::with_capacity(text.len() / 20));
    let words = ["r", "w"].map(|word| values.text(word));
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
        match self.at == self.text.len() || self.take(b'\n') {
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
