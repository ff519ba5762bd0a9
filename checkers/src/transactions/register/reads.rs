//! Who was read: the writer of every value that was found, and the reads that no order of the
//! transactions explains.

use std::sync::atomic::{AtomicU32, Ordering};

use rayon::prelude::*;
use tribunal_history::Datum;

use crate::transactions::by_key::{ByKey, Step};
use crate::transactions::{Action, Fate, KeyId, Transactions, TxnId};

/// Stands for the writer of what was there before all writes.
pub const INITIAL: TxnId = TxnId::MAX;

/// Stands for no writer: the step is a write, a read of the transaction's own, or a fault.
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
    /// The reader had read another's write of the key before.
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
        format!(
            "event {other} writes {value} to {key}, as event {one} did; every value must be new to its \
             key, or nobody can tell who was read"
        )
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
        let by_key = ByKey::of(transactions);
        let from: Vec<AtomicU32> =
            transactions.all_ops().par_iter().map(|_| AtomicU32::new(NOBODY)).collect();
        let keys = 0..transactions.key_count() as KeyId;
        let look = |part: Result<Part, Twice>, key| {
            let mut part = part?;
            part.look(transactions, key, by_key.steps(key), &from)?;
            Ok(part)
        };
        let parts: Vec<_> = keys.into_par_iter().fold(|| Ok(Part::default()), look).collect();
        let parts = parts.into_iter().collect::<Result<Vec<Part>, Twice>>()?;
        let committed = |txn: &crate::transactions::Txn| txn.fate == Fate::Committed;
        let mut present: Vec<bool> = transactions.all().iter().map(committed).collect();
        parts.iter().flat_map(|it| &it.seen).for_each(|&txn| present[txn as usize] = true);
        let mut faults: Vec<Fault> = parts.into_iter().flat_map(|part| part.faults).collect();
        faults.sort_unstable_by_key(|fault| fault.at);
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
    /// The writes of the key that is looked at: by value, each with its place among the steps.
    writes: Vec<(Datum, u32)>,
}

impl Part {
    fn look(
        &mut self,
        transactions: &Transactions,
        key: KeyId,
        steps: &[Step],
        from: &[AtomicU32],
    ) -> Result<(), Twice> {
        self.sort_writes(transactions, key, steps)?;
        // The last write of the transaction whose steps are passed.
        let mut own: Option<(TxnId, Datum)> = None;
        for step in steps {
            let op = step.op(transactions);
            if op.action == Action::Write {
                own = Some((step.txn, op.value));
                continue;
            }
            let mine = own.filter(|&(txn, _)| txn == step.txn).map(|(_, value)| value);
            match self.writer(transactions, steps, step.txn, op.value, mine) {
                Ok(writer) => {
                    from[step.at as usize].store(writer, Ordering::Relaxed);
                    let known = writer >= NOBODY;
                    if !known && transactions.get(writer).fate == Fate::Unknown {
                        self.seen.push(writer);
                    }
                }
                Err(what) => self.faults.push(Fault { txn: step.txn, at: step.at, what }),
            }
        }
        Ok(())
    }

    fn sort_writes(
        &mut self,
        transactions: &Transactions,
        key: KeyId,
        steps: &[Step],
    ) -> Result<(), Twice> {
        self.writes.clear();
        for (place, step) in (0..).zip(steps) {
            let op = step.op(transactions);
            if op.action == Action::Write {
                self.writes.push((op.value, place));
            }
        }
        self.writes.sort_unstable();
        match self.writes.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            None => Ok(()),
            Some(pair) => {
                let txns = [pair[0], pair[1]].map(|(_, place)| steps[place as usize].txn);
                Err(Twice { key, value: pair[0].0, txns })
            }
        }
    }

    /// Who wrote what a transaction found; `mine` is what it had written itself.
    fn writer(
        &self,
        transactions: &Transactions,
        steps: &[Step],
        reader: TxnId,
        found: Datum,
        mine: Option<Datum>,
    ) -> Result<TxnId, What> {
        match mine {
            Some(value) if value == found => return Ok(NOBODY),
            Some(_) => return Err(What::Internal),
            None if found.is_null() => return Ok(INITIAL),
            None => {}
        }
        let write = self.writes.binary_search_by_key(&found, |&(value, _)| value);
        let place = self.writes[write.map_err(|_| What::Garbage)?].1 as usize;
        let writer = steps[place].txn;
        let mut rest = steps[place + 1..].iter().take_while(|step| step.txn == writer);
        if writer == reader {
            Err(What::Future)
        } else if transactions.get(writer).fate == Fate::Aborted {
            Err(What::Aborted(writer))
        } else if rest.any(|step| step.op(transactions).action == Action::Write) {
            Err(What::Intermediate(writer))
        } else {
            Ok(writer)
        }
    }
}
