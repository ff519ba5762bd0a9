//! Read atomic: whoever reads from a transaction, or comes after it in its session, reads nothing
//! older of what it wrote.
//!
//! For each reader, what each transaction that it reads from wrote and what it reads meet, the smaller of
//! the two gone through; and for every key that it reads, the last writer of its
//! session (AWDIT, PLDI 2025, section 4). In all O(n^1.5).

use std::ops::Range;

use rayon::prelude::*;

use super::super::transaction::{KeyId, TxnId};
use super::saturation::{Learned, Source};
use super::stamped::Stamped;
use super::table::{Read, Table};
use crate::transactions::register::reads::INITIAL;

/// All that the rule says and `wanted` wants, by whom comes before whom.
pub fn infer(table: &Table, wanted: impl Fn(TxnId, TxnId) -> bool + Sync) -> Vec<Learned> {
    let read = |scratch: &mut Scratch, readers: Range<TxnId>| {
        let mut learned = Vec::new();
        readers.for_each(|reader| scratch.look(table, reader, &wanted, &mut learned));
        learned
    };
    let read = table.parts().into_par_iter().map_init(Scratch::default, read);
    let new = || Stamped::new(table.keys);
    let session = |last: &mut Stamped<TxnId>, session: &Vec<TxnId>| {
        let mut learned = Vec::new();
        last.clear();
        session.iter().for_each(|&reader| after(table, reader, last, &wanted, &mut learned));
        learned
    };
    let session = table.sessions.par_iter().map_init(new, session);
    read.chain(session).flatten_iter().collect()
}

/// What the last writers of its session tell of a transaction, which then is one of them.
fn after(
    table: &Table,
    reader: TxnId,
    last: &mut Stamped<TxnId>,
    wanted: &impl Fn(TxnId, TxnId) -> bool,
    learned: &mut Vec<Learned>,
) {
    for read in table.reads(reader) {
        let writer = last.get(read.key).filter(|&writer| writer != read.writer);
        let before = writer.filter(|&writer| wanted(writer, read.writer));
        let (after, key) = (read.writer, read.key);
        learned.extend(before.map(|before| Learned {
            before,
            after,
            reader,
            key,
            source: Source::Rule,
        }));
    }
    for &key in table.writes(reader) {
        last.set(key, reader);
    }
}

#[derive(Default)]
struct Scratch {
    /// The reads by key.
    sorted: Vec<Read>,
    /// Whom the transaction read from, each once.
    seen: Vec<TxnId>,
}

impl Scratch {
    /// What those that a transaction read from tell of it.
    fn look(
        &mut self,
        table: &Table,
        reader: TxnId,
        wanted: &impl Fn(TxnId, TxnId) -> bool,
        learned: &mut Vec<Learned>,
    ) {
        let reads = table.reads(reader);
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
        for &before in &self.seen {
            meet(table.writes(before), &self.sorted, |&Read { key, writer: after }| {
                if before != after && wanted(before, after) {
                    learned.push(Learned { before, after, reader, key, source: Source::Rule });
                }
            });
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
