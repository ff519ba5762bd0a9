//! Committed values of keys, old ones included, and snapshots of them.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::message::Timestamp;

/// Which commits are seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Snapshot {
    /// All until then.
    At(Timestamp),
    /// Of each coordinator those until then; of a coordinator that is not named, none.
    Heard(BTreeMap<String, Timestamp>),
}

impl Snapshot {
    /// Whether it has what `coordinator` commits at `time`.
    pub fn has(&self, coordinator: &str, time: Timestamp) -> bool {
        match self {
            Snapshot::At(until) => time <= *until,
            Snapshot::Heard(until) => until.get(coordinator).is_some_and(|until| time <= *until),
        }
    }

    /// The time after which it has nothing of anybody.
    pub fn end(&self) -> Timestamp {
        match self {
            Snapshot::At(until) => *until,
            Snapshot::Heard(until) => until.values().copied().max().unwrap_or_default(),
        }
    }
}

/// The versions of all keys, each key's in the order of their commits.
#[derive(Default)]
pub struct Versions {
    keys: HashMap<String, Vec<Version>>,
}

struct Version {
    coordinator: String,
    time: Timestamp,
    value: Value,
}

impl Versions {
    /// A newer version of a key.
    pub fn add(&mut self, key: String, coordinator: &str, time: Timestamp, value: Value) {
        let version = Version { coordinator: coordinator.to_owned(), time, value };
        self.keys.entry(key).or_default().push(version);
    }

    /// The newest value; null, where there is none.
    pub fn newest(&self, key: &str) -> Value {
        self.of(key).last().map(|version| version.value.clone()).unwrap_or_default()
    }

    /// The newest value of the snapshot.
    pub fn seen(&self, key: &str, snapshot: &Snapshot) -> Value {
        let seen = |version: &&Version| snapshot.has(&version.coordinator, version.time);
        self.of(key).iter().rev().find(seen).map(|it| it.value.clone()).unwrap_or_default()
    }

    /// Whether the snapshot has the newest value.
    pub fn is_current(&self, key: &str, snapshot: &Snapshot) -> bool {
        let newest = self.of(key).last();
        newest.is_none_or(|version| snapshot.has(&version.coordinator, version.time))
    }

    fn of(&self, key: &str) -> &[Version] {
        self.keys.get(key).map_or(&[], Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_shows_what_was_newest_then() {
        let mut versions = Versions::default();
        versions.add("x".into(), "n1", 10, 1.into());
        versions.add("x".into(), "n2", 20, 2.into());
        assert_eq!(versions.newest("x"), 2);
        assert_eq!(versions.seen("x", &Snapshot::At(9)), Value::Null);
        assert_eq!(versions.seen("x", &Snapshot::At(19)), 1);
        assert_eq!(versions.seen("x", &Snapshot::At(20)), 2);
        assert!(!versions.is_current("x", &Snapshot::At(19)));
        assert!(versions.is_current("x", &Snapshot::At(20)));
        assert_eq!(versions.newest("y"), Value::Null);
        assert!(versions.is_current("y", &Snapshot::At(0)));
    }

    #[test]
    fn what_was_heard_of_one_coordinator_says_nothing_of_another() {
        let mut versions = Versions::default();
        versions.add("x".into(), "n1", 10, 1.into());
        versions.add("y".into(), "n2", 11, 1.into());
        let heard = |n1, n2| Snapshot::Heard([("n1".into(), n1), ("n2".into(), n2)].into());
        let (first, second) = (heard(15, 5), heard(5, 15));
        assert_eq!(
            (versions.seen("x", &first), versions.seen("y", &first)),
            (1.into(), Value::Null)
        );
        assert_eq!(
            (versions.seen("x", &second), versions.seen("y", &second)),
            (Value::Null, 1.into())
        );
        assert_eq!(heard(5, 15).end(), 15);
    }
}
