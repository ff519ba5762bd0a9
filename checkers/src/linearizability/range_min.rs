//! An array of integers to which one adds over ranges, and from which one takes those
//! that have come down to zero: a segment tree whose nodes keep what was added to them whole.

use std::ops::Range;

/// The array.
pub(crate) struct RangeMin {
    /// How many leaves: a power of two.
    leaves: usize,
    /// Per node, the least of its leaves, what was added above it aside.
    least: Vec<i32>,
    /// Per node, what was added to all of its leaves; it is within `least` of the node itself.
    added: Vec<i32>,
}

/// More than any sum: a leaf that no longer counts.
const OUT: i32 = i32::MAX / 2;

impl RangeMin {
    /// An array that begins with these integers.
    pub fn new(begin: &[i32]) -> Self {
        let leaves = begin.len().next_power_of_two().max(1);
        let mut least = vec![OUT; 2 * leaves];
        least[leaves..leaves + begin.len()].copy_from_slice(begin);
        for node in (1..leaves).rev() {
            least[node] = least[2 * node].min(least[2 * node + 1]);
        }
        Self { leaves, least, added: vec![0; leaves] }
    }

    /// Adds `delta` to every integer in `range`.
    pub fn add(&mut self, range: Range<usize>, delta: i32) {
        if range.is_empty() {
            return;
        }
        let (mut low, mut high) = (range.start + self.leaves, range.end + self.leaves);
        let (first, last) = (low, high - 1);
        while low < high {
            if low & 1 == 1 {
                self.apply(low, delta);
                low += 1;
            }
            if high & 1 == 1 {
                high -= 1;
                self.apply(high, delta);
            }
            low >>= 1;
            high >>= 1;
        }
        self.rebuild_above(first);
        self.rebuild_above(last);
    }

    fn apply(&mut self, node: usize, delta: i32) {
        self.least[node] += delta;
        if node < self.leaves {
            self.added[node] += delta;
        }
    }

    fn rebuild_above(&mut self, leaf: usize) {
        let mut node = leaf >> 1;
        while node > 0 {
            let below = self.least[2 * node].min(self.least[2 * node + 1]);
            self.least[node] = below + self.added[node];
            node >>= 1;
        }
    }

    /// Takes out one integer that is at most 0, and says where it stood.
    pub fn take_zero(&mut self) -> Option<usize> {
        if self.least[1] > 0 {
            return None;
        }
        let (mut node, mut above) = (1, 0);
        while node < self.leaves {
            above += self.added[node];
            node = 2 * node + usize::from(self.least[2 * node] + above > 0);
        }
        self.least[node] = OUT;
        self.rebuild_above(node);
        Some(node - self.leaves)
    }
}
