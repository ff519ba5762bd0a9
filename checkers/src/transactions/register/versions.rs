//! What the reads and writes of one register say of the order of its versions.
//!
//! Values are unique, so it is known who was read. A transaction that read a version and wrote
//! the key after it *updated* that version: its own comes later, or who reads and who is read
//! from would go in a circle (G1c). So whoever else read the version came before the updater, and
//! two updaters of one version lose an update. Where every writer is an updater, the versions are
//! a chain, and all is known (Gu et al., "MTC: Mini-Transactions", arXiv 2504.02344).

use rustc_hash::FxHashMap;

use super::reads::{Fault, INITIAL, NOBODY, Reads, What};
use crate::transactions::entries::Entry;
use crate::transactions::fan::Fan;
use crate::transactions::graph::{Builder, Kind};
use crate::transactions::solver::{Chain, Chains};
use crate::transactions::{KeyId, NEVER, Transactions, TxnId};

/// A register: who wrote and who read which version. A version is known by its writer.
#[derive(Debug, Default)]
pub struct Versions {
    /// By version, who updated it.
    pub updaters: FxHashMap<TxnId, Vec<TxnId>>,
    /// Whether somebody found another's version in the place of his own and wrote again: whether that lost an
    /// update is not looked into.
    pub may_lose: bool,
    /// By version, who read it.
    pub readers: FxHashMap<TxnId, Vec<TxnId>>,
    /// Whoever wrote without having read, and whoever updated what was there before all writes.
    pub heads: Vec<TxnId>,
}

impl Versions {
    /// Learns a register from the steps on it.
    pub fn learn(reads: &Reads, steps: &[Entry], faults: &mut Vec<Fault>) -> Self {
        let mut versions = Self::default();
        for steps in steps.chunk_by(|one, next| one.txn() == next.txn()) {
            if reads.present[steps[0].txn() as usize] {
                versions.visit(reads, steps, faults);
            }
        }
        versions
    }

    /// The steps of one transaction.
    fn visit(&mut self, reads: &Reads, steps: &[Entry], faults: &mut Vec<Fault>) {
        let txn = steps[0].txn();
        // What it read last, and of what was there before all writes only if of nothing else, as long
        // as it had not written.
        let mut updated: Option<(TxnId, &Entry)> = None;
        let mut found: Option<TxnId> = None;
        let mut last = 0;
        let (mut wrote, mut overread) = (false, false);
        for step in steps {
            let version = reads.from[step.at as usize];
            if step.writes() {
                wrote = true;
                self.may_lose |= overread;
                continue;
            }
            if version == NOBODY {
                continue;
            }
            overread = wrote;
            if !wrote {
                last = step.at;
            }
            if !wrote && (version != INITIAL || updated.is_none()) {
                updated = Some((version, step));
            }
            // One that finds something else than the one before is one more read of others.
            if !wrote && found.is_some_and(|before| before != version) {
                faults.push(Fault { txn, at: step.at, what: What::Unrepeatable });
            }
            if found != Some(version) {
                let readers = self.readers.entry(version).or_default();
                readers.extend((readers.last() != Some(&txn)).then_some(txn));
            }
            found = Some(version);
        }
        match updated {
            Some((version, step)) if wrote => {
                let updaters = self.updaters.entry(version).or_default();
                if version != INITIAL && reads.from[last as usize] == INITIAL {
                    // It found nothing though it had found another's before, and wrote all the same.
                    faults.push(Fault { txn, at: last, what: What::LostUpdate(version) });
                } else if let Some(&other) = updaters.first() {
                    faults.push(Fault { txn, at: step.at, what: What::LostUpdate(other) });
                }
                updaters.push(txn);
                self.heads.extend((version == INITIAL).then_some(txn));
            }
            None if wrote => self.heads.push(txn),
            _ => {}
        }
    }

    /// Whether the versions have one order for certain.
    pub fn is_chain(&self) -> bool {
        self.heads.len() <= 1 && self.updaters.values().all(|updaters| updaters.len() == 1)
    }

    /// The dependencies that are certain, but for those of the readers of what was there first.
    pub fn known(&self, edges: &mut Builder) {
        for (&version, readers) in &self.readers {
            for &reader in readers {
                if version != INITIAL {
                    edges.add(version, reader, Kind::WriteRead);
                }
                for &updater in self.updaters.get(&version).into_iter().flatten() {
                    edges.add(reader, updater, Kind::ReadWrite);
                }
            }
        }
    }

    /// Whoever read what was there before all writes came before all writers.
    pub fn first(&self) -> Fan {
        let readers = self.readers.get(&INITIAL).into_iter().flatten();
        let before = readers.map(|&reader| (reader, Kind::ReadWrite)).collect();
        Fan { before, after: self.heads.clone() }
    }

    /// Dependencies by a guess of the whole order: of the chains that begin with the heads, one
    /// after the other by their rank, those of what was there first before all.
    pub fn guess(&self, rank: impl Fn(&Self, TxnId) -> u32, edges: &mut Builder) {
        let mut chains: Vec<(bool, u32, TxnId, TxnId)> = Vec::with_capacity(self.heads.len());
        let first = self.updaters.get(&INITIAL);
        for &head in &self.heads {
            let blind = !first.is_some_and(|updaters| updaters.contains(&head));
            chains.push((blind, rank(self, head), head, self.last(head)));
        }
        chains.sort_unstable();
        for pair in chains.windows(2) {
            let ((_, _, _, last), (_, _, head, _)) = (pair[0], pair[1]);
            edges.add(last, head, Kind::WriteWrite);
            for &reader in self.readers.get(&last).into_iter().flatten() {
                edges.add(reader, head, Kind::ReadWrite);
            }
        }
    }

    /// The chains of updates that the versions are.
    pub fn chains(&self, key: KeyId, chains: &mut Chains) {
        let all = self.heads.iter().map(|&head| Chain { key, head, tail: self.last(head) });
        chains.add(all, |chain| self.readers.get(&chain.tail).into_iter().flatten().copied());
    }

    /// The end of the chain of updates from a version on.
    fn last(&self, head: TxnId) -> TxnId {
        let mut last = head;
        // A version is updated by whoever read it, so a circle would be one of reads.
        for _ in 0..=self.updaters.len() {
            match self.updaters.get(&last).and_then(|updaters| updaters.first()) {
                Some(&updater) => last = updater,
                None => break,
            }
        }
        last
    }

    /// About when a version was there, as a place in the history: not before its writer began or
    /// its first reader ended, whichever is known to be earlier (its zone, as Gibbons and Korach
    /// have it, SIAM J. Comput. 1997).
    pub fn zone(&self, transactions: &Transactions, head: TxnId) -> u32 {
        let readers = || self.readers.get(&head).into_iter().flatten().chain([&head]);
        let ends = readers().map(|&txn| transactions.get(txn).end);
        let starts = readers().map(|&txn| transactions.get(txn).start);
        let (first_end, last_start) = (ends.min().unwrap_or(NEVER), starts.max().unwrap_or(0));
        first_end.min(last_start)
    }
}
