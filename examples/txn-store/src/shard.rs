//! The keys of one node, and the transactions that are open on them: what is done at
//! once, in memory. Waiting, and what must be on disk first, is the participant's.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use crate::clock::Clock;
use crate::locks::{Grant, Locks, Mode};
use crate::message::{Action, Age, Operation, Outcome, Timestamp, TxnId, View};
use crate::versions::{Snapshot, Versions};

/// What a transaction writes here.
pub type Writes = BTreeMap<String, Value>;

/// Keys, locks, and open transactions.
#[derive(Default)]
pub struct Shard {
    versions: Versions,
    locks: Locks,
    open: HashMap<TxnId, Open>,
}

/// A transaction that has not ended.
struct Open {
    age: Age,
    stage: Stage,
    writes: Writes,
    since: Instant,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// It may still be dropped.
    Active,
    /// Only its coordinator knows how it ends: later than this, if it is committed.
    Prepared(Timestamp),
    /// Its end is on the way to the disk.
    Ending,
}

/// What came of an operation.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// It is done; what was read.
    Done(Value),
    /// Somebody is in the way who will go.
    Wait,
    /// Somebody is in the way: the transaction must begin again.
    Conflict,
}

/// A promise to end a transaction as its coordinator says.
#[derive(Debug, PartialEq)]
pub struct Promise {
    /// The commit must be later.
    pub after: Timestamp,
    /// Since when the transaction is under way.
    pub age: Age,
    /// What is written then.
    pub writes: Writes,
}

impl Shard {
    /// Lets a transaction perform operations here. `first` says whether it is new: one that
    /// ought to be known and is not was dropped, or lost with the memory, and so were its locks.
    pub fn join(&mut self, txn: &TxnId, age: &Age, first: bool) -> bool {
        match self.open.get_mut(txn) {
            Some(open) => open.since = Instant::now(),
            None if first => {
                let (age, since) = (age.clone(), Instant::now());
                let open = Open { age, stage: Stage::Active, writes: Writes::new(), since };
                self.open.insert(txn.clone(), open);
            }
            None => return false,
        }
        true
    }

    /// Performs an operation of a transaction that has joined.
    pub fn perform(&mut self, txn: &TxnId, operation: &Operation) -> Step {
        let Operation { key, action, view } = operation;
        match self.open.get(txn) {
            Some(Open { stage: Stage::Active, .. }) => {}
            _ => return Step::Conflict,
        }
        match action {
            Action::Read => self.read(txn, key, view),
            Action::Write(value) => self.write(txn, key, view, |_| value.clone()),
            Action::Append(value) => self.write(txn, key, view, |old| appended(old, value)),
        }
    }

    fn read(&mut self, txn: &TxnId, key: &str, view: &View) -> Step {
        if let Some(own) = self.open[txn].writes.get(key) {
            return Step::Done(own.clone());
        }
        match view {
            View::Locked => self.locked(txn, key, Mode::Shared, Self::newest),
            View::Briefly => self.locked(txn, key, Mode::Shared, |shard, key| {
                shard.locks.release(txn, key);
                shard.newest(key)
            }),
            View::Dirty => Step::Done(self.written_last(key)),
            View::Snapshot(snapshot) if self.is_open_within(key, snapshot) => Step::Wait,
            View::Snapshot(snapshot) => Step::Done(self.versions.seen(key, snapshot)),
        }
    }

    fn write(
        &mut self,
        txn: &TxnId,
        key: &str,
        view: &View,
        change: impl FnOnce(Value) -> Value,
    ) -> Step {
        let step = self.locked(txn, key, Mode::Exclusive, Self::newest);
        let Step::Done(committed) = step else { return step };
        if let View::Snapshot(snapshot) = view
            && !self.versions.is_current(key, snapshot)
        {
            return Step::Conflict;
        }
        let writes = &mut self.open.get_mut(txn).expect("it performs").writes;
        let new = change(writes.remove(key).unwrap_or(committed));
        writes.insert(key.to_owned(), new);
        Step::Done(Value::Null)
    }

    fn locked(
        &mut self,
        txn: &TxnId,
        key: &str,
        mode: Mode,
        then: impl FnOnce(&mut Self, &str) -> Value,
    ) -> Step {
        match self.locks.request(txn, &self.open[txn].age, key, mode) {
            Grant::Granted => Step::Done(then(self, key)),
            Grant::Wait => Step::Wait,
            Grant::Die => Step::Conflict,
        }
    }

    fn newest(&mut self, key: &str) -> Value {
        self.versions.newest(key)
    }

    /// What an open transaction has written, if one has: writers exclude each other.
    fn written_last(&self, key: &str) -> Value {
        let open = self.open.values().find_map(|open| open.writes.get(key).cloned());
        open.unwrap_or_else(|| self.versions.newest(key))
    }

    /// Whether a write of this key may still be committed at a time that the snapshot has.
    fn is_open_within(&self, key: &str, snapshot: &Snapshot) -> bool {
        self.open.iter().any(|(txn, open)| match open.stage {
            Stage::Active => false,
            Stage::Prepared(after) => {
                open.writes.contains_key(key) && snapshot.has(&txn.node, after)
            }
            Stage::Ending => open.writes.contains_key(key),
        })
    }

    /// Promises to end a transaction as its coordinator says, which is to be later than now.
    pub fn prepare(&mut self, txn: &TxnId, clock: &Clock) -> Option<Promise> {
        let open = self.open.get_mut(txn).filter(|open| open.stage == Stage::Active)?;
        let after = clock.tick();
        let (age, writes) = (open.age.clone(), open.writes.clone());
        open.since = Instant::now();
        // Who has only read has nothing to keep: it may be dropped, like before.
        if !writes.is_empty() {
            open.stage = Stage::Prepared(after);
        }
        Some(Promise { after, age, writes })
    }

    /// The promise of an earlier life.
    pub fn restore(&mut self, txn: TxnId, promise: Promise) {
        let Promise { after, age, writes } = promise;
        for key in writes.keys() {
            self.locks.request(&txn, &age, key, Mode::Exclusive);
        }
        let (stage, since) = (Stage::Prepared(after), Instant::now());
        self.open.insert(txn, Open { age, stage, writes, since });
    }

    /// Begins the end of a transaction: whether it is a promise's, which is to be on disk.
    /// Nobody else may end it from now on; nothing, if somebody does already.
    pub fn begin_end(&mut self, txn: &TxnId) -> Option<bool> {
        let open = self.open.get_mut(txn).filter(|open| open.stage != Stage::Ending)?;
        let promised = open.stage != Stage::Active;
        open.stage = Stage::Ending;
        Some(promised)
    }

    /// Ends a transaction: its writes are there or gone, and its locks are free.
    pub fn end(&mut self, txn: &TxnId, outcome: Outcome) {
        let Some(open) = self.open.remove(txn) else { return };
        if let Outcome::Committed(time) = outcome {
            for (key, value) in open.writes {
                self.versions.add(key, &txn.node, time, value);
            }
        }
        self.locks.release_all(txn);
    }

    /// Drops transactions that have promised nothing and of which nothing was heard for so
    /// long; whether there were any.
    pub fn drop_idle(&mut self, limit: Duration) -> bool {
        let idle = |open: &Open| open.stage == Stage::Active && open.since.elapsed() > limit;
        let idle: Vec<TxnId> =
            self.open.iter().filter(|(_, open)| idle(open)).map(|(txn, _)| txn.clone()).collect();
        idle.iter().for_each(|txn| self.end(txn, Outcome::Aborted));
        !idle.is_empty()
    }

    /// Transactions that were promised so long ago and of whose end nothing was heard.
    pub fn in_doubt(&self, limit: Duration) -> Vec<TxnId> {
        let doubtful =
            |open: &Open| matches!(open.stage, Stage::Prepared(_)) && open.since.elapsed() > limit;
        self.open.iter().filter(|(_, open)| doubtful(open)).map(|(txn, _)| txn.clone()).collect()
    }
}

/// A list with one more element.
fn appended(list: Value, element: &Value) -> Value {
    let mut elements = match list {
        Value::Array(elements) => elements,
        Value::Null => Vec::new(),
        other => vec![other],
    };
    elements.push(element.clone());
    Value::Array(elements)
}
