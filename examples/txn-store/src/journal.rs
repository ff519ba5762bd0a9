//! What a node must not forget: its promises as a participant, their ends, its own
//! decisions as a coordinator, and how often it was started. One log for all.

use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};
use substrate::Log;

use crate::clock::Clock;
use crate::decisions::Decisions;
use crate::message::{Age, Outcome, Timestamp, TxnId};
use crate::shard::{Promise, Shard, Writes};

/// A line of the log.
#[derive(Serialize, Deserialize)]
enum Record {
    /// The node was started again.
    Started,
    /// It will end this transaction as its coordinator says.
    Promised { txn: TxnId, after: Timestamp, age: Age, writes: Writes },
    /// The coordinator has said so.
    Ended { txn: TxnId, outcome: Outcome },
    /// As its coordinator, the node has committed it. Of an abort there is no record: a
    /// transaction that no coordinator knows is aborted.
    Decided { txn: TxnId, time: Timestamp },
}

/// The log.
pub struct Journal {
    log: Log,
}

/// What a node begins with.
#[derive(Default)]
pub struct Memory {
    /// How often it was started before.
    pub starts: u64,
    /// Its keys, and the promises that have not ended.
    pub shard: Shard,
    /// What it has committed as coordinator.
    pub decisions: Decisions,
    /// A clock that is later than everything in the log.
    pub clock: Clock,
}

impl Journal {
    /// Opens the log in `folder` and remembers; that it was opened is on disk, too.
    pub async fn open(folder: &Path) -> io::Result<(Self, Memory)> {
        let (log, records) = Log::open::<Record>(&folder.join("data.log"), true)?;
        let mut memory = Memory::default();
        records.into_iter().for_each(|record| memory.recall(record));
        log.append(&Record::Started).await;
        Ok((Self { log }, memory))
    }

    /// Keeps a promise.
    pub async fn promised(&self, txn: &TxnId, promise: Promise) {
        let (txn, Promise { after, age, writes }) = (txn.clone(), promise);
        self.log.append(&Record::Promised { txn, after, age, writes }).await;
    }

    /// Keeps what came of a promise.
    pub async fn ended(&self, txn: &TxnId, outcome: Outcome) {
        self.log.append(&Record::Ended { txn: txn.clone(), outcome }).await;
    }

    /// Keeps a decision: from then on the transaction is committed.
    pub async fn decided(&self, txn: &TxnId, time: Timestamp) {
        self.log.append(&Record::Decided { txn: txn.clone(), time }).await;
    }
}

impl Memory {
    fn recall(&mut self, record: Record) {
        match record {
            Record::Started => self.starts += 1,
            Record::Promised { txn, after, age, writes } => {
                self.clock.observe(after);
                self.shard.restore(txn, Promise { after, age, writes });
            }
            Record::Ended { txn, outcome } => {
                if let Outcome::Committed(time) = outcome {
                    self.clock.observe(time);
                }
                self.shard.end(&txn, outcome);
            }
            Record::Decided { txn, time } => {
                self.clock.observe(time);
                self.decisions.commit(txn, time);
            }
        }
    }
}
