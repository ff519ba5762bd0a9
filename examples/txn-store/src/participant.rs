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

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    use serde_json::{Value, json};

    use crate::message::Action;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("txn-participant-{}-{name}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }

        /// A participant that remembers what is in the folder.
        async fn open(&self) -> Participant {
            let (journal, memory) = Journal::open(&self.0).await.expect("the log opens");
            Participant::new(memory.shard, Arc::new(journal), Arc::new(memory.clock))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    fn txn(number: u64) -> (TxnId, Age) {
        let node = || "n1".to_owned();
        (TxnId { node: node(), number }, Age { begun: number, node: node() })
    }

    async fn append(participant: &Participant, number: u64, first: bool) -> PeerAnswer {
        let (txn, age) = txn(number);
        let action = Action::Append(number.into());
        let operation = Operation { key: "x".into(), action, view: View::Locked };
        participant.perform(&txn, &age, first, &operation).await
    }

    async fn read(participant: &Participant, number: u64, view: View) -> PeerAnswer {
        let (txn, age) = txn(number);
        let operation = Operation { key: "x".into(), action: Action::Read, view };
        participant.perform(&txn, &age, true, &operation).await
    }

    fn found(value: Value) -> PeerAnswer {
        PeerAnswer::Performed(value)
    }

    #[tokio::test]
    async fn a_promise_outlives_a_restart_and_is_kept_as_the_coordinator_says() {
        let folder = Folder::new("promise");
        {
            let participant = folder.open().await;
            assert_eq!(append(&participant, 5, true).await, found(Value::Null));
            assert!(participant.prepare(&txn(5).0).await.is_some());
        }
        let participant = folder.open().await;
        assert_eq!(participant.in_doubt(Duration::ZERO), [txn(5).0]);
        participant.drop_idle(Duration::ZERO);
        assert_eq!(read(&participant, 9, View::Locked).await, PeerAnswer::Conflict, "locked");
        participant.finish(&txn(5).0, Outcome::Committed(7)).await;
        participant.finish(&txn(5).0, Outcome::Committed(7)).await;
        assert_eq!(read(&participant, 9, View::Locked).await, found(json!([5])), "once");
        drop(participant);
        let participant = folder.open().await;
        assert!(participant.in_doubt(Duration::ZERO).is_empty());
        assert_eq!(read(&participant, 9, View::Locked).await, found(json!([5])));
    }

    #[tokio::test]
    async fn what_was_not_promised_is_gone_after_a_restart_and_is_not_promised_then() {
        let folder = Folder::new("lost");
        {
            let participant = folder.open().await;
            assert_eq!(append(&participant, 5, true).await, found(Value::Null));
        }
        let participant = folder.open().await;
        assert_eq!(
            append(&participant, 5, false).await,
            PeerAnswer::Conflict,
            "half of it is lost"
        );
        assert_eq!(participant.prepare(&txn(5).0).await, None);
        assert_eq!(read(&participant, 9, View::Locked).await, found(Value::Null), "not locked");
    }

    #[tokio::test]
    async fn who_is_older_waits_until_the_other_has_ended() {
        let folder = Folder::new("wait");
        let participant = folder.open().await;
        assert_eq!(append(&participant, 5, true).await, found(Value::Null));
        assert_eq!(read(&participant, 9, View::Locked).await, PeerAnswer::Conflict);
        assert_eq!(read(&participant, 8, View::Dirty).await, found(json!([5])), "this is the bug");
        let older = read(&participant, 3, View::Locked);
        let ending = async {
            participant.prepare(&txn(5).0).await.expect("it is as it was");
            participant.finish(&txn(5).0, Outcome::Committed(6)).await;
        };
        assert_eq!(tokio::join!(older, ending).0, found(json!([5])));
    }

    #[tokio::test]
    async fn a_lock_that_is_let_go_at_once_keeps_nobody_out() {
        let folder = Folder::new("brief");
        let participant = folder.open().await;
        assert_eq!(read(&participant, 3, View::Briefly).await, found(Value::Null));
        assert_eq!(append(&participant, 5, true).await, found(Value::Null), "this is the bug");
        assert_eq!(read(&participant, 2, View::Locked).await, PeerAnswer::Conflict, "it waited");
    }

    #[tokio::test]
    async fn a_snapshot_waits_for_what_may_be_committed_within_it() {
        let folder = Folder::new("snapshot");
        let participant = folder.open().await;
        let at = |time| View::Snapshot(crate::versions::Snapshot::At(time));
        assert_eq!(append(&participant, 5, true).await, found(Value::Null));
        let after = participant.prepare(&txn(5).0).await.expect("it is as it was");
        assert_eq!(read(&participant, 8, at(after - 1)).await, found(Value::Null), "before it");
        assert_eq!(read(&participant, 9, at(after + 1)).await, PeerAnswer::Conflict, "it waited");
        participant.finish(&txn(5).0, Outcome::Committed(after + 2)).await;
        assert_eq!(read(&participant, 10, at(after + 1)).await, found(Value::Null));
        assert_eq!(read(&participant, 11, at(after + 2)).await, found(json!([5])));
    }
}
