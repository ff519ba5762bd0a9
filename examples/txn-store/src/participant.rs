//! What a node does for transactions that others coordinate: it lets them wait for
//! its keys, and promises nothing that is not on its disk.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::clock::Clock;
use crate::journal::Journal;
use crate::message::{Age, Operation, Outcome, PeerAnswer, Timestamp, TxnId, View};
use crate::shard::{Shard, Step};

/// How long an operation waits for others: less than its coordinator waits for the answer.
const WAIT: Duration = Duration::from_millis(150);

/// A node's keys, as coordinators see them.
pub struct Participant {
    shard: Mutex<Shard>,
    /// Told whenever a transaction has ended.
    ends: watch::Sender<()>,
    journal: Arc<Journal>,
    clock: Arc<Clock>,
}

impl Participant {
    /// The keeper of `shard`.
    pub fn new(shard: Shard, journal: Arc<Journal>, clock: Arc<Clock>) -> Self {
        Self { shard: Mutex::new(shard), ends: watch::Sender::new(()), journal, clock }
    }

    /// Performs an operation, as soon as nobody is in the way.
    pub async fn perform(
        &self,
        txn: &TxnId,
        age: &Age,
        first: bool,
        operation: &Operation,
    ) -> PeerAnswer {
        self.clock.observe(age.begun);
        if let View::Snapshot(snapshot) = &operation.view {
            // What is committed here from now on is later than the snapshot.
            self.clock.observe(snapshot.end());
        }
        if !self.shard().join(txn, age, first) {
            return PeerAnswer::Conflict;
        }
        let limit = Instant::now() + WAIT;
        let mut ends = self.ends.subscribe();
        loop {
            let step = self.shard().perform(txn, operation);
            match step {
                Step::Done(value) => return PeerAnswer::Performed(value),
                Step::Conflict => return PeerAnswer::Conflict,
                Step::Wait if timeout_at(limit, ends.changed()).await.is_err() => {
                    return PeerAnswer::Conflict;
                }
                Step::Wait => {}
            }
        }
    }

    /// Promises to end a transaction as its coordinator will say: the time after which
    /// that is to be, or nothing when its locks, or its writes, are not what they were.
    pub async fn prepare(&self, txn: &TxnId) -> Option<Timestamp> {
        let promise = self.shard().prepare(txn, &self.clock)?;
        let after = promise.after;
        if !promise.writes.is_empty() {
            self.journal.promised(txn, promise).await;
        }
        Some(after)
    }

    /// Ends a transaction.
    pub async fn finish(&self, txn: &TxnId, outcome: Outcome) {
        if let Outcome::Committed(time) = outcome {
            self.clock.observe(time);
        }
        let Some(promised) = self.shard().begin_end(txn) else { return };
        if promised {
            // Its locks are held until then: the log has the commits of a key in their order.
            self.journal.ended(txn, outcome).await;
        }
        self.shard().end(txn, outcome);
        self.ends.send_replace(());
    }

    /// Drops what has promised nothing and is idle.
    pub fn drop_idle(&self, limit: Duration) {
        if self.shard().drop_idle(limit) {
            self.ends.send_replace(());
        }
    }

    /// Transactions that were promised so long ago and of whose end nothing was heard.
    pub fn in_doubt(&self, limit: Duration) -> Vec<TxnId> {
        self.shard().in_doubt(limit)
    }

    fn shard(&self) -> MutexGuard<'_, Shard> {
        self.shard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
