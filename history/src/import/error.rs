//! What can be wrong with a file of another tool, in sentences.

use std::{fmt, io};

use serde_json::Value;

use super::text::{LONGEST_EVENT, Position};
use crate::Reason;
use crate::jsonl::ReadError;

/// Why a file could not be imported. The caller names the file.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file itself.
    #[error("cannot read it: {0}")]
    Io(#[from] io::Error),
    /// What is in it, and where.
    #[error("line {}, column {}: {problem}", at.line, at.column)]
    Malformed {
        /// Where.
        at: Position,
        /// What, and what to do.
        problem: Problem,
    },
    /// A file of one of our own formats.
    #[error(transparent)]
    Ours(#[from] ReadError),
    /// None of the formats.
    #[error("{0}")]
    Unrecognized(#[from] Unrecognized),
}

impl ImportError {
    pub(super) fn at(at: Position, problem: Problem) -> Self {
        ImportError::Malformed { at, problem }
    }

    /// What was wrong where the file ends is that it ends, inside `what`.
    pub(super) fn cut_off(self, what: &'static str, began: Position) -> Self {
        match self {
            ImportError::Malformed {
                problem: Problem::CutOff { .. } | Problem::TooLong, ..
            } => self,
            ImportError::Malformed { at, .. } => Self::at(at, Problem::CutOff { what, began }),
            other => other,
        }
    }
}

/// A file whose format was not told from its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unrecognized {
    /// Compressed by other means than zstd.
    #[error("this is a gzip file; unpack it first (gunzip), or compress it with zstd")]
    Gzip,
    /// Anything else.
    #[error(
        "the format was not told from the content; say which it is: --format jsonl | store | edn | \
         knossos | elle-json | porcupine | key-value | plume | awdit | dbcop"
    )]
    Unknown,
}

/// What is wrong at one place of a file, and what to do about it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Problem {
    /// The file ends inside something.
    #[error(
        "the file ends in the middle of {what}, which began at line {}; it was cut off: fetch it \
         again, or delete the torn end", began.line
    )]
    CutOff {
        /// Inside what.
        what: &'static str,
        /// Where that began.
        began: Position,
    },
    /// An event that never ends.
    #[error("this event is longer than {} MiB; the file is damaged, or no history", LONGEST_EVENT >> 20)]
    TooLong,
    /// Too many brackets.
    #[error("more than {0} collections are nested in each other; no history needs that many")]
    TooDeep(u32),
    /// A bracket that closes nothing, or a byte that begins nothing.
    #[error("{found} is not expected here{hint}")]
    Unexpected {
        /// The character or word.
        found: Excerpt,
        /// What would be, or what to do.
        hint: &'static str,
    },
    /// Bytes that are no text.
    #[error("these bytes are not UTF-8; save the file as UTF-8")]
    NotUtf8,
    /// A string or character escape that does not exist.
    #[error("`{0}` is not an escape that {1} knows")]
    Escape(Excerpt, &'static str),
    /// A word that begins like a number.
    #[error("`{0}` is not a number")]
    NotANumber(Excerpt),
    /// A map that says two things of one key.
    #[error("the key `{0}` occurs twice in this map; delete one")]
    RepeatedKey(Excerpt),
    /// A map that ends after a key.
    #[error("the key `{0}` has no value")]
    KeyWithoutValue(Excerpt),
    /// Clojure left something out when it printed.
    #[error(
        "`...` stands where Clojure left elements out; print the history with *print-length* nil"
    )]
    Elided,
    /// Something else than a map where an event should be.
    #[error("{0} is not an event; an event is a map with at least a type, an f and a process")]
    NotAnEvent(Excerpt),
    /// A field of an event that is not what it should be.
    #[error("the event's {field} is {found}; it must be {expected}")]
    Field {
        /// Which.
        field: &'static str,
        /// What it is.
        found: Excerpt,
        /// What it should be.
        expected: &'static str,
    },
    /// A client's event that does not say what was called.
    #[error("the event names no function; every event of a client has an f")]
    NoFunction,
    /// A line of a log that begins like an event.
    #[error("this line begins like an event but is none; it reads `process :type :f value`")]
    LogLine,
    /// Not a function of a key-value store.
    #[error(
        "`{0}` is not a call of a key-value file; its calls are get, put and append, each with a key"
    )]
    NotKeyValue(Excerpt),
    /// Events in another order than their indexes.
    #[error("index {found} comes after index {before}; sort the events by index")]
    IndexOrder {
        /// This event's.
        found: u64,
        /// The one before.
        before: u64,
    },
    /// Time runs backwards, and not only by the race of two threads.
    #[error(
        "time {found} is {:.3} s earlier than the event before it ({before}); sort the events by \
         time", (before - found) as f64 / 1e9
    )]
    TimeRanBack {
        /// This event's.
        found: u64,
        /// The one before.
        before: u64,
    },
    /// Some answers carry the key and some do not.
    #[error(
        "this answer is not a [key value] tuple, although all calls are and other answers are; say \
         which it is: --format edn-keyed or --format edn-plain"
    )]
    MixedTuples,
    /// The user says that all values are tuples, and one is not.
    #[error("the value {0} of this call is not a [key value] tuple; try --format edn-plain")]
    NotATuple(Excerpt),
    /// A line that is no read and no write.
    #[error(
        "`{0}` is no operation; a line of plume's text is r(key,value,session,transaction) or \
         w(..), one of awdit's is `r key value`, `w key value`, ----- or =====, all whole numbers"
    )]
    NotAStep(Excerpt),
    /// A line that does not end, where nothing tells a whole number from a torn one.
    #[error(
        "the file ends right after this number, which may be the beginning of a longer one; if the \
         file is whole, end its last line with a line feed, and otherwise fetch it again"
    )]
    OpenNumber,
    /// More than 64 bits.
    #[error("{0} is too large; numbers have at most 64 bits")]
    NumberTooLarge(Excerpt),
    /// A write of the value that stands for none.
    #[error(
        "this writes 0, which stands for what was there before all writes; number the values from 1"
    )]
    WriteOfInitial,
    /// A transaction of two sessions.
    #[error(
        "transaction {transaction} is of session {first} and of session {second}; a transaction is \
         run by one session, and its number is its own in the whole file"
    )]
    TwoSessions {
        /// Its number.
        transaction: u64,
        /// Whose it was.
        first: u32,
        /// Whose it is here.
        second: u32,
    },
    /// A transaction that goes on after the next one has begun.
    #[error(
        "session {session} had begun another transaction since its transaction {transaction}; give \
         every transaction its own number, and let its lines follow each other"
    )]
    Resumed {
        /// Its number.
        transaction: u64,
        /// Whose it is.
        session: u32,
    },
    /// JSON that is not dbcop's.
    #[error("not a history of dbcop's: {0}")]
    NotDbcop(Excerpt),
    /// The events do not make a history.
    #[error("{0}")]
    History(Reason),
}

/// A few words of a file, fit to stand in a sentence: no line feeds, and not a megabyte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    const LONGEST: usize = 60;

    pub(super) fn of(text: &str) -> Self {
        let mut excerpt = String::new();
        for (count, character) in text.chars().enumerate() {
            match character {
                _ if count == Self::LONGEST => {
                    excerpt.push('…');
                    break;
                }
                _ if character.is_control() => excerpt.extend(character.escape_debug()),
                _ => excerpt.push(character),
            }
        }
        Self(excerpt)
    }
}

impl From<&Value> for Excerpt {
    fn from(value: &Value) -> Self {
        Self::of(&value.to_string())
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}
