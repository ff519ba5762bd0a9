//! The micro-operations of all transactions by key, each with all that is asked of it: whoever goes
//! through a key looks nowhere else, because every look elsewhere is a wait for memory.

use std::ops::Range;

use rayon::prelude::*;
use tribunal_history::Datum;

use super::graph::Target;
use super::transaction::{Action, Fate, KeyId, Transactions, TxnId};

/// A read, a write or an append.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What was read or written.
    pub value: Datum,
    /// Where it is among the micro-operations of all.
    pub at: u32,
    /// The transaction, and above it three bits: whether this is a write, and the fate.
    who: u32,
}

const TXN_BITS: u32 = Target::MOST.trailing_zeros();
const WRITES: u32 = 1 << TXN_BITS;

impl Entry {
    const NONE: Self = Self { value: Datum::NULL, at: 0, who: 0 };

    fn of(txn: TxnId, fate: Fate, writes: bool, at: u32, value: Datum) -> Self {
        let fate = match fate {
            Fate::Committed => 0,
            Fate::Aborted => 1,
            Fate::Unknown => 2,
        };
        let bits = fate << 1 | u32::from(writes);
        Self { value, at, who: txn | bits << TXN_BITS }
    }

    /// Whose it is.
    pub fn txn(self) -> TxnId {
        self.who & (WRITES - 1)
    }

    /// Whether it writes or appends.
    pub fn writes(self) -> bool {
        self.who & WRITES != 0
    }

    /// What became of the transaction.
    pub fn fate(self) -> Fate {
        match self.who >> (TXN_BITS + 1) {
            0 => Fate::Committed,
            1 => Fate::Aborted,
            _ => Fate::Unknown,
        }
    }
}

/// Entries by key, those of each key in the order of their transactions.
pub struct Entries {
    /// By key, where its entries begin among all.
    begins: Vec<u32>,
    parts: Vec<Part>,
}

/// The entries of some keys that are next to each other.
struct Part {
    keys: Range<KeyId>,
    list: Vec<Entry>,
}

/// Parts that are made at most: each costs a look at all micro-operations.
const PARTS: usize = 8;

impl Entries {
    /// Sorts the micro-operations of all transactions, by counting.
    pub fn of(transactions: &Transactions) -> Self {
        let mut begins = vec![0_u32; transactions.key_count() + 1];
        for op in transactions.all_ops() {
            begins[op.key as usize + 1] += 1;
        }
        let mut sum = 0;
        for begin in &mut begins {
            sum += *begin;
            *begin = sum;
        }
        let count = rayon::current_num_threads().min(PARTS);
        let keys = even(&begins, count).into_par_iter();
        let parts = keys.map(|keys| Part::of(transactions, keys, &begins)).collect();
        Self { begins, parts }
    }

    /// Those of a key.
    pub fn get(&self, key: KeyId) -> &[Entry] {
        let part = &self.parts[self.parts.partition_point(|part| part.keys.end <= key)];
        let [first, begin, end] = [part.keys.start, key, key + 1];
        let [first, begin, end] = [first, begin, end].map(|key| self.begins[key as usize] as usize);
        &part.list[begin - first..end - first]
    }
}

/// All keys, in parts that have about as many entries each.
fn even(begins: &[u32], count: usize) -> Vec<Range<KeyId>> {
    let (keys, entries) = (begins.len() - 1, begins[begins.len() - 1] as usize);
    let mut first = 0;
    let parts = (1..=count).map(|part| {
        let end = (entries * part / count) as u32;
        let end =
            if part == count { keys } else { begins.partition_point(|&it| it < end).min(keys) };
        let keys = first as KeyId..end as KeyId;
        first = end;
        keys
    });
    parts.collect()
}

impl Part {
    fn of(transactions: &Transactions, keys: Range<KeyId>, begins: &[u32]) -> Self {
        let first = begins[keys.start as usize];
        let next = begins[keys.start as usize..keys.end as usize].iter();
        let mut next: Vec<u32> = next.map(|begin| begin - first).collect();
        let mut list = vec![Entry::NONE; (begins[keys.end as usize] - first) as usize];
        for txn in transactions.ids() {
            let fate = transactions.get(txn).fate;
            for at in transactions.range(txn) {
                let op = &transactions.all_ops()[at];
                let Some(place) = next.get_mut(op.key.wrapping_sub(keys.start) as usize) else {
                    continue;
                };
                let writes = op.action != Action::Read;
                list[*place as usize] = Entry::of(txn, fate, writes, at as u32, op.value);
                *place += 1;
            }
        }
        Self { keys, list }
    }
}
