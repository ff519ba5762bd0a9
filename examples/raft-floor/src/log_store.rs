//! Raft's log and vote, on disk before anybody is told, and in memory to be read.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io;
use std::ops::{Bound, RangeBounds};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use openraft::storage::{LogFlushed, RaftLogStorage};
use openraft::{LogState, OptionalSend, RaftLogReader};
use serde::{Deserialize, Serialize};
use substrate::Log;

use crate::database::Flaw;
use crate::types::{Entry, LogId, StorageError, Types, Vote};

/// A handle on the log.
#[derive(Clone)]
pub struct LogStore {
    held: Arc<Mutex<Held>>,
    log: Arc<Log>,
    flaw: Option<Flaw>,
}

/// What the log on disk says.
#[derive(Default)]
struct Held {
    vote: Option<Vote>,
    purged: Option<LogId>,
    entries: BTreeMap<u64, Entry>,
}

/// A line of the log.
#[derive(Serialize, Deserialize)]
enum Record {
    Voted(Vote),
    Appended(Vec<Entry>),
    /// Entries from this index on are no more.
    Truncated(u64),
    /// Entries up to this one are no more: a snapshot covers them.
    Purged(LogId),
}

impl LogStore {
    /// Opens the log in `folder`.
    pub fn open(folder: &Path, flaw: Option<Flaw>) -> io::Result<Self> {
        // THE BUG `AcknowledgesBeforeSync`: what is appended reaches the disk whenever the
        // operating system pleases, and is called durable at once.
        let sync = flaw != Some(Flaw::AcknowledgesBeforeSync);
        let (log, records) = Log::open::<Record>(&folder.join("raft.log"), sync)?;
        let mut held = Held::default();
        records.into_iter().for_each(|record| held.replay(record));
        // A leader that starts again is a leader no more. openraft would let it go on in its old
        // term, in which it answers reads before it has learnt what was committed (openraft
        // 0.9.25, `Leader::new`: the blank entry that a read waits for is one of before).
        if let Some(vote) = &mut held.vote {
            vote.committed = false;
        }
        Ok(Self { held: Arc::new(Mutex::new(held)), log: Arc::new(log), flaw })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn replay(&mut self, record: Record) {
        match record {
            Record::Voted(vote) => self.vote = Some(vote),
            Record::Appended(entries) => self.append(entries),
            Record::Truncated(since) => self.truncate(since),
            Record::Purged(upto) => self.purge(upto),
        }
    }

    fn append(&mut self, entries: Vec<Entry>) {
        self.entries.extend(entries.into_iter().map(|entry| (entry.log_id.index, entry)));
    }

    fn truncate(&mut self, since: u64) {
        self.entries.split_off(&since);
    }

    fn purge(&mut self, upto: LogId) {
        self.purged = Some(upto);
        self.entries = self.entries.split_off(&(upto.index + 1));
    }

    /// A log that says the same, and no more than is needed.
    fn records(&self) -> Vec<Record> {
        let vote = self.vote.map(Record::Voted);
        let purged = self.purged.map(Record::Purged);
        let entries = Record::Appended(self.entries.values().cloned().collect());
        vote.into_iter().chain(purged).chain([entries]).collect()
    }
}

impl RaftLogReader<Types> for LogStore {
    async fn try_get_log_entries<RB: RangeBounds<u64> + Clone + Debug + OptionalSend>(
        &mut self,
        range: RB,
    ) -> Result<Vec<Entry>, StorageError> {
        // Who has forgotten its vote may ask for a range that ends before it begins: it has none.
        let held = self.held();
        let since = held.entries.range((range.start_bound().cloned(), Bound::Unbounded));
        Ok(since
            .take_while(|&(index, _)| range.contains(index))
            .map(|(_, entry)| entry.clone())
            .collect())
    }
}

impl RaftLogStorage<Types> for LogStore {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        let held = self.held();
        let last = held.entries.values().next_back().map(|entry| entry.log_id);
        Ok(LogState { last_purged_log_id: held.purged, last_log_id: last.or(held.purged) })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        self.held().vote = Some(*vote);
        // THE BUG `ForgetsVote`: it is in memory, and that is all.
        if self.flaw != Some(Flaw::ForgetsVote) {
            self.log.append(&Record::Voted(*vote)).await;
        }
        Ok(())
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        Ok(self.held().vote)
    }

    async fn append<I>(
        &mut self,
        entries: I,
        flushed: LogFlushed<Types>,
    ) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + OptionalSend,
        I::IntoIter: OptionalSend,
    {
        let entries: Vec<Entry> = entries.into_iter().collect();
        let record = Record::Appended(entries.clone());
        self.held().append(entries);
        self.log.append(&record).await;
        flushed.log_io_completed(Ok(()));
        Ok(())
    }

    async fn truncate(&mut self, since: LogId) -> Result<(), StorageError> {
        self.held().truncate(since.index);
        self.log.append(&Record::Truncated(since.index)).await;
        Ok(())
    }

    async fn purge(&mut self, upto: LogId) -> Result<(), StorageError> {
        let records = {
            let mut held = self.held();
            held.purge(upto);
            held.records()
        };
        let durable = |record: &Record| {
            self.flaw != Some(Flaw::ForgetsVote) || !matches!(record, Record::Voted(_))
        };
        self.log.replace(records.into_iter().filter(durable)).await;
        Ok(())
    }
}
