//! Read committed: whoever has read from a transaction reads nothing older of what it wrote.
//!
//! For each reader, from its last read to its first, with the two next writers of every key that it
//! still reads: at the first read from a transaction, the smaller one of what that wrote and what is
//! still read is gone through (AWDIT, PLDI 2025, section 3). In all O(n^1.5).

use std::ops::Range;

use rayon::prelude::*;

use super::super::transaction::{KeyId, TxnId};
use super::saturation::{Learned, Source};
use super::stamped::Stamped;
use super::table::Table;
use crate::transactions::register::reads::INITIAL;

/// All that the rule says and `wanted` wants, by whom comes before whom.
pub fn infer(table: &Table, wanted: impl Fn(TxnId, TxnId) -> bool + Sync) -> Vec<Learned> {
    let look = |scratch: &mut Scratch, readers: Range<TxnId>| {
        let mut learned = Vec::new();
        for reader in readers {
            scratch.look(table, reader, |before, key, after| {
                if wanted(before, after) {
                    learned.push(Learned { before, after, reader, key, source: Source::Rule });
                }
            });
        }
        learned
    };
    let new = || Scratch::new(table.keys);
    table.parts().into_par_iter().map_init(new, look).flatten_iter().collect()
}

/// Two writers of a key that differ: the next that is read, and the one after. The first may be all.
type Next = [TxnId; 2];

struct Scratch {
    next: Stamped<Next>,
    /// The keys that have one.
    keys: Vec<KeyId>,
    /// For each read, by writer and place: those that are the first of their writer.
    firsts: Vec<(TxnId, u32)>,
}

impl Scratch {
    fn new(keys: usize) -> Self {
        Self { next: Stamped::new(keys), keys: Vec::new(), firsts: Vec::new() }
    }

    fn look(&mut self, table: &Table, reader: TxnId, mut tell: impl FnMut(TxnId, KeyId, TxnId)) {
        let reads = table.reads(reader);
        if reads.len() < 2 {
            return;
        }
        self.first_reads(reads.iter().map(|read| read.writer));
        self.next.clear();
        self.keys.clear();
        let mut firsts = self.firsts.iter().rev().peekable();
        for (place, read) in reads.iter().enumerate().rev() {
            if firsts.next_if(|&&(_, first)| first as usize == place).is_some()
                && read.writer != INITIAL
            {
                self.meet(table, read.writer, &mut tell);
            }
            let next = self.next.get(read.key);
            if next.is_none_or(|[next, _]| next != read.writer) {
                let after = next.map_or(read.writer, |[next, _]| next);
                if self.next.set(read.key, [read.writer, after]) {
                    self.keys.push(read.key);
                }
            }
        }
    }

    /// The first reads from each writer, by place.
    fn first_reads(&mut self, writers: impl Iterator<Item = TxnId>) {
        self.firsts.clear();
        self.firsts.extend(writers.zip(0..));
        self.firsts.sort_unstable();
        self.firsts.dedup_by_key(|&mut (writer, _)| writer);
        self.firsts.sort_unstable_by_key(|&(_, place)| place);
    }

    /// What a writer wrote and what is read later meet.
    fn meet(&self, table: &Table, writer: TxnId, tell: &mut impl FnMut(TxnId, KeyId, TxnId)) {
        let written = table.writes(writer);
        let mut meet = |key: KeyId, next: Next| {
            let other = next.into_iter().find(|&next| next != writer);
            other.into_iter().for_each(|after| tell(writer, key, after));
        };
        if written.len() <= self.keys.len() {
            for &key in written {
                self.next.get(key).into_iter().for_each(|next| meet(key, next));
            }
        } else {
            for &key in self.keys.iter().filter(|&&key| table.wrote(writer, key)) {
                self.next.get(key).into_iter().for_each(|next| meet(key, next));
            }
        }
    }
}
