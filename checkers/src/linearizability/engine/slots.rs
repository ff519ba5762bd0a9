//! Sets of live calls, by slot: bits in a few words, so that a configuration
//! stays small. Not a set of all calls: a slot is used again once its call returned.

/// A set of slots below `64 * W`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slots<const W: usize>([u64; W]);

impl<const W: usize> Slots<W> {
    /// No slot.
    pub(super) const NONE: Self = Self([0; W]);
    /// How many slots there are.
    pub(super) const WIDTH: usize = 64 * W;

    /// Whether a slot is in it.
    pub(super) fn has(&self, slot: usize) -> bool {
        self.0[slot / 64] & (1 << (slot % 64)) != 0
    }

    /// The same with one more slot.
    pub(super) fn with(mut self, slot: usize) -> Self {
        self.0[slot / 64] |= 1 << (slot % 64);
        self
    }

    /// The same with one slot less.
    pub(super) fn without(mut self, slot: usize) -> Self {
        self.0[slot / 64] &= !(1 << (slot % 64));
        self
    }

    /// What is in either.
    pub(super) fn or(mut self, other: Self) -> Self {
        for (word, other) in self.0.iter_mut().zip(other.0) {
            *word |= other;
        }
        self
    }

    /// Whether all of it is in the other.
    pub(super) fn within(&self, other: &Self) -> bool {
        self.0.iter().zip(other.0).all(|(word, other)| word & !other == 0)
    }

    /// The lowest slot that is not in it.
    pub(super) fn first_free(&self) -> Option<usize> {
        let word = self.0.iter().position(|&word| word != u64::MAX)?;
        Some(64 * word + self.0[word].trailing_ones() as usize)
    }

    /// Its words folded into one, for hashing.
    pub(super) fn folded(&self) -> u64 {
        self.0.iter().fold(0, |folded, &word| folded.rotate_left(23) ^ word)
    }
}
