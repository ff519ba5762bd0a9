//! Whether transactions missed what they saw: read atomic and causal consistency of lists.
//!
//! By the axioms of Cerone, Bernardi and Gotsman (CONCUR 2015), without sessions, which have
//! levels of their own: whoever is read is seen, and for causal consistency also whom they saw,
//! and so on; of the writers of a key that a transaction saw it reads the last. The order of the versions
//! is known here, so nothing is guessed: whether anybody that was seen wrote a later version than
//! what was read is all that there is to ask (the rules of AWDIT, Møldrup and Pavlogiannis, PLDI 2025,
//! with that order given). Only transactions that may be on cycles are asked, for to have seen
//! somebody and missed an append of his is one, with one anti-dependency. Read atomic goes through
//! what those that were read appended, causal consistency through everybody that was seen, reader by
//! reader: that is not linear where much of a history is on cycles, and has a budget.
//!
//! That all this has an order is read committed, and not looked into.

use rustc_hash::{FxHashMap, FxHashSet};

use super::Lists;
use crate::transactions::graph::{Kind, Node};
use crate::transactions::phenomenon::Phenomenon;
use crate::transactions::report::Reasons;
use crate::transactions::words::{appended, introduced, name, read};
use crate::transactions::{Action, Fate, KeyId, MicroOp, TxnId};

/// Steps of all walks together.
pub(super) const BUDGET: u64 = 40_000_000;

/// Of each phenomenon so many are enough.
pub(super) const ENOUGH: usize = 64;

/// A transaction that saw another, and missed what it appended.
#[derive(Debug)]
pub struct Missed {
    /// The key of which it read too early a version.
    pub key: KeyId,
    /// Its read, among the micro-operations of all.
    pub at: u32,
    /// From it to the one that it read from, whom that one read from, and so on.
    pub chain: Vec<TxnId>,
}

impl Missed {
    /// The phenomenon that it is.
    pub fn phenomenon(&self) -> Phenomenon {
        if self.chain.len() == 2 {
            Phenomenon::FracturedRead
        } else {
            Phenomenon::CausalityViolation
        }
    }
}

/// A read of others' appends.
#[derive(Clone, Copy)]
struct Look {
    key: KeyId,
    at: u32,
    /// How many elements of others it shows.
    others: u32,
}

/// What transactions read, and from whom.
struct Views<'l, 't, 'h> {
    lists: &'l Lists<'t, 'h>,
    /// Whether a transaction may be on a cycle.
    inside: Vec<bool>,
    steps: u64,
}

impl Lists<'_, '_> {
    /// What was missed by transactions on cycles, `on`, and whether that is all: the walks may
    /// end at their budget. Every key must have an order.
    pub fn missed(&self, on: &[Node]) -> (Vec<Missed>, bool) {
        let mut views = Views { lists: self, inside: self.inside(on), steps: 0 };
        let mut missed = views.all(Some(1));
        let whole = missed.is_empty().then(|| views.all(None));
        missed.extend(whole.unwrap_or_default());
        (missed, views.steps <= BUDGET)
    }

    /// Whether each transaction is among these nodes.
    pub(super) fn inside(&self, on: &[Node]) -> Vec<bool> {
        let mut inside = vec![false; self.transactions.len()];
        for &node in on {
            if let Some(inside) = inside.get_mut(node as usize) {
                *inside = self.present[node as usize];
            }
        }
        inside
    }

    /// A missed append in words.
    pub fn missed_sentence(&self, missed: &Missed) -> String {
        let transactions = self.transactions;
        let (reader, writer) = (missed.chain[0], missed.chain[missed.chain.len() - 1]);
        let saw: Vec<String> =
            missed.chain.windows(2).map(|two| self.saw(two[0], two[1])).collect();
        let looked = &transactions.all_ops()[missed.at as usize];
        let later = transactions.ops(writer).iter().rev().find(|op| self.is_append(op, missed.key));
        format!(
            "{} {}, and so did not see that {} {}; but {}.",
            introduced(transactions, reader),
            read(transactions, looked),
            name(transactions, writer),
            later.map_or_else(String::new, |op| appended(transactions, op)),
            saw.join("; "),
        )
    }

    /// "T3 read [1] of x, whose last is T1's".
    fn saw(&self, reader: TxnId, writer: TxnId) -> String {
        self.why(writer, reader, Kind::WriteRead).unwrap_or_default()
    }

    fn is_append(&self, op: &MicroOp, key: KeyId) -> bool {
        op.action == Action::Append && op.key == key
    }
}

impl Views<'_, '_, '_> {
    /// What is missed of those within so many steps.
    fn all(&mut self, depth: Option<usize>) -> Vec<Missed> {
        let mut all = Vec::new();
        for txn in self.lists.transactions.ids() {
            if self.inside[txn as usize] && all.len() < ENOUGH && self.steps <= BUDGET {
                all.extend(self.of(txn, depth));
            }
        }
        all
    }

    /// The first reads of each key by an acknowledged transaction.
    fn looks(&self, txn: TxnId) -> Vec<Look> {
        let transactions = self.lists.transactions;
        if transactions.get(txn).fate != Fate::Committed {
            return Vec::new();
        }
        let mut seen = FxHashSet::default();
        let range = transactions.range(txn);
        let reads = range.filter(|&at| transactions.all_ops()[at].action == Action::Read);
        let first = reads.filter(|&at| seen.insert(transactions.all_ops()[at].key));
        let look = |at: usize| {
            let op = &transactions.all_ops()[at];
            Look { key: op.key, at: at as u32, others: self.lists.others(txn, op) as u32 }
        };
        first.map(look).collect()
    }

    /// Whose append a look shows last.
    fn writer(&self, look: &Look) -> Option<TxnId> {
        let key = &self.lists.keys[look.key as usize];
        key.writer_before(self.lists.transactions, look.others as usize)
    }

    /// Whom a transaction read from.
    fn read_from(&self, txn: TxnId, looks: &[Look]) -> Vec<TxnId> {
        let mut writers: Vec<TxnId> = looks.iter().filter_map(|look| self.writer(look)).collect();
        writers.sort_unstable();
        writers.dedup();
        writers.retain(|&writer| writer != txn && self.inside[writer as usize]);
        writers
    }

    /// The first append that a transaction missed of somebody that it saw.
    fn of(&mut self, txn: TxnId, depth: Option<usize>) -> Option<Missed> {
        let looks = self.looks(txn);
        let by_key: FxHashMap<KeyId, Look> = looks.iter().map(|look| (look.key, *look)).collect();
        let mut reached: FxHashMap<TxnId, TxnId> = FxHashMap::default();
        let mut now = vec![txn];
        for _ in 0..depth.unwrap_or(usize::MAX) {
            let mut next = Vec::new();
            for &by in &now {
                for seen in self.read_from(by, &self.looks(by)) {
                    if seen == txn || reached.contains_key(&seen) {
                        continue;
                    }
                    reached.insert(seen, by);
                    next.push(seen);
                    self.steps += 1 + self.lists.transactions.range(seen).len() as u64;
                    if let Some(look) = self.missed_of(seen, &by_key) {
                        let chain = chain(txn, seen, &reached);
                        return Some(Missed { key: look.key, at: look.at, chain });
                    }
                }
            }
            if next.is_empty() || self.steps > BUDGET {
                return None;
            }
            now = next;
        }
        None
    }

    /// A look that does not show what somebody appended.
    fn missed_of(&self, seen: TxnId, looks: &FxHashMap<KeyId, Look>) -> Option<Look> {
        let appends = self.lists.transactions.ops(seen).iter();
        let mut appends = appends.filter(|op| op.action == Action::Append);
        appends.find_map(|op| {
            // Of whom it read the one append and not the other of one key, that is G1b.
            let look = looks.get(&op.key).filter(|look| self.writer(look) != Some(seen))?;
            // What no read shows comes after all that was read.
            let place = self.lists.place(op.key, op.value);
            place.is_some_and(|place| place >= look.others).then_some(*look)
        })
    }
}

/// From the reader to the one that it saw.
pub(super) fn chain(reader: TxnId, seen: TxnId, reached: &FxHashMap<TxnId, TxnId>) -> Vec<TxnId> {
    let mut chain = vec![seen];
    while let Some(&by) = reached.get(&chain[chain.len() - 1]) {
        chain.push(by);
        if by == reader {
            break;
        }
    }
    chain.reverse();
    chain
}
