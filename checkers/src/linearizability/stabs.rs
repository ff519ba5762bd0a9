//! Ranges of numbers, to be taken out by a number that they contain: sorted by
//! their starts, under a tournament of their ends.

/// The ranges that are still in.
pub(super) struct Stabs {
    /// Of the ranges by start, what they are called.
    ids: Vec<u32>,
    /// How many begin up to a number.
    begun: Vec<u32>,
    /// How many leaves: a power of two.
    leaves: usize,
    /// Per node, the greatest end of its leaves; 0 where there is none.
    ends: Vec<u32>,
}

impl Stabs {
    /// Of ranges below `bound`, from the first number to before the second, by name.
    pub fn new(ranges: impl Iterator<Item = (u32, (u32, u32))> + Clone, bound: usize) -> Self {
        let mut begun = vec![0_u32; bound + 1];
        for (_, (start, _)) in ranges.clone() {
            begun[start as usize + 1] += 1;
        }
        for at in 1..begun.len() {
            begun[at] += begun[at - 1];
        }
        let count = begun[bound] as usize;
        let leaves = count.next_power_of_two().max(1);
        let (mut ids, mut ends) = (vec![0; count], vec![0; 2 * leaves]);
        // While it fills, `begun[start]` is where the next range from `start` goes; then it is
        // how many begin up to `start`.
        for (id, (start, end)) in ranges {
            let at = &mut begun[start as usize];
            ids[*at as usize] = id;
            ends[leaves + *at as usize] = end;
            *at += 1;
        }
        for node in (1..leaves).rev() {
            ends[node] = ends[2 * node].max(ends[2 * node + 1]);
        }
        Self { ids, begun, leaves, ends }
    }

    /// Takes out a range that contains `number`, and names it.
    pub fn take(&mut self, number: u32) -> Option<u32> {
        if self.ends[1] <= number {
            return None;
        }
        let mut node = 1;
        while node < self.leaves {
            node = 2 * node + usize::from(self.ends[2 * node] <= number);
        }
        // It is the first that ends late enough: if it begins too late, so do all others.
        let at = node - self.leaves;
        if at >= self.begun[number as usize] as usize {
            return None;
        }
        self.ends[node] = 0;
        while node > 1 {
            node >>= 1;
            self.ends[node] = self.ends[2 * node].max(self.ends[2 * node + 1]);
        }
        Some(self.ids[at])
    }
}
