//! The transactions that happened, in the columns that the rules look at: sessions, reads, writes.

use std::ops::Range;

use rayon::prelude::*;
use rustc_hash::FxHashMap;

use super::super::transaction::{Action, KeyId, MicroOp, NEVER, Transactions, TxnId};
use crate::transactions::joined::{begins, joined};
use crate::transactions::register::reads::{INITIAL, NOBODY};

/// A read of another transaction's write.
#[derive(Clone, Copy, Debug)]
pub struct Read {
    /// The key.
    pub key: KeyId,
    /// Who wrote what was found, or [`INITIAL`].
    pub writer: TxnId,
}

/// The columns.
pub struct Table {
    /// Whether each transaction certainly happened.
    pub present: Vec<bool>,
    /// How many keys there are.
    pub keys: usize,
    /// The acknowledged transactions of each session, in order.
    pub sessions: Vec<Vec<TxnId>>,
    /// The one before each in its session, or [`NOBODY`].
    before: Vec<TxnId>,
    reads: Rows<Read>,
    writes: Rows<KeyId>,
}

impl Table {
    /// Sorts out what the transactions read and wrote.
    ///
    /// `present`: whether each certainly happened; `from`: for each micro-operation whom it read, as in
    /// [`Reads`].
    ///
    /// [`Reads`]: crate::transactions::register::reads::Reads
    pub fn of(transactions: &Transactions, present: &[bool], from: &[TxnId]) -> Self {
        let (sessions, before) = sessions(transactions, present);
        let read = |txn: TxnId, to: &mut Vec<Read>| {
            for at in transactions.range(txn) {
                let (key, writer) = (transactions.all_ops()[at].key, from[at]);
                if writer != NOBODY {
                    to.push(Read { key, writer });
                }
            }
        };
        let write = |txn: TxnId, to: &mut Vec<KeyId>| {
            let from = to.len();
            if present[txn as usize] {
                let writes = |op: &&MicroOp| op.action != Action::Read;
                to.extend(transactions.ops(txn).iter().filter(writes).map(|op| op.key));
            }
            to[from..].sort_unstable();
            dedup_from(to, from);
        };
        let (reads, writes) =
            (Rows::of(transactions.len(), read), Rows::of(transactions.len(), write));
        let present = present.to_vec();
        Self { present, keys: transactions.key_count(), sessions, before, reads, writes }
    }

    /// All transactions, in parts of neighbours: those read each other more than others.
    pub fn parts(&self) -> Vec<Range<TxnId>> {
        const PART: usize = 1 << 15;
        let end = self.len() as TxnId;
        (0..end).step_by(PART).map(|first| first..end.min(first + PART as TxnId)).collect()
    }

    /// How many transactions the history has, whatever became of them.
    pub fn len(&self) -> usize {
        self.present.len()
    }

    /// What a transaction read from others, in order.
    pub fn reads(&self, txn: TxnId) -> &[Read] {
        self.reads.get(txn)
    }

    /// The keys that a transaction wrote, in the order of their numbers.
    pub fn writes(&self, txn: TxnId) -> &[KeyId] {
        self.writes.get(txn)
    }

    /// Whether a transaction wrote a key.
    pub fn wrote(&self, txn: TxnId, key: KeyId) -> bool {
        self.writes(txn).binary_search(&key).is_ok()
    }

    /// The one before it in its session.
    pub fn before(&self, txn: TxnId) -> Option<TxnId> {
        Some(self.before[txn as usize]).filter(|&before| before != NOBODY)
    }

    /// Those that a transaction saw with its own eyes: the one before it, and whom it read.
    pub fn saw(&self, txn: TxnId) -> impl Iterator<Item = TxnId> + '_ {
        let writers = self.reads(txn).iter().map(|read| read.writer);
        self.before(txn).into_iter().chain(writers.filter(|&writer| writer != INITIAL))
    }
}

/// The acknowledged transactions of each session, and the one before each. Whatever nobody knows
/// the end of is before nothing.
fn sessions(transactions: &Transactions, present: &[bool]) -> (Vec<Vec<TxnId>>, Vec<TxnId>) {
    let mut numbers: FxHashMap<u32, usize> = FxHashMap::default();
    let mut sessions: Vec<Vec<TxnId>> = Vec::new();
    let mut before = vec![NOBODY; transactions.len()];
    for id in transactions.ids().filter(|&id| present[id as usize]) {
        let txn = transactions.get(id);
        let number = *numbers.entry(txn.session).or_insert_with(|| {
            sessions.push(Vec::new());
            sessions.len() - 1
        });
        let session = &mut sessions[number];
        before[id as usize] = session.last().copied().unwrap_or(NOBODY);
        if txn.end != NEVER {
            session.push(id);
        }
    }
    (sessions, before)
}

/// Removes what equals the element before it, from a place on.
fn dedup_from(list: &mut Vec<KeyId>, from: usize) {
    let mut kept = from;
    for at in from..list.len() {
        if at == from || list[at] != list[kept - 1] {
            list[kept] = list[at];
            kept += 1;
        }
    }
    list.truncate(kept);
}

/// A list for each transaction, in one.
struct Rows<T> {
    ends: Vec<u32>,
    items: Vec<T>,
}

/// Transactions looked at together.
const CHUNK: usize = 1 << 14;

impl<T: Copy + Send + Sync> Rows<T> {
    fn of(count: usize, fill: impl Fn(TxnId, &mut Vec<T>) + Sync) -> Self {
        let firsts: Vec<usize> = (0..count).step_by(CHUNK).collect();
        let chunks: Vec<(Vec<u32>, Vec<T>)> = firsts
            .into_par_iter()
            .map(|first| {
                let (mut ends, mut items) = (Vec::with_capacity(CHUNK), Vec::new());
                for txn in first..count.min(first + CHUNK) {
                    fill(txn as TxnId, &mut items);
                    ends.push(items.len() as u32);
                }
                (ends, items)
            })
            .collect();
        let (ends, items): (Vec<_>, Vec<_>) = chunks.into_iter().unzip();
        let before = begins(items.iter().map(Vec::len));
        let ends = joined(ends, |chunk, end| before[chunk] + end);
        Self { ends, items: joined(items, |_, item| item) }
    }

    fn get(&self, txn: TxnId) -> &[T] {
        let at = txn as usize;
        let from = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.items[from as usize..self.ends[at] as usize]
    }
}
