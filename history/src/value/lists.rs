//! The lists of a history's values, in shards that take in many lists at the same time.
//!
//! Which shard keeps a list is told by its hash, so equal lists meet in one. A list's place names its shard in
//! the low bits, and its place there above them.

use rayon::prelude::*;

use super::Datum;
use super::pool::{Hashed, Pool};

/// Lists of data. Equal ones are kept once, but in a draft.
#[derive(Clone)]
pub(super) struct Lists {
    /// A power of two of them.
    shards: Vec<Pool<Datum>>,
    is_draft: bool,
}

/// Shards of what takes over parts. Not a matter of the cores: places must not depend on the machine.
const SHARDS: usize = 16;

impl Default for Lists {
    fn default() -> Self {
        Self { shards: vec![Pool::default()], is_draft: false }
    }
}

impl Lists {
    /// Lists in several shards.
    pub(super) fn sharded() -> Self {
        Self { shards: vec![Pool::default(); SHARDS], is_draft: false }
    }

    /// Lists that are only kept until others take them over, and until then are not compared; with room
    /// for so many elements.
    pub(super) fn draft(room: usize) -> Self {
        Self { shards: vec![Pool::with_room(room)], is_draft: true }
    }

    pub(super) fn len(&self) -> usize {
        self.shards.iter().map(Pool::len).sum()
    }

    fn bits(&self) -> u32 {
        self.shards.len().trailing_zeros()
    }

    fn shard(&self, hash: Hashed) -> usize {
        hash.rest as usize & (self.shards.len() - 1)
    }

    fn place(&self, shard: usize, there: usize) -> u64 {
        (there << self.bits() | shard) as u64
    }

    pub(super) fn get(&self, place: usize) -> &[Datum] {
        self.shards[place & (self.shards.len() - 1)].get(place >> self.bits())
    }

    pub(super) fn find(&self, list: &[Datum]) -> Option<u64> {
        let hash = Hashed::of(list);
        let shard = self.shard(hash);
        self.shards[shard].find(list, hash).map(|there| self.place(shard, there))
    }

    /// The place of a list, which is added if it is new, or if this is a draft.
    pub(super) fn add(&mut self, list: &[Datum]) -> u64 {
        if self.is_draft {
            return self.shards[0].push(list) as u64;
        }
        let hash = Hashed::of(list);
        let shard = self.shard(hash);
        let there = self.shards[shard].add(list, hash);
        self.place(shard, there)
    }

    /// What a draft holds.
    pub(super) fn into_draft(mut self) -> Pool<Datum> {
        debug_assert!(self.is_draft);
        self.shards.pop().expect("a draft has one shard")
    }

    /// Tells some lists of a part by the shards that they will be in.
    pub(super) fn sort_out(&self, part: &Pool<Datum>, which: impl Iterator<Item = u32>) -> Sorted {
        let mut sorted: Sorted = vec![Vec::new(); self.shards.len()];
        for list in which {
            let hash = Hashed::of(part.get(list as usize));
            sorted[self.shard(hash)].push((list, hash.part));
        }
        sorted
    }

    /// Adds lists of several parts; every shard in parallel, part after part.
    pub(super) fn add_all(&mut self, parts: &[&Pool<Datum>], sorted: Vec<Sorted>) -> Added {
        let mut by_shard = vec![Vec::with_capacity(parts.len()); self.shards.len()];
        for part in sorted {
            by_shard.iter_mut().zip(part).for_each(|(shard, lists)| shard.push(lists));
        }
        let bits = self.bits();
        self.shards.par_iter_mut().zip(&mut by_shard).for_each(|(shard, sorted)| {
            for (part, lists) in parts.iter().zip(sorted) {
                for (list, hash) in lists {
                    let hashed = Hashed { part: *hash, rest: 0 };
                    let there = shard.add(part.get(*list as usize), hashed);
                    *hash = u32::try_from(there).expect("places of a shard have 32 bits");
                }
            }
        });
        Added { by_shard, bits }
    }
}

/// Lists of one part, by shard: which they are, and what a pool needs of their hash.
pub(super) type Sorted = Vec<Vec<(u32, u32)>>;

/// Where the lists of several parts are now.
pub(super) struct Added {
    /// For every shard and every part, each list and its place in the shard.
    by_shard: Vec<Sorted>,
    bits: u32,
}

impl Added {
    /// The lists of one part, and their places.
    pub(super) fn of(&self, part: usize) -> impl Iterator<Item = (u32, u64)> {
        let bits = self.bits;
        let shards = (0_u64..).zip(&self.by_shard);
        shards.flat_map(move |(shard, parts)| {
            let place = move |there: u32| u64::from(there) << bits | shard;
            parts[part].iter().map(move |&(list, there)| (list, place(there)))
        })
    }
}
