//! Lists that only grow: the order of every key's versions is in the reads themselves.
//!
//! After Kingsbury and Alvaro, "Elle: Inferring Isolation Anomalies from Experimental
//! Observations" (VLDB 2020), made linear and complete: also the appends that no read shows
//! have their place, and transactions of unknown outcome that were read are in.

mod fault;
mod key;
mod missed;
mod monotonic;
mod reads;
mod sentences;
mod sources;
mod why;
mod writers;

use rayon::prelude::*;

pub use fault::{Fault, What};
pub use key::{Key, Twice};

use super::entries::Entries;
use super::fan::Fan;
use super::graph::{Builder, Node};
use super::transaction::{Fate, KeyId, Transactions, TxnId};

/// Keys looked at together.
const KEYS: usize = 32;

/// What the reads and appends of a history say.
#[derive(Debug)]
pub struct Lists<'t, 'h> {
    transactions: &'t Transactions<'h>,
    keys: Vec<Key>,
    /// What is wrong without any cycle, by key.
    pub faults: Vec<Fault>,
    /// Whether each transaction certainly happened.
    pub present: Vec<bool>,
    /// The dependencies.
    pub edges: Vec<Builder>,
    /// The nodes of the dependencies: the transactions, and helpers after them.
    pub nodes: usize,
    /// For each key with several appends that no read shows, whose they are.
    pub unordered: Vec<Vec<TxnId>>,
    /// Whether one of those read the key before: in some orders his update is lost.
    pub may_lose: bool,
}

/// What a few keys say.
#[derive(Default)]
struct Part {
    keys: Vec<Key>,
    /// Of each key, and whether one of those after read the key before.
    tails: Vec<(Fan, bool)>,
    faults: Vec<Fault>,
    edges: Builder,
}

impl<'t, 'h> Lists<'t, 'h> {
    /// Learns all keys, in parallel. Fails where an element was appended twice.
    pub fn learn(transactions: &'t Transactions<'h>) -> Result<Self, Twice> {
        let entries = Entries::of(transactions);
        let ids: Vec<KeyId> = (0..transactions.key_count() as KeyId).collect();
        let parts: Result<Vec<Part>, Twice> =
            ids.par_chunks(KEYS).map(|ids| Part::learn(transactions, &entries, ids)).collect();
        let mut parts = parts?;
        let present = present(transactions, &parts);
        let mut nodes = transactions.len() as Node;
        let mut edges = Builder::default();
        let mut unordered = Vec::new();
        let mut may_lose = false;
        for (tail, updated) in parts.iter().flat_map(|part| &part.tails) {
            let after = tail.edges(&present, &mut nodes, &mut edges);
            if after.len() > 1 {
                may_lose |= updated;
                unordered.push(after);
            }
        }
        let edges = parts.iter_mut().map(|part| std::mem::take(&mut part.edges)).chain([edges]);
        let edges = edges.collect();
        let faults = parts.iter_mut().flat_map(|part| std::mem::take(&mut part.faults)).collect();
        let keys = parts.into_iter().flat_map(|part| part.keys).collect();
        let nodes = nodes as usize;
        Ok(Self { transactions, keys, faults, present, edges, nodes, unordered, may_lose })
    }

    /// Whether every key has an order, so that no dependency is missing.
    pub fn is_complete(&self) -> bool {
        self.keys.iter().all(|key| !key.broken)
    }
}

impl Part {
    fn learn(transactions: &Transactions, entries: &Entries, ids: &[KeyId]) -> Result<Self, Twice> {
        let mut part = Self::default();
        for &id in ids {
            let steps = entries.get(id);
            let mut key = Key::learn(transactions, id, steps, &mut part.faults)?;
            let mut findings = reads::look(transactions, &mut key, steps);
            part.keys.push(key);
            part.tails.push((findings.tail, findings.updater.is_some()));
            part.faults.append(&mut findings.faults);
            part.edges.append(&mut findings.edges);
        }
        Ok(part)
    }
}

/// Whoever was acknowledged, and whoever was read.
fn present(transactions: &Transactions, parts: &[Part]) -> Vec<bool> {
    let committed = |txn: &super::Txn| txn.fate == Fate::Committed;
    let mut present: Vec<bool> = transactions.all().iter().map(committed).collect();
    let read = parts.iter().flat_map(|part| &part.keys).flat_map(|key| &key.order);
    for &writer in read.filter(|&&writer| writer != key::NOBODY) {
        present[writer as usize] |= transactions.get(writer).fate == Fate::Unknown;
    }
    present
}
