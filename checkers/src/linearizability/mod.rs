//! Linearizability of registers and compare-and-set registers.
//!
//! A history is linearizable if every call can be given one instant between its
//! invocation and its acknowledgement at which it took effect, so that each
//! answer is the one a single register would have given (Herlihy and Wing, ACM
//! TOPLAS 12(3), 1990). It is so iff the calls on each object are, so every key
//! is judged by itself:
//!
//! - [`register`] judges registers and compare-and-set registers.
//!
//! A call without answer may take effect at any time after its invocation, or
//! never; one that failed did not happen.
//!
//! ```
//! use tribunal_checkers::{Checker, Linearizable, Validity};
//! use tribunal_history::History;
//! let history = History::parse(r#"
//! {"time":1,"process":0,"type":"invoke","f":"write","value":7}
//! {"time":2,"process":0,"type":"ok","f":"write","value":7}
//! {"time":3,"process":1,"type":"invoke","f":"read"}
//! {"time":4,"process":1,"type":"ok","f":"read","value":null}"#)?;
//! let verdict = Linearizable::default().check(&history);
//! assert_eq!(verdict.validity, Validity::Invalid);
//! println!("{}", verdict.anomalies[0].message);
//! # Ok::<(), tribunal_history::HistoryError>(())
//! ```

pub mod counter;
pub(crate) mod dense;
pub mod engine;
mod gaps;
pub mod ids;
mod judge;
pub mod lock;
pub mod log;
pub mod model;
pub mod models;
mod moments;
pub mod priority;
mod process;
pub mod queue;
mod range_min;
pub mod register;
pub mod set;
mod shown;
mod stabs;
pub mod stack;
mod timeline;
pub(crate) mod told;
mod wording;

pub use judge::Judge;
pub use register::{Linearizable, SessionGuarantees};
pub use timeline::timeline;
