//! The store format: columns, in Apache Arrow's IPC stream format.
//!
//! A run appends to its history and seals what it has in a chunk (a record
//! batch) every half second, so that a killed run loses no more than that.
//! Polars, pandas, DuckDB and every other reader of Arrow open the file:
//!
//! | column | type | holds |
//! |---|---|---|
//! | `time` | uint64 | nanoseconds since the run began |
//! | `process` | uint32, null: the nemesis | who |
//! | `type` | dictionary of text | invoke, ok, fail, info |
//! | `f` | dictionary of text | the function |
//! | `key` | dictionary of text, nullable | the key as JSON |
//! | `number` | int64, nullable | a value that is one whole number |
//! | `numbers` | list of int64, nullable | a value that is a list of them |
//! | `json` | text, nullable | any other value, as JSON; without any of the three it is null |
//! | `node` | dictionary of text, nullable | the node that was asked |
//! | `error` | text, nullable | why, as JSON |
//! | `ext` | text, nullable | what the database exposes, as a JSON object |
//!
//! An event's index is its row. The schema's metadata hold `real-time: none` where only the
//! events of one process are in order, and nothing otherwise. Nothing is compressed: a reader is done with ten
//! million calls in less time than it would take to unpack them.

mod message;
mod read;
mod write;

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema};

pub use read::{MAGIC, read_from};
pub use write::Recording;

/// The columns, in this order.
fn schema() -> Arc<Schema> {
    let names = || DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
    let kinds = DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8));
    let numbers = DataType::List(Arc::new(Field::new("item", DataType::Int64, true)));
    Arc::new(Schema::new(vec![
        Field::new("time", DataType::UInt64, false),
        Field::new("process", DataType::UInt32, true),
        Field::new("type", kinds, false),
        Field::new("f", names(), false),
        Field::new("key", names(), true),
        Field::new("number", DataType::Int64, true),
        Field::new("numbers", numbers, true),
        Field::new("json", DataType::Utf8, true),
        Field::new("node", names(), true),
        Field::new("error", DataType::Utf8, true),
        Field::new("ext", DataType::Utf8, true),
    ]))
}

/// What the schema's metadata say of a history without real time.
const NO_REAL_TIME: (&str, &str) = ("real-time", "none");

/// The texts of the column `type`, by the number of a kind.
const KINDS: [&str; 4] = ["invoke", "ok", "fail", "info"];
