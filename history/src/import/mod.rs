//! Histories that other tools wrote, and how to tell whose they are.
//!
//! [`read`] tells the format from the content, never from the name, unless the caller says
//! which it is. One file reads each [`Format`]; what their events mean is then settled in
//! [`tuples`] and [`knossos`], and [`assemble`] makes a history of them: dense indexes, times
//! that never run backwards, a new process after every info. The formats of transactions that have
//! no events and no times go through [`sessions`] instead. `docs/formats.md` tells it to users.
//!
//! Nothing is judged here, and nothing is guessed that could accuse a database: what cannot
//! be told is refused with a sentence that says what to do. A file is read in pieces; its nesting
//! and the length of one event are bounded.
//!
//! ```
//! use tribunal_history::import::{self, Format};
//! let edn = "{:process 0, :type :invoke, :f :write, :value 3, :time 5, :index 0}
//!            {:process 0, :type :ok, :f :write, :value 3, :time 9, :index 1}";
//! let imported = import::read_from(edn.as_bytes(), None)?;
//! assert_eq!(imported.format, Format::Edn);
//! assert_eq!(imported.history.operations().count(), 1);
//! # Ok::<(), import::ImportError>(())
//! ```

mod assemble;
mod awdit;
mod dbcop;
mod detect;
mod edn;
mod elle_json;
mod error;
mod jepsen;
mod json;
mod key_value;
mod knossos;
mod plume;
mod porcupine;
mod record;
mod remark;
mod sessions;
mod steps;
mod text;
mod tuples;

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::str::FromStr;

use crate::jsonl::{self, Tail};
use crate::{History, arrow};

pub use detect::detect;
pub use error::{Excerpt, ImportError, Problem, Unrecognized};
pub use remark::Remark;
pub use text::{LONGEST_EVENT, Position};

use record::{Record, Records};
use text::Text;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The formats that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Our own: one JSON object a line.
    Jsonl,
    /// Our own: Arrow's stream format, in which runs keep their histories.
    Store,
    /// Jepsen's `history.edn`; whether its values are `[key value]` tuples is told from them.
    Edn,
    /// The same, and every value is a `[key value]` tuple.
    EdnKeyed,
    /// The same, and no value is such a tuple.
    EdnPlain,
    /// The same, and a read of nil says nothing, as in Knossos.
    Knossos,
    /// elle-cli's: a JSON array of Jepsen's operations.
    ElleJson,
    /// Porcupine's logs of Jepsen's etcd test.
    Porcupine,
    /// Porcupine's key-value files.
    KeyValue,
    /// The text of reads and writes that Plume, PolySI and AWDIT share.
    Plume,
    /// AWDIT's plain text of sessions of transactions.
    Awdit,
    /// dbcop's JSON.
    Dbcop,
}

impl Format {
    /// All of them, in the order in which they are listed to users.
    pub const ALL: [Format; 12] = [
        Format::Jsonl,
        Format::Store,
        Format::Edn,
        Format::EdnKeyed,
        Format::EdnPlain,
        Format::Knossos,
        Format::ElleJson,
        Format::Porcupine,
        Format::KeyValue,
        Format::Plume,
        Format::Awdit,
        Format::Dbcop,
    ];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Format::Jsonl => "jsonl",
            Format::Store => "store",
            Format::Edn => "edn",
            Format::EdnKeyed => "edn-keyed",
            Format::EdnPlain => "edn-plain",
            Format::Knossos => "knossos",
            Format::ElleJson => "elle-json",
            Format::Porcupine => "porcupine",
            Format::KeyValue => "key-value",
            Format::Plume => "plume",
            Format::Awdit => "awdit",
            Format::Dbcop => "dbcop",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|format| format.name()).collect();
            format!("`{name}` is no format; the formats are {}", known.join(", "))
        })
    }
}

/// A history that was read, and how.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The history.
    pub history: History,
    /// The format that it was read as.
    pub format: Format,
    /// What was decided on the way.
    pub remarks: Vec<Remark>,
}

/// Reads a history file, also a zstd-compressed one, in `format` or in the one its content tells.
pub fn read(path: &Path, format: Option<Format>) -> Result<Imported, ImportError> {
    const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
    let mut file = BufReader::new(File::open(path)?);
    if file.fill_buf()?.starts_with(&ZSTD_MAGIC) {
        return read_from(zstd::stream::read::Decoder::with_buffer(file)?, format);
    }
    read_from(file, format)
}

/// Reads a history from any reader, in `format` or in the one its content tells.
pub fn read_from(mut from: impl Read, format: Option<Format>) -> Result<Imported, ImportError> {
    let mut head = Vec::new();
    from.by_ref().take(detect::HEAD).read_to_end(&mut head)?;
    let head = head.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&head);
    let told = format.map_or_else(|| detect(head), Ok)?;
    let is_json = detect(head) == Ok(Format::ElleJson);
    let mut from = head.chain(from);
    let at_once = match told {
        Format::Jsonl => Some(jsonl::read_from(&mut from, Tail::Whole)?),
        Format::Store => Some(arrow::read_from(&mut from, Tail::Whole)?),
        Format::Plume => Some(plume::read(&mut from)?),
        Format::Awdit => Some(awdit::read(&mut from)?),
        Format::Dbcop => Some(dbcop::read(&mut from)?),
        _ => None,
    };
    if let Some(history) = at_once {
        return Ok(Imported { history, format: told, remarks: Vec::new() });
    }
    let mut text = Text::new(&mut from);
    let mut remarks = Vec::new();
    let records = match told {
        Format::ElleJson => elle_json::read(&mut text)?,
        Format::Porcupine => {
            let (records, other_lines) = porcupine::read(&mut text)?;
            remarks.extend((other_lines > 0).then_some(Remark::OtherLines(other_lines)));
            records
        }
        // The rules of a dialect of EDN can be asked for in JSON, too.
        _ if is_json => elle_json::read(&mut text)?,
        _ => jepsen::read(&mut text)?,
    };
    let Records { list: mut records, .. } = records;
    // Who names no format leaves it to the content which dialect of EDN this is.
    let format = match (format, told) {
        (None, Format::Edn) => dialect(&records),
        _ => told,
    };
    settle(&mut records, format, &mut remarks)?;
    let (history, more) = assemble::assemble(records)?;
    remarks.extend(more);
    Ok(Imported { history, format, remarks })
}

/// Whose EDN this is.
fn dialect(records: &[Record]) -> Format {
    if key_value::is_told(records) {
        Format::KeyValue
    } else if knossos::is_told(records) {
        Format::Knossos
    } else {
        Format::Edn
    }
}

/// Applies the rules of a format to what the events mean.
fn settle(
    records: &mut [Record],
    format: Format,
    remarks: &mut Vec<Remark>,
) -> Result<(), ImportError> {
    match format {
        Format::Jsonl
        | Format::Store
        | Format::Plume
        | Format::Awdit
        | Format::Dbcop
        | Format::Porcupine
        | Format::EdnPlain => {}
        Format::KeyValue => key_value::require(records)?,
        Format::EdnKeyed => tuples::split(records)?,
        Format::Edn | Format::ElleJson | Format::Knossos => {
            if tuples::split_if_told(records)? {
                remarks.push(Remark::Tuples);
            }
        }
    }
    if format == Format::Knossos {
        let forgotten = knossos::forget_reads_of_nil(records);
        remarks.extend((forgotten > 0).then_some(Remark::ReadsOfNil(forgotten)));
    }
    Ok(())
}
