//! A write's place in the order of all writes of its key. No clock is asked.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// The highest wins. No two writes have the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    /// Higher than every one that the coordinator was shown.
    pub counter: u64,
    /// The coordinator; decides between writes that did not see each other.
    pub node: String,
    /// Which of the coordinator's lives it was: what it stamped before a crash, and nobody showed it
    /// since, must not be stamped again.
    pub life: u64,
}

/// A node's source of stamps.
pub struct Stamper {
    node: String,
    life: u64,
    last: AtomicU64,
}

impl Stamper {
    /// A source for `node` in a life of its own.
    pub fn new(node: impl Into<String>, life: u64) -> Self {
        Self { node: node.into(), life, last: AtomicU64::new(0) }
    }

    /// A new stamp, higher than `newest`.
    pub fn stamp(&self, newest: Option<&Stamp>) -> Stamp {
        let next = |last: u64| last.max(newest.map_or(0, |stamp| stamp.counter)) + 1;
        let last = self
            .last
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last)))
            .expect("there is always a next");
        Stamp { counter: next(last), node: self.node.clone(), life: self.life }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(counter: u64, node: &str, life: u64) -> Stamp {
        Stamp { counter, node: node.to_owned(), life }
    }

    #[test]
    fn a_stamp_is_higher_than_what_was_seen_and_than_its_node_s_last() {
        let stamper = Stamper::new("n2", 1);
        assert_eq!(stamper.stamp(None), at(1, "n2", 1));
        assert_eq!(stamper.stamp(Some(&at(8, "n9", 4))), at(9, "n2", 1));
        assert_eq!(stamper.stamp(Some(&at(8, "n9", 4))), at(10, "n2", 1), "nobody else has 9");
    }

    #[test]
    fn the_node_and_then_its_life_decide_between_equal_counters() {
        let before = Stamper::new("n1", 1).stamp(None);
        let after = Stamper::new("n1", 2).stamp(None);
        assert!(before < after);
        assert!(after < at(1, "n2", 1));
        assert!(at(1, "n2", 1) < at(2, "n1", 1));
    }
}
