//! When a write happened.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::bug::Bug;

/// A write's place in the order of all writes: the highest wins.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    /// Nanoseconds since 1970, more or less.
    pub ns: u64,
    /// The node that stamped; decides between equal times.
    pub node: String,
}

/// A node's source of stamps.
pub struct Stamper {
    bug: Bug,
    node: String,
    last: AtomicU64,
}

impl Stamper {
    /// A source for `node`, whose stamps so far ended with `last`.
    pub fn new(bug: Bug, node: impl Into<String>, last: u64) -> Self {
        Self { bug, node: node.into(), last: AtomicU64::new(last) }
    }

    /// The stamp of a write that replaces what `newest` stamped, when the wall
    /// clock says `wall`.
    pub fn stamp(&self, wall: u64, newest: Option<&Stamp>) -> Stamp {
        let ns = match self.bug {
            Bug::WallClock => wall,
            _ => self.later_than(wall, newest.map_or(0, |stamp| stamp.ns)),
        };
        Stamp { ns, node: self.node.clone() }
    }

    fn later_than(&self, wall: u64, newest: u64) -> u64 {
        let next = |last: u64| wall.max(newest.max(last) + 1);
        let last = self
            .last
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last)))
            .expect("there is always a next");
        next(last)
    }
}

/// What this process believes the time to be, in nanoseconds since 1970.
pub fn wall_clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().try_into().unwrap_or(u64::MAX >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ns: u64, node: &str) -> Stamp {
        Stamp { ns, node: node.to_owned() }
    }

    #[test]
    fn a_wall_clock_that_runs_behind_stamps_a_new_write_older() {
        let stamper = Stamper::new(Bug::WallClock, "n2", 0);
        let seen = at(5_000, "n1");
        assert_eq!(stamper.stamp(3_000, Some(&seen)), at(3_000, "n2"));
        assert!(stamper.stamp(3_000, Some(&seen)) < seen, "this is the bug");
    }

    #[test]
    fn a_hybrid_clock_never_stamps_older_than_what_was_seen() {
        let stamper = Stamper::new(Bug::None, "n2", 0);
        assert_eq!(stamper.stamp(3_000, Some(&at(5_000, "n1"))), at(5_001, "n2"));
        assert_eq!(stamper.stamp(3_000, None), at(5_002, "n2"), "nor older than its own last");
        assert_eq!(stamper.stamp(9_000, None), at(9_000, "n2"), "the wall clock, where it may");
        assert_eq!(stamper.stamp(1_000, None), at(9_001, "n2"), "a jump back does no harm");
    }

    #[test]
    fn a_hybrid_clock_goes_on_after_a_restart() {
        let stamper = Stamper::new(Bug::None, "n2", 7_000);
        assert_eq!(stamper.stamp(3_000, None), at(7_001, "n2"));
    }

    #[test]
    fn equal_times_are_decided_by_the_node() {
        assert!(at(5, "n1") < at(5, "n2"));
        assert!(at(5, "n2") < at(6, "n1"));
    }
}
