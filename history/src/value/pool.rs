//! Sequences one after the other. What they are of, and what they mean, is not known here.

use std::hash::{BuildHasher, Hash};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;

/// Sequences, each at a place. Those that are added are kept once.
#[derive(Clone)]
pub(super) struct Pool<T> {
    items: Vec<T>,
    ends: Vec<usize>,
    /// Each place with a part of its sequence's hash, so that the table grows, and most sequences are
    /// told apart, without a look at the items.
    places: HashTable<(u32, u32)>,
}

impl<T> Default for Pool<T> {
    fn default() -> Self {
        Self { items: Vec::new(), ends: Vec::new(), places: HashTable::new() }
    }
}

impl<T> Pool<T> {
    /// A pool with room for so many items.
    pub(super) fn with_room(items: usize) -> Self {
        Self { items: Vec::with_capacity(items), ..Self::default() }
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn get(&self, place: usize) -> &[T] {
        sequence(&self.items, &self.ends, place)
    }

    /// The same, to be changed. Only of a pool to which sequences are pushed and never added.
    pub(super) fn get_mut(&mut self, place: usize) -> &mut [T] {
        debug_assert!(self.places.is_empty(), "the table knows the sequence as it was");
        let from = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &mut self.items[from..self.ends[place]]
    }
}

impl<T: Copy + Eq + Hash> Pool<T> {
    pub(super) fn find(&self, sequence: &[T], hash: Hashed) -> Option<usize> {
        let same =
            |&(place, part): &(u32, u32)| part == hash.part && self.get(place as usize) == sequence;
        self.places.find(spread(hash.part), same).map(|&(place, _)| place as usize)
    }

    /// The place of a sequence, which is added if it is new.
    pub(super) fn add(&mut self, new: &[T], hash: Hashed) -> usize {
        let Self { items, ends, places } = self;
        let same = |&(place, part): &(u32, u32)| {
            part == hash.part && sequence(items, ends, place as usize) == new
        };
        match places.entry(spread(hash.part), same, |&(_, part)| spread(part)) {
            Entry::Occupied(there) => there.get().0 as usize,
            Entry::Vacant(free) => {
                let place = u32::try_from(ends.len()).expect("fewer than 2^32 different values");
                free.insert((place, hash.part));
                self.push(new)
            }
        }
    }

    /// The place of a sequence that is added whether or not there is an equal one.
    pub(super) fn push(&mut self, new: &[T]) -> usize {
        self.items.extend_from_slice(new);
        self.ends.push(self.items.len());
        self.len() - 1
    }
}

/// A sequence's hash.
#[derive(Clone, Copy)]
pub(super) struct Hashed {
    /// What a pool needs of it.
    pub(super) part: u32,
    /// What is independent of that.
    pub(super) rest: u32,
}

impl Hashed {
    pub(super) fn of<T: Hash>(sequence: &[T]) -> Self {
        let hash = FxBuildHasher.hash_one(sequence);
        Self { part: (hash >> 32 ^ hash) as u32, rest: hash as u32 }
    }
}

/// A hash for the table, which takes the place from the low bits and a mark from the high ones.
fn spread(part: u32) -> u64 {
    u64::from(part) << 32 | u64::from(part)
}

fn sequence<'a, T>(items: &'a [T], ends: &[usize], place: usize) -> &'a [T] {
    let from = place.checked_sub(1).map_or(0, |before| ends[before]);
    &items[from..ends[place]]
}
