//! The interchange format: one JSON object a line, also compressed with zstd.
//!
//! Read in blocks of some megabytes, several at once, straight into columns;
//! memory is that of the history, not of the file. The text of other tools
//! (EDN, Porcupine's logs) is not read here.

mod block;
mod line;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use crate::cutter::Cutter;
use crate::history::HistoryError;
use crate::{Event, History, pipeline};
use block::{Block, Whole};

/// Why a history file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file itself.
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    /// What is in it.
    #[error(transparent)]
    Malformed(#[from] HistoryError),
    /// What is in a file of the store format.
    #[error("not a history in the store format: {0}")]
    Store(String),
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
        return read_from(zstd::stream::read::Decoder::with_buffer(file)?, tail);
    }
    read_from(file, tail)
}

/// Reads events from any reader until its end.
pub fn read_from(mut from: impl Read, tail: Tail) -> Result<History, ReadError> {
    let mut whole = Whole::default();
    let add = |blocks: Vec<Block>| whole.add(blocks, tail);
    pipeline::run(&mut from, Cutter::new(usize::MAX), Block::parse, add)?;
    let Whole { columns, .. } = &mut whole;
    let columns = std::mem::take(columns);
    Ok(History::of(columns).map_err(|error| whole.locate(error))?)
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
            Err(error) => unreachable!("reading lines from memory failed: {error}"),
        }
    }
}
