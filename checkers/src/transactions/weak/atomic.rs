//! Read atomic: whoever reads from a transaction, or comes after it in its session, reads nothing
//! older of what it wrote.
//!
//! For each reader, what each transaction that it reads from wrote and what it reads meet, the smaller of
//! the two gone through; and for every key that it reads, the last writer of its
//! session (AWDIT, PLDI 2025, section 4). In all O(n^1.5).

use rayon::prelude::*;

use super::super::transaction::{KeyId, TxnId};
use super::saturation::Learned;
use super::stamped::Stamped;
use super::table::{Read, Table};
use crate::transactions::register::reads::INITIAL;

/// All that the rule says and `wanted` wants, by whom comes before whom.
pub fn infer(table: &Table, wanted: impl Fn(TxnId, TxnId) -> bool + Sync) -> Vec<Learned> {
    let look = |scratch: &mut Scratch, session: &Vec<TxnId>| {
        let mut learned = Vec::new();
        scratch.last.clear();
        for &reader in session {
            scratch.look(table, reader, |before, key, after| {
                if before != after && wanted(before, after) {
                    learned.push(Learned { before, after, reader, key });
                }
            });
            table.writes(reader).iter().for_each(|&key| {
                scratch.last.set(key, reader);
            });
        }
        learned
    };
    let new = || Scratch { last: Stamped::new(table.keys), sorted: Vec::new(), seen: Vec::new() };
    table.sessions.par_iter().map_init(new, look).flatten_iter().collect()
}

struct Scratch {
    /// The last writer of each key in the session so far.
    last: Stamped<TxnId>,
    /// The reads by key.
    sorted: Vec<Read>,
    /// Whom the transaction read from, each once.
    seen: Vec<TxnId>,
}

impl Scratch {
    fn look(&mut self, table: &Table, reader: TxnId, mut tell: impl FnMut(TxnId, KeyId, TxnId)) {
        let reads = table.reads(reader);
        for read in reads {
            self.last.get(read.key).into_iter().for_each(|last| tell(last, read.key, read.writer));
        }
        if reads.len() < 2 {
            return;
        }
        self.sorted.clear();
        self.sorted.extend_from_slice(reads);
        self.sorted.sort_unstable_by_key(|read| (read.key, read.writer));
        self.sorted.dedup_by_key(|read| (read.key, read.writer));
        self.seen.clear();
        self.seen.extend(reads.iter().map(|read| read.writer).filter(|&it| it != INITIAL));
        self.seen.sort_unstable();
        self.seen.dedup();
        for &seen in &self.seen {
            meet(table.writes(seen), &self.sorted, |read| tell(seen, read.key, read.writer));
        }
    }
}

/// The reads of keys that were written. Both are in the order of the keys.
fn meet(written: &[KeyId], reads: &[Read], mut tell: impl FnMut(&Read)) {
    if written.len() <= reads.len() {
        for &key in written {
            let from = reads.partition_point(|read| read.key < key);
            reads[from..].iter().take_while(|read| read.key == key).for_each(&mut tell);
        }
    } else {
        let found = reads.iter().filter(|read| written.binary_search(&read.key).is_ok());
        found.for_each(tell);
    }
}
