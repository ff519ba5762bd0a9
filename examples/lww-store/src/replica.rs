//! What one node stores: for each key the version with the highest stamp, on disk.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use substrate::Log;

use crate::bug::Bug;
use crate::message::{PeerAnswer, PeerRequest, Versioned};

/// How long a deletion is remembered by who forgets it.
const GRACE: Duration = Duration::from_millis(300);

/// A node's part of the data. A key that was deleted has a version, too, of null.
pub struct Replica {
    /// Only what is on disk: what is shown is never taken back.
    versions: Mutex<HashMap<String, Kept>>,
    log: Log,
    bug: Bug,
}

struct Kept {
    version: Versioned,
    since: Instant,
}

impl Replica {
    /// Opens what `folder` holds.
    pub fn open(folder: &Path, bug: Bug) -> io::Result<Self> {
        let (log, records) = Log::open::<(String, Versioned)>(&folder.join("data.log"), true)?;
        let replica = Self { versions: Mutex::default(), log, bug };
        for (key, version) in records {
            replica.keep(key, version);
        }
        Ok(replica)
    }

    /// The highest time in any stamp.
    pub fn newest_ns(&self) -> u64 {
        self.versions().values().map(|kept| kept.version.stamp.ns).max().unwrap_or(0)
    }

    /// Answers a coordinator.
    pub async fn answer(&self, request: PeerRequest) -> PeerAnswer {
        match request {
            PeerRequest::Query { key } => PeerAnswer::Has(self.kept(&key)),
            PeerRequest::Store { key, version } => {
                self.store(key, version).await;
                PeerAnswer::Stored
            }
        }
    }

    /// Returns when this version, or a newer one, is on disk.
    async fn store(&self, key: String, version: Versioned) {
        let wins = self.kept(&key).is_none_or(|kept| self.beats(&version, &kept));
        if wins {
            self.log.append(&(&key, &version)).await;
            self.keep(key, version);
        }
    }

    /// What there is of a key.
    fn kept(&self, key: &str) -> Option<Versioned> {
        let mut versions = self.versions();
        let forgotten = |kept: &Kept| kept.version.value.is_null() && kept.since.elapsed() > GRACE;
        if self.bug == Bug::Tombstone && versions.get(key).is_some_and(forgotten) {
            versions.remove(key);
        }
        versions.get(key).map(|kept| kept.version.clone())
    }

    fn keep(&self, key: String, version: Versioned) {
        let since = Instant::now();
        match self.versions().entry(key) {
            Entry::Vacant(place) => {
                place.insert(Kept { version, since });
            }
            Entry::Occupied(mut kept) => {
                if self.beats(&version, &kept.get().version) {
                    kept.insert(Kept { version, since });
                }
            }
        }
    }

    /// Whether `version` replaces what is kept.
    fn beats(&self, version: &Versioned, kept: &Versioned) -> bool {
        match self.bug {
            Bug::Tie => version.stamp.ns > kept.stamp.ns,
            _ => version.stamp > kept.stamp,
        }
    }

    fn versions(&self) -> MutexGuard<'_, HashMap<String, Kept>> {
        self.versions.lock().expect("no panic under this lock")
    }
}
