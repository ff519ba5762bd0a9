//! Why one transaction must come before another, in words.

use super::Lists;
use super::key::Key;
use super::writers::UNREAD;
use crate::transactions::graph::Kind;
use crate::transactions::report::Reasons;
use crate::transactions::words::{appended, name, read};
use crate::transactions::{Action, KeyId, MicroOp, TxnId};

impl Reasons for Lists<'_, '_> {
    fn why(&self, from: TxnId, to: TxnId, kind: Kind) -> Option<String> {
        let ops = |txn| self.transactions.ops(txn).iter();
        match kind {
            Kind::WriteRead => ops(to).find_map(|op| self.read_from(from, to, op)),
            Kind::WriteWrite => ops(to).find_map(|op| self.written_after(from, to, op)),
            Kind::ReadWrite => ops(from).find_map(|op| self.read_before(from, to, op)),
            _ => None,
        }
    }
}

impl Lists<'_, '_> {
    /// "T9 read [1,2] of x": the longest read of a key.
    pub fn longest(&self, key: KeyId) -> String {
        let Some(step) = self.keys[key as usize].longest_read else { return String::new() };
        format!("{} {}", name(self.transactions, step.txn()), self.longest_read(key))
    }

    /// "read [1,2] of x", without who did.
    pub fn longest_read(&self, key: KeyId) -> String {
        let step = self.keys[key as usize].longest_read;
        let read = |at: u32| read(self.transactions, &self.transactions.all_ops()[at as usize]);
        step.map_or_else(String::new, |step| read(step.at))
    }

    fn key(&self, op: &MicroOp) -> &Key {
        &self.keys[op.key as usize]
    }

    /// How many elements of others a read shows.
    pub(super) fn others(&self, txn: TxnId, op: &MicroOp) -> usize {
        let list = self.transactions.list(op.value);
        let own = |&&place: &&TxnId| place == txn;
        let order = &self.key(op).order[..list.data().len()];
        order.len() - order.iter().rev().take_while(own).count()
    }

    fn usable(&self, op: &MicroOp, action: Action) -> bool {
        op.action == action && !self.key(op).broken
    }

    /// "T3 read [1,2] of x, whose 2 is T1's", if that is whom this step read from.
    pub fn read_from(&self, from: TxnId, to: TxnId, op: &MicroOp) -> Option<String> {
        if !self.usable(op, Action::Read) {
            return None;
        }
        let key = self.key(op);
        let others = self.others(to, op);
        let writer = key.writer_before(self.transactions, others)?;
        (writer == from).then(|| {
            let place = key.order[..others].iter().rposition(|&writer| writer == from);
            let element = key.list(self.transactions).data()[place.expect("it wrote there")];
            format!(
                "{} {}, whose {} is {}'s",
                name(self.transactions, to),
                read(self.transactions, op),
                self.transactions.value(element),
                name(self.transactions, from)
            )
        })
    }

    fn written_after(&self, from: TxnId, to: TxnId, op: &MicroOp) -> Option<String> {
        if !self.usable(op, Action::Append) {
            return None;
        }
        let key = self.key(op);
        let place = key.writers.get(op.value)?.place;
        let before = match place {
            UNREAD => key.order.len(),
            place => place as usize,
        };
        let writer = key.writer_before(self.transactions, before)?;
        (writer == from).then(|| {
            let end = match place {
                UNREAD => "after all that was ever read of it".to_owned(),
                _ => format!("right after {}'s", name(self.transactions, from)),
            };
            let appended = appended(self.transactions, op);
            format!("{} {appended}, {end}", name(self.transactions, to))
        })
    }

    fn read_before(&self, from: TxnId, to: TxnId, op: &MicroOp) -> Option<String> {
        if !self.usable(op, Action::Read) {
            return None;
        }
        let key = self.key(op);
        let others = self.others(from, op);
        let next = key.writer_from(self.transactions, others);
        let unread = |own: &&MicroOp| {
            let same = own.action == Action::Append && own.key == op.key;
            same && key.writers.get(own.value).is_some_and(|append| append.place == UNREAD)
        };
        let append = match next {
            Some(writer) if writer == to => {
                let place = others + key.order[others..].iter().position(|&writer| writer == to)?;
                let element = key.list(self.transactions).data()[place];
                self.transactions
                    .ops(to)
                    .iter()
                    .find(|own| own.value == element && own.key == op.key)
            }
            Some(_) => None,
            None => self.transactions.ops(to).iter().find(unread),
        }?;
        Some(format!(
            "{} {}, and so did not see that {} {}",
            name(self.transactions, from),
            read(self.transactions, op),
            name(self.transactions, to),
            appended(self.transactions, append)
        ))
    }
}
