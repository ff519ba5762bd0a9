//! How far a node has heard of each other node's commits. Only the bug `long-fork`
//! rests its snapshots on it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::message::Timestamp;

/// For each node, the timestamp up to which its commits are known of.
pub struct Horizons {
    own: String,
    heard: Mutex<BTreeMap<String, Timestamp>>,
}

impl Horizons {
    /// What node `own` knows: nothing yet.
    pub fn new(own: String) -> Self {
        Self { own, heard: Mutex::default() }
    }

    /// What is known `now`: everything of its own, of others as far as heard.
    pub fn known(&self, now: Timestamp) -> BTreeMap<String, Timestamp> {
        let mut known = self.heard().clone();
        known.insert(self.own.clone(), now);
        known
    }

    /// Another node told what it knows. All of it is taken over, so that no commit is
    /// known of before those that it rests on.
    pub fn merge(&self, told: BTreeMap<String, Timestamp>) {
        let mut heard = self.heard();
        for (node, until) in told {
            let known = heard.entry(node).or_default();
            *known = until.max(*known);
        }
    }

    fn heard(&self) -> MutexGuard<'_, BTreeMap<String, Timestamp>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_knows_its_own_commits_at_once_and_others_as_far_as_told() {
        let horizons = Horizons::new("n1".into());
        horizons.merge([("n1".into(), 99), ("n2".into(), 5), ("n3".into(), 7)].into());
        horizons.merge([("n2".into(), 6), ("n3".into(), 4)].into());
        let known = [("n1".into(), 10), ("n2".into(), 6), ("n3".into(), 7)];
        assert_eq!(horizons.known(10), known.into());
    }
}
