//! Checkers judge histories.
//!
//! A [`Checker`] reads a [`History`](tribunal_history::History) and returns a
//! [`Verdict`]. Everything here is pure: no files, no clock, no threads but
//! rayon's. A checker may miss; it never accuses falsely: whatever it cannot
//! decide is `unknown`.
//!
//! Any object can be judged from a unit test in ten lines: say what its calls do, and
//! hand the recorded history to a [`Judge`]. Here a counter whose `increment` answers
//! with the new count:
//!
//! ```
//! use tribunal_checkers::{Checker, Judge, Validity, linearizability::model::Model};
//! use tribunal_history::{History, Operation};
//! struct Counter;
//! impl Model for Counter {
//!     type Call = Option<i64>; // the answer, where there is one
//!     type State = i64;
//!     fn init(&self) -> i64 { 0 }
//!     fn step(&self, count: &i64, told: &Option<i64>) -> impl IntoIterator<Item = i64> {
//!         Some(count + 1).filter(|next| told.is_none_or(|told| told == *next))
//!     }
//!     fn call(&self, operation: &Operation) -> Result<Option<Option<i64>>, String> {
//!         Ok(Some(operation.result().and_then(|value| value.as_i64())))
//!     }
//! }
//! let history = History::parse(r#"
//! {"time":1,"process":0,"type":"invoke","f":"increment"}
//! {"time":2,"process":1,"type":"invoke","f":"increment"}
//! {"time":3,"process":0,"type":"ok","f":"increment","value":1}
//! {"time":4,"process":1,"type":"ok","f":"increment","value":1}"#)?;
//! let verdict = Judge::new(Counter).check(&history);
//! assert_eq!(verdict.validity, Validity::Invalid); // both answered 1: an increment was lost
//! println!("{}", tribunal_checkers::timeline(&verdict.anomalies[0], &history));
//! # Ok::<(), tribunal_history::HistoryError>(())
//! ```

pub mod anomalies;
mod blame;
mod evidence;
mod failed;
pub mod invariants;
mod keys;
mod leader;
mod lease;
pub mod linearizability;
pub mod liveness;
mod lww;
pub mod objects;
mod set_full;
mod statistics;
mod times;
mod total_queue;
pub mod transactions;
mod unseen;
mod verdict;

pub use evidence::Evidence;
pub use leader::Leader;
pub use lease::Lease;
pub use linearizability::{Judge, Linearizable, SessionGuarantees, timeline};
pub use liveness::Liveness;
pub use lww::Lww;
pub use set_full::SetFull;
pub use statistics::Statistics;
pub use total_queue::TotalQueue;
pub use unseen::Unseen;
pub use verdict::{Anomaly, Checker, Compose, Validity, Verdict};
