//! Who was read: the writer of every value that was found, and the reads that no order of the
//! transactions explains.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;
use tribunal_history::Datum;

use crate::transactions::entries::{Entries, Entry};
use crate::transactions::{Fate, KeyId, Transactions, TxnId};

/// Stands for the writer of what was there before all writes.
pub const INITIAL: TxnId = TxnId::MAX;

/// Stands for no writer: the step is a write, a read of the transaction's own, or one of what nobody
/// can have read.
pub const NOBODY: TxnId = TxnId::MAX - 1;

/// A read that no order explains.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    /// Who read.
    pub txn: TxnId,
    /// Which micro-operation of all.
    pub at: u32,
    /// What is wrong.
    pub what: What,
}

/// What can be wrong with a read by itself.
#[derive(Clone, Copy, Debug)]
pub enum What {
    /// Nobody wrote the value.
    Garbage,
    /// Its writer was aborted.
    Aborted(TxnId),
    /// Its writer wrote the key again.
    Intermediate(TxnId),
    /// The reader had found something else before, which another wrote.
    Unrepeatable,
    /// Another wrote over it, too.
    LostUpdate(TxnId),
    /// The reader itself wrote it later.
    Future,
    /// The reader had written something else.
    Internal,
}

/// A value that was written to a key twice: nobody can tell who was read.
#[derive(Clone, Copy, Debug)]
pub struct Twice {
    key: KeyId,
    value: Datum,
    txns: [TxnId; 2],
}

impl Twice {
    /// What it is, and what to do.
    pub fn sentence(&self, transactions: &Transactions) -> String {
        let [one, other] = self.txns.map(|txn| transactions.get(txn).start);
        let (value, key) = (transactions.value(self.value), transactions.key(self.key));
        let place = match one == other {
            true => format!("event {one} writes {value} to {key} twice"),
            false => format!("event {other} writes {value} to {key}, as event {one} did"),
        };
        format!("{place}; every value must be new to its key, or nobody can tell who was read")
    }
}

/// Who was read.
pub struct Reads {
    /// For each micro-operation of all the writer that it read, or [`INITIAL`], or [`NOBODY`].
    pub from: Vec<TxnId>,
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// Whether each transaction certainly happened: it was acknowledged, or read.
    pub present: Vec<bool>,
}

impl Reads {
    /// Finds all writers.
    pub fn learn(transactions: &Transactions) -> Result<Self, Twice> {
        let entries = Entries::of(transactions);
        let from: Vec<AtomicU32> =
            transactions.all_ops().par_iter().map(|_| AtomicU32::new(NOBODY)).collect();
        let keys = 0..transactions.key_count() as KeyId;
        let look = |part: Result<Part, Twice>, key| {
            let mut part = part?;
            part.look(key, entries.get(key), &from)?;
            Ok(part)
        };
        let parts: Vec<_> = keys.into_par_iter().fold(|| Ok(Part::default()), look).collect();
        let parts = parts.into_iter().collect::<Result<Vec<Part>, Twice>>()?;
        let committed = |txn: &crate::transactions::Txn| txn.fate == Fate::Committed;
        let mut present: Vec<bool> = transactions.all().iter().map(committed).collect();
        parts.iter().flat_map(|it| &it.seen).for_each(|&txn| present[txn as usize] = true);
        let mut faults: Vec<Fault> = parts.into_iter().flat_map(|part| part.faults).collect();
        faults.sort_by_key(|fault| fault.at);
        let from = from.into_par_iter().map(AtomicU32::into_inner).collect();
        Ok(Self { from, faults, present })
    }
}

/// What some keys tell.
#[derive(Default)]
struct Part {
    faults: Vec<Fault>,
    /// Writers of unknown outcome that were read.
    seen: Vec<TxnId>,
    /// The writes of the key that is looked at: by value, each with its place among the entries.
    writes: Vec<(Datum, u32)>,
}

impl Part {
    fn look(&mut self, key: KeyId, entries: &[Entry], from: &[AtomicU32]) -> Result<(), Twice> {
        self.sort_writes(key, entries)?;
        // The last write of the transaction whose entries are passed.
        let mut own: Option<(TxnId, Datum)> = None;
        for &entry in entries {
            let txn = entry.txn();
            if entry.writes() {
                own = Some((txn, entry.value));
                continue;
            }
            let mine = own.filter(|&(writer, _)| writer == txn).map(|(_, value)| value);
            let mut fault = |what| self.faults.push(Fault { txn, at: entry.at, what });
            match Self::writer(&self.writes, entries, entry, mine) {
                Ok((writer, fate)) => {
                    from[entry.at as usize].store(writer, Ordering::Relaxed);
                    self.seen.extend((fate == Fate::Unknown).then_some(writer));
                }
                Err(What::Future) => {
                    fault(What::Future);
                    continue;
                }
                Err(what) => fault(what),
            }
            if mine.is_some_and(|value| value != entry.value) {
                self.faults.push(Fault { txn, at: entry.at, what: What::Internal });
            }
        }
        Ok(())
    }

    fn sort_writes(&mut self, key: KeyId, entries: &[Entry]) -> Result<(), Twice> {
        let writes = (0..).zip(entries).filter(|(_, entry)| entry.writes());
        self.writes.clear();
        self.writes.extend(writes.map(|(place, entry)| (entry.value, place)));
        self.writes.sort_unstable();
        // One that was aborted counts only where nobody else wrote the same: it may have been tried again.
        let fate = |place: u32| entries[place as usize].fate();
        let mut twice = None;
        self.writes.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same && fate(kept.1) == Fate::Aborted {
                kept.1 = next.1;
            } else if same && fate(next.1) != Fate::Aborted && twice.is_none() {
                let txns = [kept.1, next.1].map(|place| entries[place as usize].txn());
                twice = Some(Twice { key, value: kept.0, txns });
            }
            same
        });
        twice.map_or(Ok(()), Err)
    }

    /// Who wrote what a read found, and what became of him; `mine` is what its transaction had
    /// written itself last.
    fn writer(
        writes: &[(Datum, u32)],
        entries: &[Entry],
        read: Entry,
        mine: Option<Datum>,
    ) -> Result<(TxnId, Fate), What> {
        if mine == Some(read.value) {
            return Ok((NOBODY, Fate::Committed));
        }
        if read.value.is_null() {
            return Ok((INITIAL, Fate::Committed));
        }
        let write = writes.binary_search_by_key(&read.value, |&(value, _)| value);
        let place = writes[write.map_err(|_| What::Garbage)?].1 as usize;
        let (writer, fate) = (entries[place].txn(), entries[place].fate());
        let mut rest = entries[place + 1..].iter().take_while(|entry| entry.txn() == writer);
        if writer == read.txn() {
            return match entries[place].at > read.at {
                true => Err(What::Future),
                false => Ok((NOBODY, Fate::Committed)),
            };
        }
        if fate == Fate::Aborted {
            return Err(What::Aborted(writer));
        }
        if rest.any(|entry| entry.writes()) {
            return Err(What::Intermediate(writer));
        }
        Ok((writer, fate))
    }
}
