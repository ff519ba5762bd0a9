//! Positions found by hash: what the tables of the search have in common.
//!
//! Open addressing with linear probing. It holds no keys: whoever asks says
//! whether a position is the one that is looked for, so a hash alone never decides.

/// Positions in somebody's array, by the hash of what is there.
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// A power of two; of each place the hash and the position.
    places: Vec<(u32, u32)>,
    len: usize,
}

/// A place that is not taken.
const FREE: u32 = u32::MAX;

impl Index {
    /// Where the looked-for thing is.
    pub(super) fn find(&self, hash: u64, is: impl FnMut(u32) -> bool) -> Option<u32> {
        let place = self.place(fold(hash), is)?;
        Some(self.places[place].1).filter(|&position| position != FREE)
    }

    /// Enters a thing that [`Index::find`] did not find.
    pub(super) fn insert(&mut self, hash: u64, position: u32) {
        if 4 * (self.len + 1) > 3 * self.places.len() {
            self.grow();
        }
        self.put(fold(hash), position);
        self.len += 1;
    }

    /// Changes the position of a thing that is there.
    pub(super) fn replace(&mut self, hash: u64, from: u32, to: u32) {
        if let Some(place) = self.place(fold(hash), |position| position == from) {
            self.places[place].1 = to;
        }
    }

    /// Forgets everything, and keeps its memory unless it was needed for something far larger.
    pub(super) fn clear(&mut self) {
        if self.places.len() > 64 * (self.len + 16) {
            self.places = Vec::new();
        }
        self.places.fill((0, FREE));
        self.len = 0;
    }

    /// What it occupies.
    pub(super) fn bytes(&self) -> usize {
        self.places.len() * size_of::<(u32, u32)>()
    }

    /// The place of the looked-for thing, or the free one where it belongs; `None` before the first entry.
    fn place(&self, hash: u32, mut is: impl FnMut(u32) -> bool) -> Option<usize> {
        let mask = self.places.len().checked_sub(1)?;
        let mut place = hash as usize & mask;
        loop {
            match self.places[place] {
                (_, FREE) => return Some(place),
                (there, position) if there == hash && is(position) => return Some(place),
                _ => place = (place + 1) & mask,
            }
        }
    }

    fn put(&mut self, hash: u32, position: u32) {
        let mask = self.places.len() - 1;
        let mut place = hash as usize & mask;
        while self.places[place].1 != FREE {
            place = (place + 1) & mask;
        }
        self.places[place] = (hash, position);
    }

    fn grow(&mut self) {
        let larger = vec![(0, FREE); (2 * self.places.len()).max(16)];
        for (hash, position) in std::mem::replace(&mut self.places, larger) {
            if position != FREE {
                self.put(hash, position);
            }
        }
    }
}

/// All of a hash in half of its bits.
fn fold(hash: u64) -> u32 {
    // A multiplication leaves its best bits at the top (Fibonacci hashing, Knuth, TAOCP 3, 6.4).
    (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}
