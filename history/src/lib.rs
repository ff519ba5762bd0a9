//! Histories: what was called, by whom, when, and what came back.
//!
//! This is the ground floor. It holds the [`Event`] and the pairing of events
//! into [`Operation`]s, the record of what the nemesis did ([`Fault`]), and the
//! file formats. It does not decide what to call (generators do), does not call
//! (clients do) and does not judge (checkers do). Apart from the readers and
//! writers of [`jsonl`] it does no I/O.
//!
//! ```
//! use tribunal_history::History;
//! let lines = r#"{"index":0,"time":1,"process":0,"type":"invoke","f":"write","value":7}
//! {"index":1,"time":2,"process":0,"type":"ok","f":"write","value":7}"#;
//! let history = History::parse(lines)?;
//! assert_eq!(history.operations().count(), 1);
//! # Ok::<(), tribunal_history::HistoryError>(())
//! ```

pub mod arrow;
mod call;
mod columns;
mod cutter;
pub mod edn;
mod event;
mod event_ref;
mod fault;
mod history;
pub mod import;
pub mod jsonl;
mod operation;
mod pipeline;
mod value;

pub use call::Call;
pub use event::{Event, Kind, Name, Nanos, Process};
pub use event_ref::EventRef;
pub use fault::{Effect, Fault, FaultNote, Stage};
pub use history::{History, HistoryError, Reason};
pub use operation::Operation;
pub use serde_json::{Map, Value};
pub use value::{Datum, Elements, Entries, ValueRef, Values};
