//! The state machine as openraft drives it: entries are applied in memory, and snapshots are
//! what is on disk.

use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openraft::storage::RaftStateMachine;
use openraft::{EntryPayload, OptionalSend, RaftSnapshotBuilder, StorageIOError};
use serde_json::Value;

use crate::machine::Machine;
use crate::message::Order;
use crate::snapshot::SnapshotFile;
use crate::types::{Entry, LogId, Membership, Snapshot, SnapshotMeta, StorageError, Types};

/// A handle on the machine.
#[derive(Clone)]
pub struct Store {
    held: Arc<Mutex<Held>>,
    file: SnapshotFile,
}

struct Held {
    machine: Box<dyn Machine>,
    applied: Option<LogId>,
    membership: Membership,
}

impl Store {
    /// The machine, which is new, as the snapshot in `folder` has it.
    pub fn open(folder: &Path, machine: Box<dyn Machine>) -> io::Result<Self> {
        let file = SnapshotFile::new(folder);
        let mut held = Held { machine, applied: None, membership: Membership::default() };
        if let Some(snapshot) = file.read()? {
            held.restore(snapshot.meta, *snapshot.snapshot)?;
        }
        Ok(Self { held: Arc::new(Mutex::new(held)), file })
    }

    /// Whether this is an order that the database knows.
    pub fn knows(&self, order: &Order) -> bool {
        self.held().machine.knows(order)
    }

    /// The answer to a question, by what is applied.
    pub fn look(&self, question: &Value) -> Value {
        self.held().machine.look(question)
    }

    /// The changes that are due by this node's clock.
    pub fn due(&self) -> Vec<Value> {
        self.held().machine.due()
    }

    /// A machine like this one is now.
    pub fn copy(&self) -> Box<dyn Machine> {
        self.held().machine.copy()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn keep(&self, snapshot: Snapshot) -> Result<(), StorageError> {
        let file = self.file.clone();
        let written = tokio::task::spawn_blocking(move || file.write(&snapshot)).await;
        let written = written.map_err(io::Error::other).and_then(|result| result);
        written.map_err(|error| StorageIOError::write_snapshot(None, &error).into())
    }
}

impl Held {
    fn restore(&mut self, meta: SnapshotMeta, data: Value) -> serde_json::Result<()> {
        self.machine.restore(data)?;
        (self.applied, self.membership) = (meta.last_log_id, meta.last_membership);
        Ok(())
    }

    fn apply(&mut self, entry: Entry) -> Value {
        self.applied = Some(entry.log_id);
        match entry.payload {
            EntryPayload::Blank => Value::Null,
            EntryPayload::Normal(command) => self.machine.apply(&command),
            EntryPayload::Membership(membership) => {
                self.membership = Membership::new(Some(entry.log_id), membership);
                Value::Null
            }
        }
    }
}

impl RaftSnapshotBuilder<Types> for Store {
    async fn build_snapshot(&mut self) -> Result<Snapshot, StorageError> {
        let snapshot = {
            let held = self.held();
            let at = held.applied.map(|applied| applied.to_string()).unwrap_or_default();
            let meta = SnapshotMeta {
                last_log_id: held.applied,
                last_membership: held.membership.clone(),
                snapshot_id: at,
            };
            Snapshot { meta, snapshot: Box::new(held.machine.save()) }
        };
        self.keep(snapshot.clone()).await?;
        Ok(snapshot)
    }
}

impl RaftStateMachine<Types> for Store {
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
        Ok(entries.into_iter().map(|entry| held.apply(entry)).collect())
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
        self.keep(Snapshot { meta: meta.clone(), snapshot: data.clone() }).await?;
        let restored = self.held().restore(meta.clone(), *data);
        restored.map_err(|error| StorageIOError::read_snapshot(None, &error).into())
    }

    async fn get_current_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        let file = self.file.clone();
        let read = tokio::task::spawn_blocking(move || file.read()).await;
        let read = read.map_err(io::Error::other).and_then(|result| result);
        read.map_err(|error| StorageIOError::read_snapshot(None, &error).into())
    }
}
