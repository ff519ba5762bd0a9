//! Why one transaction must come before another, by a register, in words.

use super::Registers;
use super::reads::{INITIAL, NOBODY};
use crate::transactions::graph::Kind;
use crate::transactions::report::Reasons;
use crate::transactions::solver::{Chain, Step};
use crate::transactions::words::{name, read, wrote};
use crate::transactions::{Action, MicroOp, TxnId};

impl Reasons for Registers<'_, '_> {
    fn why(&self, from: TxnId, to: TxnId, kind: Kind) -> Option<String> {
        match kind {
            Kind::WriteRead => self.read_from(from, to),
            Kind::ReadWrite => self.read_before(from, to),
            _ => None,
        }
    }
}

impl Registers<'_, '_> {
    /// What a step means that was chosen: of two chains the one is taken to be first.
    pub fn chosen(&self, step: &Step, [first, then]: &[Chain; 2]) -> String {
        let own = |txn: TxnId| {
            let mut writes = self.transactions.ops(txn).iter();
            writes.rfind(|op| op.action == Action::Write && op.key == first.key)
        };
        let did = |txn: TxnId| {
            let wrote = own(txn).map_or(String::new(), |op| wrote(self.transactions, op));
            format!("{} {wrote}", name(self.transactions, txn))
        };
        let Step { hop, .. } = step;
        let mut reads = self.reads(hop.from);
        match reads.find(|&(op, version)| op.key == first.key && version == first.tail) {
            Some((op, _)) if hop.kind == Kind::ReadWrite => {
                let (from, read) = (name(self.transactions, hop.from), read(self.transactions, op));
                format!("{from} {read}, which was there before {}", did(then.head))
            }
            _ => format!("{} before {}", did(first.tail), did(then.head)),
        }
    }

    /// What a transaction read from others: the step and the writer.
    fn reads(&self, txn: TxnId) -> impl Iterator<Item = (&MicroOp, TxnId)> {
        let of = |at: usize| (&self.transactions.all_ops()[at], self.reads.from[at]);
        self.transactions.range(txn).map(of).filter(|&(_, writer)| writer != NOBODY)
    }

    fn read_from(&self, from: TxnId, to: TxnId) -> Option<String> {
        let (op, _) = self.reads(to).find(|&(_, writer)| writer == from)?;
        let [from, to] = [from, to].map(|txn| name(self.transactions, txn));
        Some(format!("{to} {}, which {from} wrote", read(self.transactions, op)))
    }

    fn read_before(&self, from: TxnId, to: TxnId) -> Option<String> {
        let own = |key| {
            let mut writes = self.transactions.ops(to).iter();
            writes.rfind(|op| op.action == Action::Write && op.key == key)
        };
        let (op, over, first) = self.reads(from).find_map(|(op, version)| {
            let updaters = self.versions[op.key as usize].updaters.get(&version);
            let updates = updaters.is_some_and(|updaters| updaters.contains(&to));
            let over = own(op.key).filter(|_| updates || version == INITIAL)?;
            Some((op, over, !updates))
        })?;
        let then = match first {
            true => "before anybody had written it",
            false => "as that one did, too, before it wrote over it",
        };
        let [from, to] = [from, to].map(|txn| name(self.transactions, txn));
        let (read, wrote) = (read(self.transactions, op), wrote(self.transactions, over));
        Some(format!("{from} {read}, {then}, and so did not see that {to} {wrote}"))
    }
}
