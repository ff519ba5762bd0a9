//! The state machine as openraft drives it: entries are applied in memory, and snapshots are
//! what is on disk.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openraft::storage::RaftStateMachine;
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder, StorageIOError};
use serde_json::Value;

use crate::database::Database;
use crate::machine::{Machine, json};
use crate::snapshot::SnapshotFile;
use crate::types::{Entry, LogId, Membership, Snapshot, SnapshotMeta, StorageError, Types};

/// A handle on the machine.
pub struct Store<D: Database> {
    held: Arc<Mutex<Held<D>>>,
    file: SnapshotFile,
    bug: D::Bug,
}

struct Held<D: Database> {
    machine: Machine<D::State>,
    applied: Option<LogId>,
    membership: Membership,
}

impl<D: Database> Clone for Store<D> {
    fn clone(&self) -> Self {
        Self { held: self.held.clone(), file: self.file.clone(), bug: self.bug }
    }
}

impl<D: Database> Store<D> {
    /// The machine as the snapshot in `folder` has it.
    pub fn open(folder: &Path, bug: D::Bug) -> io::Result<Self> {
        let file = SnapshotFile::new(folder);
        let held = match file.read()? {
            Some(snapshot) => Held::of(snapshot.meta, *snapshot.snapshot)?,
            None => Held {
                machine: Machine::default(),
                applied: None,
                membership: Membership::default(),
            },
        };
        Ok(Self { held: Arc::new(Mutex::new(held)), file, bug })
    }

    /// The answer to a question, by what is applied.
    pub fn look(&self, question: &Value) -> Value {
        self.held().machine.look::<D>(question)
    }

    /// What is due by this node's clock.
    pub fn due(&self, clock: &mut D::Clock) -> Vec<D::Change> {
        self.held().machine.due::<D>(clock)
    }

    /// The machine as it is now.
    pub fn copy(&self) -> Machine<D::State> {
        self.held().machine.clone()
    }

    fn held(&self) -> MutexGuard<'_, Held<D>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn keep(&self, snapshot: Snapshot) -> Result<(), StorageError> {
        let file = self.file.clone();
        let written = tokio::task::spawn_blocking(move || file.write(&snapshot)).await;
        let written = written.map_err(io::Error::other).and_then(|result| result);
        written.map_err(|error| StorageIOError::write_snapshot(None, &error).into())
    }
}

impl<D: Database> Held<D> {
    fn of(meta: SnapshotMeta, data: Value) -> serde_json::Result<Self> {
        let machine = serde_json::from_value(data)?;
        Ok(Self { machine, applied: meta.last_log_id, membership: meta.last_membership })
    }

    fn apply(&mut self, entry: Entry, bug: D::Bug) -> Value {
        self.applied = Some(entry.log_id);
        match entry.payload {
            EntryPayload::Blank => Value::Null,
            EntryPayload::Normal(command) => self.machine.apply::<D>(&command, bug),
            EntryPayload::Membership(membership) => {
                self.membership = Membership::new(Some(entry.log_id), membership);
                Value::Null
            }
        }
    }
}

impl<D: Database> RaftSnapshotBuilder<Types> for Store<D> {
    async fn build_snapshot(&mut self) -> Result<Snapshot, StorageError> {
        let snapshot = {
            let held = self.held();
            let at = held.applied.map(|applied| applied.to_string()).unwrap_or_default();
            let meta = SnapshotMeta {
                last_log_id: held.applied,
                last_membership: held.membership.clone(),
                snapshot_id: at,
            };
            Snapshot { meta, snapshot: Box::new(json(&held.machine)) }
        };
        self.keep(snapshot.clone()).await?;
        Ok(snapshot)
    }
}

impl<D: Database> RaftStateMachine<Types> for Store<D> {
    type SnapshotBuilder = Self;

    async fn applied_state(&mut self) -> Result<(Option<LogId>, Membership), StorageError> {
        let held = self.held();
        Ok((held.applied, held.membership.clone()))
    }

    async fn apply<I>(&mut self, entries: I) -> Result<Vec<Value>, StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let mut held = self.held();
        Ok(entries.into_iter().map(|entry| held.apply(entry, self.bug)).collect())
    }

    async fn get_snapshot_builder(&mut self) -> Self {
        self.clone()
    }

    async fn begin_receiving_snapshot(&mut self) -> Result<Box<Value>, StorageError> {
        Ok(Box::default())
    }

    async fn install_snapshot(
        &mut self,
        meta: &SnapshotMeta,
        data: Box<Value>,
    ) -> Result<(), StorageError> {
        let held = Held::of(meta.clone(), Value::clone(&data));
        let held = held.map_err(|error| StorageIOError::read_snapshot(None, &error))?;
        self.keep(Snapshot { meta: meta.clone(), snapshot: data }).await?;
        *self.held() = held;
        Ok(())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        let file = self.file.clone();
        let read = tokio::task::spawn_blocking(move || file.read()).await;
        let read = read.map_err(io::Error::other).and_then(|result| result);
        read.map_err(|error| StorageIOError::read_snapshot(None, &error).into())
    }
}
