//! What the judge of causal consistency wants to know of lists: whom each read was from, and which writers
//! of a key came before which.

use super::Lists;
use super::writers::UNREAD;
use crate::transactions::register::reads::{INITIAL, NOBODY};
use crate::transactions::weak::{Learned, Source};
use crate::transactions::{Action, Fate, MicroOp, TxnId};

impl Lists<'_, '_> {
    /// For each micro-operation of all the last of others whose append it read; [`INITIAL`] where it
    /// found nothing of others, [`NOBODY`] where it tells of no one: it is an append, its
    /// transaction was not acknowledged, or its key has no order.
    pub fn sources(&self) -> Vec<TxnId> {
        let transactions = self.transactions;
        let mut sources = vec![NOBODY; transactions.all_ops().len()];
        let told = |&txn: &TxnId| transactions.get(txn).fate == Fate::Committed;
        for txn in transactions.ids().filter(told) {
            for at in transactions.range(txn) {
                let op = &transactions.all_ops()[at];
                let key = &self.keys[op.key as usize];
                if op.action == Action::Read && !key.broken {
                    let writer = key.writer_before(transactions, self.others(txn, op));
                    sources[at] = writer.unwrap_or(INITIAL);
                }
            }
        }
        sources
    }

    /// What another appended to the key that was read, if the list that was found is without it.
    pub fn lacks(&self, reader: TxnId, read: &MicroOp, writer: TxnId) -> Option<&MicroOp> {
        let shown = self.others(reader, read) as u32;
        let lacking = |op: &&MicroOp| {
            let append = op.action == Action::Append && op.key == read.key;
            // What no read shows has a place after all.
            append && self.place(op.key, op.value).is_some_and(|place| place >= shown)
        };
        self.transactions.ops(writer).iter().find(lacking)
    }

    /// From each writer of a key to the next; and from the last one that was read to all that were not.
    pub fn order(&self) -> Vec<Learned> {
        let transactions = self.transactions;
        let mut order = Vec::new();
        let mut add = |before, after, key| {
            if before != after {
                order.push(Learned { before, after, reader: after, key, source: Source::Versions });
            }
        };
        let real = |&txn: &TxnId| self.present.get(txn as usize) == Some(&true);
        for key in self.keys.iter().filter(|key| !key.broken) {
            let mut writers = key.order.iter().copied().filter(real);
            let Some(mut before) = writers.next() else { continue };
            for after in writers {
                add(before, after, key.id);
                before = after;
            }
        }
        for txn in transactions.ids().filter(real) {
            for op in transactions.ops(txn).iter().filter(|op| op.action == Action::Append) {
                let key = &self.keys[op.key as usize];
                let place = self.place(op.key, op.value);
                let last = key.writer_before(transactions, key.order.len());
                if let (false, Some(UNREAD), Some(last)) = (key.broken, place, last) {
                    add(last, txn, op.key);
                }
            }
        }
        order
    }
}
