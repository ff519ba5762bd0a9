//! Registers whose values are written once each: who read from whom is known, the order of the
//! versions only in part.
//!
//! What is known for certain convicts; what is not is guessed, and acquits if the guess has no
//! cycle. What is left between the two is for the solver: whether any order of blind writes is
//! right is NP-hard to say (Papadimitriou, JACM 1979; Biswas and Enea, OOPSLA 2019).

pub mod reads;
mod sentences;
mod versions;
mod why;

use rayon::prelude::*;

use super::entries::Entries;
use super::graph::{Builder, Node};
use super::level::Level;
use super::solver::Chains;
use super::transaction::{KeyId, Transactions, TxnId};
use super::weak::Weak;
use reads::{Fault, Reads, Twice, What};
use versions::Versions;

/// Keys looked at together.
const KEYS: usize = 32;

/// What the reads and writes of a history say.
pub struct Registers<'t, 'h> {
    transactions: &'t Transactions<'h>,
    reads: Reads,
    versions: Vec<Versions>,
    /// What is wrong without any cycle.
    pub faults: Vec<Fault>,
    /// The dependencies that are certain.
    pub edges: Vec<Builder>,
    /// The nodes of the dependencies: the transactions, and helpers after them.
    pub nodes: usize,
}

impl<'t, 'h> Registers<'t, 'h> {
    /// Learns all registers, in parallel. Fails where a value was written twice.
    pub fn learn(transactions: &'t Transactions<'h>) -> Result<Self, Twice> {
        let mut reads = Reads::learn(transactions)?;
        let entries = Entries::of(transactions);
        let keys: Vec<KeyId> = (0..transactions.key_count() as KeyId).collect();
        let part = |keys: &[KeyId]| {
            let (mut faults, mut edges) = (Vec::new(), Builder::default());
            let learn = |&key: &KeyId| {
                let steps = entries.get(key);
                let versions = Versions::learn(&reads, steps, &mut faults);
                versions.known(&mut edges);
                versions
            };
            let versions: Vec<Versions> = keys.iter().map(learn).collect();
            (versions, faults, edges)
        };
        let parts: Vec<_> = keys.par_chunks(KEYS).map(part).collect();
        let mut faults = std::mem::take(&mut reads.faults);
        let (mut versions, mut edges) = (Vec::with_capacity(keys.len()), Vec::new());
        for (some, wrong, known) in parts {
            versions.extend(some);
            faults.extend(wrong);
            edges.push(known);
        }
        let mut nodes = transactions.len() as Node;
        let mut first = Builder::default();
        for versions in &versions {
            versions.first().edges(&reads.present, &mut nodes, &mut first);
        }
        edges.push(first);
        let nodes = nodes as usize;
        Ok(Self { transactions, reads, versions, faults, edges, nodes })
    }

    /// Whether each transaction certainly happened.
    pub fn present(&self) -> &[bool] {
        &self.reads.present
    }

    /// The strongest weak level that the reads keep. None where a read has no writer.
    pub fn strongest_weak(&self) -> Option<Level> {
        let explained =
            |fault: &Fault| matches!(fault.what, What::Unrepeatable | What::LostUpdate(_));
        let explained = self.faults.iter().all(explained);
        explained.then(|| Weak::strongest(self.transactions, &self.reads)).flatten()
    }

    /// Whether the versions of every key are a chain, so that no dependency is missing.
    pub fn is_complete(&self) -> bool {
        self.versions.iter().all(Versions::is_chain)
    }

    /// Whether an update may be lost that is not among the faults.
    pub fn may_lose(&self) -> bool {
        self.versions.iter().any(|versions| versions.may_lose)
    }

    /// Dependencies by a guess of every key's order: by when its versions were there.
    pub fn guess_by_time(&self) -> Builder {
        self.guess(|versions, head| versions.zone(self.transactions, head))
    }

    /// The same by places in an order of all transactions.
    pub fn guess_by_order(&self, places: &[u32]) -> Builder {
        self.guess(|_, head| places[head as usize])
    }

    /// The chains of versions whose order is not known, where every read is in order.
    pub fn chains(&self) -> Chains {
        let mut chains = Chains::default();
        for (key, versions) in (0..).zip(&self.versions) {
            versions.chains(key, &mut chains);
        }
        chains
    }

    fn guess(&self, rank: impl Fn(&Versions, TxnId) -> u32 + Sync) -> Builder {
        let parts = self.versions.par_chunks(KEYS).map(|versions| {
            let mut edges = Builder::default();
            versions.iter().for_each(|versions| versions.guess(&rank, &mut edges));
            edges
        });
        let parts: Vec<Builder> = parts.collect();
        let mut edges = Builder::default();
        parts.into_iter().for_each(|mut part| edges.append(&mut part));
        edges
    }
}
