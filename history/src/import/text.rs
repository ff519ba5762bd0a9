//! The bytes of a file, one after the other, each with its line and column.
//!
//! Reads in pieces, so a file of any size is never held whole. It knows no
//! format. A read error, or an event longer than [`LONGEST_EVENT`], looks like the end
//! of the file to the parsers above; [`Text::error`] then tells what it really was.

use std::io::{self, Read};

use super::error::{ImportError, Problem};

/// The longest text of one event, in bytes. A parsed event takes up to some thirty times as
/// much, so this bounds what a hostile file can make us hold before it is refused.
pub const LONGEST_EVENT: u64 = 32 << 20;

const PIECE: usize = 64 << 10;

/// Where something stands in a file, both from 1. A column counts bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The byte in the line.
    pub column: u64,
}

/// Why there are no more bytes although the file has not ended.
enum Stop {
    Io(io::Error),
    TooLong,
}

/// A file being read.
pub(super) struct Text<'r> {
    from: &'r mut dyn Read,
    piece: Box<[u8]>,
    at: usize,
    end: usize,
    /// How many bytes of the file come before the piece.
    before: u64,
    line: u64,
    line_start: u64,
    event_start: u64,
    stop: Option<Stop>,
    word: Vec<u8>,
}

impl<'r> Text<'r> {
    pub(super) fn new(from: &'r mut dyn Read) -> Self {
        Self::in_pieces(from, PIECE)
    }

    /// What is known to be short, without a large piece to hold it.
    pub(super) fn short(from: &'r mut dyn Read) -> Self {
        Self::in_pieces(from, 64)
    }

    fn in_pieces(from: &'r mut dyn Read, size: usize) -> Self {
        Self {
            from,
            piece: vec![0; size].into_boxed_slice(),
            at: 0,
            end: 0,
            before: 0,
            line: 1,
            line_start: 0,
            event_start: 0,
            stop: None,
            word: Vec::new(),
        }
    }

    /// The next byte, without taking it.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        if self.at == self.end && !self.refill() {
            return None;
        }
        Some(self.piece[self.at])
    }

    /// The byte after the next one.
    pub(super) fn peek_second(&mut self) -> Option<u8> {
        if self.at + 1 >= self.end && (self.peek().is_none() || !self.refill()) {
            return None;
        }
        Some(self.piece[self.at + 1])
    }

    /// Takes the next byte, which has been peeked.
    #[inline]
    pub(super) fn bump(&mut self) {
        let byte = self.piece[self.at];
        self.at += 1;
        if byte == b'\n' {
            self.line += 1;
            self.line_start = self.offset();
        }
    }

    /// Takes the next byte.
    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.bump();
        Some(byte)
    }

    /// Takes the next byte if it is `expected`.
    pub(super) fn take(&mut self, expected: u8) -> bool {
        let is = self.peek() == Some(expected);
        if is {
            self.bump();
        }
        is
    }

    /// Takes bytes while they are wanted. A line feed must never be.
    pub(super) fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        while let Some(rest) = self.rest() {
            let taken = rest.iter().position(|&byte| !wanted(byte));
            self.at += taken.unwrap_or(self.end - self.at);
            if taken.is_some() {
                return;
            }
        }
    }

    /// Takes bytes while they are wanted, and shows them. A line feed must never be.
    pub(super) fn take_while(&mut self, wanted: impl Fn(u8) -> bool) -> &[u8] {
        let mut word = std::mem::take(&mut self.word);
        word.clear();
        self.append_while(wanted, &mut word);
        self.word = word;
        &self.word
    }

    /// Takes bytes while they are wanted, to the end of `to`. A line feed must never be.
    pub(super) fn append_while(&mut self, wanted: impl Fn(u8) -> bool, to: &mut Vec<u8>) {
        while let Some(rest) = self.rest() {
            let taken = rest.iter().position(|&byte| !wanted(byte));
            to.extend_from_slice(&rest[..taken.unwrap_or(rest.len())]);
            self.at += taken.unwrap_or(self.end - self.at);
            if taken.is_some() {
                return;
            }
        }
    }

    /// Where the next byte stands.
    pub(super) fn position(&self) -> Position {
        Position { line: self.line, column: self.offset() - self.line_start + 1 }
    }

    /// From here on the bytes belong to another event.
    pub(super) fn begin_event(&mut self) {
        self.event_start = self.offset();
    }

    /// An error at the next byte.
    pub(super) fn error(&mut self, problem: Problem) -> ImportError {
        let at = self.position();
        self.error_at(at, problem)
    }

    /// An error at a place that has been passed, unless the file could not be read on from there.
    pub(super) fn error_at(&mut self, at: Position, problem: Problem) -> ImportError {
        match self.stop.take() {
            Some(Stop::Io(error)) => ImportError::Io(error),
            Some(Stop::TooLong) => ImportError::at(at, Problem::TooLong),
            None => ImportError::at(at, problem),
        }
    }

    /// At the apparent end of the file: whether it is the real one.
    pub(super) fn ended(&mut self) -> Result<(), ImportError> {
        match self.stop {
            None => Ok(()),
            Some(_) => Err(self.error(Problem::TooLong)),
        }
    }

    fn offset(&self) -> u64 {
        self.before + self.at as u64
    }

    fn rest(&mut self) -> Option<&[u8]> {
        self.peek()?;
        Some(&self.piece[self.at..self.end])
    }

    /// Reads on behind what has not been taken yet; false at the end.
    #[cold]
    fn refill(&mut self) -> bool {
        if self.stop.is_none() && self.offset() - self.event_start > LONGEST_EVENT {
            self.stop = Some(Stop::TooLong);
        }
        if self.stop.is_some() {
            return false;
        }
        self.piece.copy_within(self.at..self.end, 0);
        self.before += self.at as u64;
        self.end -= self.at;
        self.at = 0;
        loop {
            match self.from.read(&mut self.piece[self.end..]) {
                Ok(read) => {
                    self.end += read;
                    return read > 0;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.stop = Some(Stop::Io(error));
                    return false;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out one byte at a time.
    struct Drip<'t>(&'t [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(to.len()).min(1);
            to[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    #[test]
    fn pieces_do_not_show() {
        let mut from = Drip(b"ab\ncde f");
        let mut text = Text::new(&mut from);
        assert_eq!((text.peek(), text.peek_second()), (Some(b'a'), Some(b'b')));
        assert_eq!(text.take_while(|byte| byte != b'\n'), b"ab");
        assert!(text.take(b'\n'));
        assert_eq!(text.position(), Position { line: 2, column: 1 });
        assert_eq!(text.take_while(|byte| byte != b' '), b"cde");
        assert_eq!(text.position(), Position { line: 2, column: 4 });
        assert_eq!((text.peek_second(), text.next()), (Some(b'f'), Some(b' ')));
        assert_eq!((text.next(), text.peek(), text.peek_second()), (Some(b'f'), None, None));
        assert!(text.ended().is_ok());
    }

    #[test]
    fn an_event_without_end_is_refused() {
        let mut from = io::repeat(b'x');
        let mut text = Text::new(&mut from);
        text.skip_while(|byte| byte == b'x');
        assert!(text.ended().unwrap_err().to_string().contains("32 MiB"));
    }

    #[test]
    fn a_read_error_is_not_the_end() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("the disk is gone"))
            }
        }
        let mut from = Broken;
        let mut text = Text::new(&mut from);
        assert_eq!(text.peek(), None);
        assert!(matches!(text.ended(), Err(ImportError::Io(_))));
    }
}
