//! Whether what transactions saw only grew: monotonic view of lists.
//!
//! PL-2L, by Adya ("Weak Consistency", 1999, section 4.2): a transaction that has come after another,
//! because it read from it or appended after it, misses from then on nothing of that one, nor of whom
//! that one came after by reads and writes, and so on. G-monotonic is a cycle with one anti-dependency, of a read that follows
//! in its transaction what closes the cycle. Only transactions on cycles are asked, with a budget. The
//! order of the versions must be known.

use rustc_hash::FxHashMap;

use super::Lists;
use super::missed::{BUDGET, ENOUGH};
use super::writers::UNREAD;
use crate::transactions::graph::{Kind, Node};
use crate::transactions::report::Reasons;
use crate::transactions::words::{appended, introduced, name, read};
use crate::transactions::{Action, Fate, KeyId, TxnId};

/// A transaction that read something older than what it had come after.
#[derive(Debug)]
pub struct Receded {
    /// The key that it read.
    pub key: KeyId,
    /// Its read, among the micro-operations of all.
    at: u32,
    /// From it to whom it had come after, and so on, to the one that it missed.
    pub chain: Vec<TxnId>,
}

/// Whom each came after, by whom.
type Reached = FxHashMap<TxnId, TxnId>;

struct Walk<'l, 't, 'h> {
    lists: &'l Lists<'t, 'h>,
    /// Whether a transaction may be on a cycle.
    inside: Vec<bool>,
    steps: u64,
}

impl Lists<'_, '_> {
    /// What transactions on cycles, `on`, missed of whom they had come after, and whether that is all.
    pub fn receded(&self, on: &[Node]) -> (Vec<Receded>, bool) {
        let mut walk = Walk { lists: self, inside: self.inside(on), steps: 0 };
        let mut all = Vec::new();
        for txn in self.transactions.ids() {
            let asked = walk.inside[txn as usize]
                && self.transactions.get(txn).fate == Fate::Committed
                && all.len() < ENOUGH
                && walk.steps <= BUDGET;
            if asked {
                all.extend(walk.of(txn));
            }
        }
        (all, walk.steps <= BUDGET)
    }

    /// It in words.
    pub fn receded_sentence(&self, receded: &Receded) -> String {
        let transactions = self.transactions;
        let (reader, writer) = (receded.chain[0], receded.chain[receded.chain.len() - 1]);
        let looked = &transactions.all_ops()[receded.at as usize];
        let missed = self.lacks(reader, looked, writer);
        let after = |pair: &[TxnId]| {
            let why = |kind| self.why(pair[1], pair[0], kind);
            why(Kind::WriteRead).or_else(|| why(Kind::WriteWrite)).unwrap_or_default()
        };
        let after: Vec<String> = receded.chain.windows(2).map(after).collect();
        format!(
            "{} {}, and so did not see that {} {}; but before that {}.",
            introduced(transactions, reader),
            read(transactions, looked),
            name(transactions, writer),
            missed.map_or_else(String::new, |op| appended(transactions, op)),
            after.join("; "),
        )
    }

    /// The place of an element in its key's order, [`UNREAD`] where no read shows it.
    pub(super) fn place(&self, key: KeyId, element: tribunal_history::Datum) -> Option<u32> {
        self.keys[key as usize].writers.get(element).map(|append| append.place)
    }
}

impl Walk<'_, '_, '_> {
    /// The first read that shows something older than what its transaction had come after.
    fn of(&mut self, txn: TxnId) -> Option<Receded> {
        let transactions = self.lists.transactions;
        let mut reached = Reached::default();
        for at in transactions.range(txn) {
            let op = &transactions.all_ops()[at];
            if op.action == Action::Read
                && let Some(missed) = self.missed(txn, at, &reached)
            {
                let chain = super::missed::chain(txn, missed, &reached);
                return Some(Receded { key: op.key, at: at as u32, chain });
            }
            // Of several appends to a key the last one is the write.
            let rest = at + 1..transactions.range(txn).end;
            let again = |own: &crate::transactions::MicroOp| {
                own.action == Action::Append && own.key == op.key
            };
            if op.action == Action::Read || !transactions.all_ops()[rest].iter().any(again) {
                let sources = match op.action {
                    Action::Read => self.sources(txn, at..at + 1),
                    _ => self.sources_of_appends(txn, op.key),
                };
                self.reach(txn, sources, &mut reached);
            }
        }
        None
    }

    /// Whom a read missed of those that were reached.
    fn missed(&mut self, txn: TxnId, at: usize, reached: &Reached) -> Option<TxnId> {
        let transactions = self.lists.transactions;
        let op = &transactions.all_ops()[at];
        let key = &self.lists.keys[op.key as usize];
        match key.writer_from(transactions, self.lists.others(txn, op)) {
            Some(next) => Some(next).filter(|next| reached.contains_key(next)),
            None => {
                self.steps += reached.len() as u64;
                let unread = |&&seen: &&TxnId| {
                    transactions.ops(seen).iter().any(|own| {
                        own.action == Action::Append
                            && own.key == op.key
                            && self.lists.place(op.key, own.value) == Some(UNREAD)
                    })
                };
                reached.keys().filter(unread).min().copied()
            }
        }
    }

    /// Everybody that these came after, and whom they did, `by` whom.
    fn reach(&mut self, by: TxnId, sources: Vec<TxnId>, reached: &mut Reached) {
        let mut now: Vec<(TxnId, TxnId)> = sources.into_iter().map(|it| (it, by)).collect();
        while let Some((seen, through)) = now.pop() {
            if seen == by || !self.inside[seen as usize] || reached.contains_key(&seen) {
                continue;
            }
            if self.steps > BUDGET {
                return;
            }
            reached.insert(seen, through);
            let range = self.lists.transactions.range(seen);
            self.steps += 1 + range.len() as u64;
            now.extend(self.sources(seen, range).into_iter().map(|it| (it, seen)));
        }
    }

    /// Whom some steps of a transaction come after.
    fn sources(&self, txn: TxnId, steps: std::ops::Range<usize>) -> Vec<TxnId> {
        let transactions = self.lists.transactions;
        let source = |op: &crate::transactions::MicroOp| {
            let key = &self.lists.keys[op.key as usize];
            let before = match op.action {
                // Who reads his own version has come after others by having written it.
                Action::Read => {
                    let others = self.lists.others(txn, op);
                    let whole = transactions.list(op.value).data().len() == others;
                    Some(others).filter(|_| whole)?
                }
                _ => match self.lists.place(op.key, op.value)? {
                    UNREAD => key.order.len(),
                    place => place as usize,
                },
            };
            key.writer_before(transactions, before).filter(|&writer| writer != txn)
        };
        transactions.all_ops()[steps].iter().filter_map(source).collect()
    }

    fn sources_of_appends(&self, txn: TxnId, key: KeyId) -> Vec<TxnId> {
        let transactions = self.lists.transactions;
        let range = transactions.range(txn);
        let appends = range.filter(|&at| {
            let op = &transactions.all_ops()[at];
            op.action == Action::Append && op.key == key
        });
        appends.flat_map(|at| self.sources(txn, at..at + 1)).collect()
    }
}
