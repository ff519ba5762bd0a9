//! Checkers judge histories.
//!
//! A [`Checker`] reads a [`History`](tribunal_history::History) and returns a
//! [`Verdict`]. Everything here is pure: no files, no clock, no threads but
//! rayon's. A checker may miss; it never accuses falsely: whatever it cannot
//! decide is `unknown`.

mod blame;
mod evidence;
mod leader;
mod lease;
pub mod linearizability;
mod lww;
mod statistics;
mod verdict;

pub use evidence::Evidence;
pub use leader::Leader;
pub use lease::Lease;
pub use linearizability::{Judge, Linearizable, timeline};
pub use lww::Lww;
pub use statistics::Statistics;
pub use verdict::{Anomaly, Checker, Compose, Validity, Verdict};
