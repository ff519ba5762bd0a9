//! Checkers judge histories.
//!
//! A [`Checker`] reads a [`History`](tribunal_history::History) and returns a
//! [`Verdict`]. Everything here is pure: no files, no clock, no threads but
//! rayon's. A checker may miss; it never accuses falsely: whatever it cannot
//! decide is `unknown`.

pub mod linearizability;
mod verdict;

pub use linearizability::Linearizable;
pub use verdict::{Anomaly, Checker, Compose, Validity, Verdict};
