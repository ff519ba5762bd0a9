//! What is to be ordered: the chains of every key's versions, and the pairs of them.

use std::ops::Range;

use crate::transactions::graph::{Builder, Kind, Node};
use crate::transactions::transaction::{KeyId, TxnId};

/// A chain by number.
pub type ChainId = u32;

/// Versions of one key, each an update of the one before, so that nothing comes between them. Of
/// blind writes each begins a chain.
#[derive(Clone, Copy, Debug)]
pub struct Chain {
    /// Whose versions.
    pub key: KeyId,
    /// Who wrote the first of them.
    pub head: TxnId,
    /// Who wrote the last.
    pub tail: TxnId,
}

/// The chains of all keys that have several.
#[derive(Debug, Default)]
pub struct Chains {
    list: Vec<Chain>,
    /// Those of each key.
    keys: Vec<Range<ChainId>>,
    /// What must be over before a later chain begins: the last write, and who read it.
    ends: Vec<(TxnId, Kind, ChainId)>,
}

impl Chains {
    /// Adds the chains of a key, of each the readers of its last version too. One chain alone has
    /// its order and is left out.
    pub fn add<R: Iterator<Item = TxnId>>(
        &mut self,
        chains: impl Iterator<Item = Chain>,
        readers: impl Fn(&Chain) -> R,
    ) {
        let first = self.list.len();
        self.list.extend(chains);
        if self.list.len() < first + 2 {
            self.list.truncate(first);
            return;
        }
        for (id, chain) in (first as ChainId..).zip(&self.list[first..]) {
            self.ends.push((chain.tail, Kind::WriteWrite, id));
            self.ends.extend(readers(chain).map(|reader| (reader, Kind::ReadWrite, id)));
        }
        self.keys.push(first as ChainId..self.list.len() as ChainId);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// One of them.
    pub fn get(&self, id: ChainId) -> &Chain {
        &self.list[id as usize]
    }

    /// The chains of each key.
    pub fn keys(&self) -> &[Range<ChainId>] {
        &self.keys
    }

    /// A helper node for the end of each chain, from `first` on: all that a chain which comes
    /// later must come after leads to it. So whether one chain is before another is one edge.
    pub fn ends(&self, first: Node) -> Builder {
        let mut edges = Builder::default();
        for &(txn, kind, chain) in &self.ends {
            edges.add(txn, first + chain, kind);
        }
        edges
    }
}

/// Two chains of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pair {
    /// One of them.
    pub one: ChainId,
    /// The other.
    pub other: ChainId,
}

/// A pair by number.
pub type PairId = u32;

/// An order of a pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Choice(u32);

impl Choice {
    /// Stands for none.
    pub const NONE: Self = Self(u32::MAX);

    /// Of a pair the one before the other, or else the other before the one.
    pub fn new(pair: PairId, one_first: bool) -> Self {
        Self(pair << 1 | u32::from(one_first))
    }

    /// The pair.
    pub fn pair(self) -> PairId {
        self.0 >> 1
    }

    /// Whether the one is before the other.
    pub fn one_first(self) -> bool {
        self.0 & 1 == 1
    }

    /// The contrary.
    pub fn not(self) -> Self {
        Self(self.0 ^ 1)
    }

    /// Its place among the choices of all pairs.
    pub fn at(self) -> usize {
        self.0 as usize
    }

    /// Which chain comes before which.
    pub fn chains(self, pairs: &[Pair]) -> [ChainId; 2] {
        let Pair { one, other } = pairs[self.pair() as usize];
        if self.one_first() { [one, other] } else { [other, one] }
    }
}
