//! The interchange format: one JSON object a line, also compressed with zstd.
//!
//! The text of other tools (EDN, Porcupine's logs) is not read here.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

use crate::history::{HistoryError, Reason};
use crate::{Event, History, Name};

/// Why a history file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file itself.
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    /// What is in it.
    #[error(transparent)]
    Malformed(#[from] HistoryError),
}

/// What to do with a last line that does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// It is an error: the file was cut off on its way here.
    Whole,
    /// It is dropped: the run was killed while writing, and all before it counts.
    MayBeTorn,
}

/// Reads a `.jsonl` or (by its first bytes, not its name) zstd-compressed file.
pub fn read(path: &Path, tail: Tail) -> Result<History, ReadError> {
    const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let mut file = BufReader::new(File::open(path)?);
    if file.fill_buf()?.starts_with(&ZSTD_MAGIC) {
        return read_from(BufReader::new(zstd::stream::read::Decoder::with_buffer(file)?), tail);
    }
    read_from(file, tail)
}

/// Reads events from any reader until its end.
pub fn read_from(mut from: impl BufRead, tail: Tail) -> Result<History, ReadError> {
    let mut events: Vec<Event> = Vec::new();
    let mut names = Names::default();
    let mut lines: Vec<usize> = Vec::new();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if from.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match serde_json::from_slice(&line) {
            Ok(event) => events.push(names.share(event)),
            Err(error) if is_torn(&line, &error) && tail == Tail::MayBeTorn => break,
            Err(error) => {
                let reason =
                    if is_torn(&line, &error) { Reason::CutOff } else { not_an_event(&error) };
                return Err(HistoryError { line: number, reason }.into());
            }
        }
        lines.push(number);
    }
    // Blank lines are allowed, so an event's position is not yet its line.
    let with_line = |error: HistoryError| HistoryError { line: lines[error.line - 1], ..error };
    Ok(History::new(events).map_err(with_line)?)
}

/// The names in a file. Each event is read with copies of its own, of what are a
/// few functions and nodes over and over.
#[derive(Default)]
struct Names(HashSet<Name>);

impl Names {
    /// The same event with names that others have, too.
    fn share(&mut self, mut event: Event) -> Event {
        for name in std::iter::once(&mut event.f).chain(&mut event.node) {
            match self.0.get(name) {
                Some(known) => *name = known.clone(),
                None => drop(self.0.insert(name.clone())),
            }
        }
        event
    }
}

fn is_torn(line: &[u8], error: &serde_json::Error) -> bool {
    error.is_eof() && !line.ends_with(b"\n")
}

fn not_an_event(error: &serde_json::Error) -> Reason {
    // serde_json adds "at line 1 column 17"; the line is ours to tell.
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or(&text);
    Reason::NotAnEvent(format!("{what} (column {})", error.column()))
}

/// Writes one event as a line.
pub fn write(to: &mut impl Write, event: &Event) -> io::Result<()> {
    serde_json::to_writer(&mut *to, event)?;
    to.write_all(b"\n")
}

impl History {
    /// Reads a history from text, as [`read_from`] does.
    pub fn parse(text: &str) -> Result<Self, HistoryError> {
        match read_from(text.as_bytes(), Tail::Whole) {
            Ok(history) => Ok(history),
            Err(ReadError::Malformed(error)) => Err(error),
            Err(ReadError::Io(error)) => unreachable!("reading from memory failed: {error}"),
        }
    }
}
