//! Who saw whom, for transactions that are near each other in an order: a row of bits for each.
//!
//! A row tells which of the transactions before it, up to the width of the window, it saw, directly or
//! through others. It is the union of the rows of those that it saw itself. The rows and their bits are
//! used again in a circle, so memory depends on the width alone: not on the transactions, and
//! not on the sessions, as the clocks of a vector would.

/// The rows of the last transactions.
pub struct Window {
    /// How many transactions back a row tells; a power of two, and at least 64.
    width: usize,
    rows: Vec<u64>,
    /// The row in the making.
    row: Vec<u64>,
    /// The first place that any row knows of.
    start: usize,
}

const BITS: usize = u64::BITS as usize;

impl Window {
    /// A window of at least so many transactions over places from `start` on.
    pub fn new(least: usize, start: usize) -> Self {
        let width = least.next_power_of_two().max(BITS);
        let words = width / BITS;
        Self { width, rows: vec![0; width * words], row: vec![0; words], start }
    }

    /// How far back it tells.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Makes the row of the next place of those that it saw itself.
    pub fn add(&mut self, place: usize, saw: impl Iterator<Item = usize>) {
        let words = self.row.len();
        self.row.fill(0);
        let oldest = (place + 1).saturating_sub(self.width).max(self.start);
        for seen in saw.filter(|&seen| seen >= oldest) {
            let base = seen % self.width * words;
            unite(&mut self.row, &self.rows[base..base + words], oldest, seen);
            let bit = seen % self.width;
            self.row[bit / BITS] |= 1 << (bit % BITS);
        }
        let base = place % self.width * words;
        self.rows[base..base + words].copy_from_slice(&self.row);
    }

    /// Whether the place that was added last saw another, which the window reaches back to.
    pub fn saw(&self, place: usize) -> bool {
        let bit = place % self.width;
        self.row[bit / BITS] & 1 << (bit % BITS) != 0
    }
}

/// Adds those bits of a row that stand for the places from `from` on, before `until`; the
/// others are of places that are out of sight.
fn unite(to: &mut [u64], row: &[u64], from: usize, until: usize) {
    let words = row.len();
    if from >= until {
        return;
    }
    let (first, last) = (from / BITS, (until - 1) / BITS);
    let low = !0 << (from % BITS);
    let high = !0 >> (BITS - 1 - (until - 1) % BITS);
    if first == last {
        to[first % words] |= row[first % words] & low & high;
        return;
    }
    to[first % words] |= row[first % words] & low;
    to[last % words] |= row[last % words] & high;
    // What lies between goes once around at most.
    let (start, count) = ((first + 1) % words, last - first - 1);
    let straight = count.min(words - start);
    let or = |to: &mut [u64], row: &[u64]| to.iter_mut().zip(row).for_each(|(to, row)| *to |= row);
    or(&mut to[start..start + straight], &row[start..start + straight]);
    or(&mut to[..count - straight], &row[..count - straight]);
}
