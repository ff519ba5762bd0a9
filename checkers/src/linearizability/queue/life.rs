//! The life of one value in a queue, a stack or a priority queue: who put it in, who took it
//! out, and when it was certainly inside. Where it is read from is [`lives`](super::lives).

use crate::linearizability::dense::NONE;
use crate::linearizability::model::Point;

/// Positions among the calls.
pub type At = u32;

/// A value's stay.
///
/// Times are tightened by each other: it was put before it was taken, and taken
/// after it was put (the proof is one line: move the end, or the start, no linearization dies).
#[derive(Clone, Copy, Debug)]
pub struct Life {
    /// The call that put it in.
    pub put: At,
    /// The call that took it out; [`NONE`] if no answered call did.
    pub took: At,
    /// The first moment at which it can have come in.
    pub put_start: Point,
    /// It was in, or had been, by then.
    pub put_end: Point,
    /// Until then nobody can have taken it.
    pub took_start: Point,
    /// It was out by then.
    pub took_end: Point,
}

impl Life {
    /// Whether an answered call took it out.
    pub fn taken(&self) -> bool {
        self.took != NONE
    }

    /// Whether there was a time at which it was certainly inside.
    pub fn stays(&self) -> bool {
        self.put_end < self.took_start
    }

    /// The calls that its life is known by.
    pub fn calls(&self) -> impl Iterator<Item = At> + use<> {
        [self.put, self.took].into_iter().filter(|&at| at != NONE)
    }
}

/// Positions among the lives by the end of their puts.
pub(super) fn by_put_end(lives: &[Life]) -> Vec<At> {
    let mut keys: Vec<u64> =
        (0_u64..).zip(lives).map(|(at, life)| u64::from(life.put_end) << 32 | at).collect();
    keys.sort_unstable();
    keys.into_iter().map(|key| key as At).collect()
}
