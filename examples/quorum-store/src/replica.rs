//! What one node stores: for each key the version with the highest stamp, and what it keeps for
//! others. On disk before anybody is told.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use serde::{Deserialize, Serialize};
use substrate::Log;

use crate::message::{PeerAnswer, PeerRequest, Versioned};

/// What is kept for a member, by its name and the key.
pub type Hints = HashMap<(String, String), Versioned>;

/// A node's part of the data.
pub struct Replica {
    /// How often this node has been started, this time included.
    pub life: u64,
    held: Mutex<Held>,
    log: Log,
}

/// Only what is on disk: what is shown is never taken back.
#[derive(Default)]
struct Held {
    versions: HashMap<String, Versioned>,
    hints: Hints,
}

/// A line of the log. That a hint was delivered is not kept: once more does no harm.
#[derive(Serialize, Deserialize)]
enum Record {
    Started,
    Stored { key: String, version: Versioned },
    Hinted { member: String, key: String, version: Versioned },
}

impl Replica {
    /// Opens what `folder` holds, and begins a new life.
    pub async fn open(folder: &Path) -> io::Result<Self> {
        let (log, records) = Log::open::<Record>(&folder.join("data.log"), true)?;
        let mut held = Held::default();
        let mut life = 1;
        for record in records {
            match record {
                Record::Started => life += 1,
                Record::Stored { key, version } => keep(&mut held.versions, key, version),
                Record::Hinted { member, key, version } => held.hint(member, key, version),
            }
        }
        log.append(&Record::Started).await;
        Ok(Self { life, held: Mutex::new(held), log })
    }

    /// Answers a coordinator.
    pub async fn answer(&self, request: PeerRequest) -> PeerAnswer {
        match request {
            PeerRequest::Query { key } => {
                return PeerAnswer::Has(self.held().versions.get(&key).cloned());
            }
            PeerRequest::Store { key, version } => self.store(key, version).await,
            PeerRequest::Hint { member, key, version } => {
                self.hint(member, key, version).await;
            }
        }
        PeerAnswer::Stored
    }

    /// Returns when this version, or a newer one, is on disk.
    async fn store(&self, key: String, version: Versioned) {
        let kept = self.held().versions.get(&key).is_some_and(|kept| version.stamp <= kept.stamp);
        if !kept {
            let record = Record::Stored { key: key.clone(), version: version.clone() };
            self.log.append(&record).await;
            keep(&mut self.held().versions, key, version);
        }
    }

    /// Returns when what is kept for `member` is on disk.
    async fn hint(&self, member: String, key: String, version: Versioned) {
        let (to, what) = (member.clone(), key.clone());
        let record = Record::Hinted { member: to, key: what, version: version.clone() };
        self.log.append(&record).await;
        self.held().hint(member, key, version);
    }

    /// What is kept for others.
    pub fn hints(&self) -> Hints {
        self.held().hints.clone()
    }

    /// Drops what its member has now, unless a newer one has come for it meanwhile.
    pub fn delivered(&self, hint: (String, String), version: &Versioned) {
        if let Entry::Occupied(kept) = self.held().hints.entry(hint)
            && kept.get() == version
        {
            kept.remove();
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no panic under this lock")
    }
}

impl Held {
    fn hint(&mut self, member: String, key: String, version: Versioned) {
        keep(&mut self.versions, key.clone(), version.clone());
        keep(&mut self.hints, (member, key), version);
    }
}

/// Keeps the version with the higher stamp.
fn keep<K: Eq + std::hash::Hash>(versions: &mut HashMap<K, Versioned>, key: K, version: Versioned) {
    match versions.entry(key) {
        Entry::Vacant(place) => {
            place.insert(version);
        }
        Entry::Occupied(mut kept) => {
            if kept.get().stamp < version.stamp {
                kept.insert(version);
            }
        }
    }
}
