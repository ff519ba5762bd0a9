//! How many crashed calls of each kind a configuration has used.
//!
//! Two crashed calls that do the same are the same once both are invoked, so
//! they are counted, not told apart. Of two configurations that are otherwise
//! alike, the one that used no more of any kind can do all that the other can.
//! That comparison is the inner loop of a search with many crashes, so the
//! counts lie side by side in words and are compared a word at a time.

use super::index::Index;

/// A kind of crashed call: all that would do the same.
pub(super) type KindId = u32;

/// How many calls of each kind were used: an interned vector.
pub(super) type UsedId = u32;

/// No crashed call was used.
pub(super) const UNUSED: UsedId = 0;

/// Where a kind's count is within a vector.
#[derive(Clone, Copy, Debug)]
struct Field {
    word: usize,
    shift: u32,
    bits: u32,
}

/// Interned vectors of counts.
#[derive(Clone, Debug)]
pub(super) struct UsedTable {
    fields: Vec<Field>,
    /// Above each count, a bit that none of them reaches.
    guards: Vec<u64>,
    /// The vectors, one after the other.
    words: Vec<u64>,
    index: Index,
    len: usize,
}

impl UsedTable {
    /// For kinds of which there are at most so many calls each.
    pub(super) fn new(totals: &[u32]) -> Self {
        let (mut fields, mut guards, mut room) = (Vec::new(), Vec::new(), 0);
        for &total in totals {
            let bits = u32::BITS - total.leading_zeros();
            if room < bits + 1 {
                guards.push(0);
                room = u64::BITS;
            }
            let (word, shift) = (guards.len() - 1, u64::BITS - room);
            guards[word] |= 1 << (shift + bits);
            fields.push(Field { word, shift, bits });
            room -= bits + 1;
        }
        let none = vec![0; guards.len()];
        let mut table = Self { fields, guards, words: Vec::new(), index: Index::default(), len: 0 };
        table.intern(&none);
        table
    }

    /// How many calls of a kind were used.
    pub(super) fn count(&self, used: UsedId, kind: KindId) -> u32 {
        let Field { word, shift, bits } = self.fields[kind as usize];
        (self.words(used)[word] >> shift & ((1 << bits) - 1)) as u32
    }

    /// With one more call of a kind.
    pub(super) fn plus(&mut self, used: UsedId, kind: KindId) -> UsedId {
        let Field { word, shift, .. } = self.fields[kind as usize];
        let mut words = self.words(used).to_vec();
        words[word] += 1 << shift;
        self.intern(&words)
    }

    /// Whether `fewer` used no more than `more` of any kind.
    pub(super) fn within(&self, fewer: UsedId, more: UsedId) -> bool {
        // With the guard set above, a count can be taken from another without borrowing
        // from its neighbour; the guard falls where it was the larger one.
        let pairs = self.words(fewer).iter().zip(self.words(more)).zip(&self.guards);
        fewer == more
            || pairs.into_iter().all(|((a, b), guard)| ((b | guard) - a) & guard == *guard)
    }

    /// What it occupies.
    pub(super) fn bytes(&self) -> usize {
        8 * self.words.len() + self.index.bytes()
    }

    /// Forgets all vectors but those in `keep`; returns the new name of each old one.
    pub(super) fn forget_but(&mut self, keep: impl Iterator<Item = UsedId>) -> Vec<UsedId> {
        let mut kept = vec![false; self.len];
        kept[UNUSED as usize] = true;
        keep.for_each(|id| kept[id as usize] = true);
        let (old, width) = (std::mem::take(&mut self.words), self.guards.len());
        (self.index, self.len) = (Index::default(), 0);
        let vector = |id: usize| &old[id * width..(id + 1) * width];
        let rename = |(id, kept)| if kept { self.intern(vector(id)) } else { UsedId::MAX };
        kept.into_iter().enumerate().map(rename).collect()
    }

    fn words(&self, used: UsedId) -> &[u64] {
        let width = self.guards.len();
        &self.words[used as usize * width..(used as usize + 1) * width]
    }

    fn intern(&mut self, words: &[u64]) -> UsedId {
        let hash = words.iter().fold(0u64, |hash, &word| {
            (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
        });
        let width = words.len();
        let all = &self.words;
        let same = |id: u32| all[id as usize * width..(id as usize + 1) * width] == *words;
        if let Some(id) = self.index.find(hash, same) {
            return id;
        }
        let id = self.len as UsedId;
        self.len += 1;
        self.words.extend_from_slice(words);
        self.index.insert(hash, id);
        id
    }
}
