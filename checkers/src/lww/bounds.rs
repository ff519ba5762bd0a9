//! The least and the most that a time in nanoseconds can be. Arithmetic alone.

/// Both ends are possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bounds {
    pub low: i128,
    pub high: i128,
}

impl Bounds {
    /// It is this.
    pub fn exactly(value: i128) -> Self {
        Self { low: value, high: value }
    }

    /// As much less, or more.
    pub fn widened(self, by: i128) -> Self {
        Self { low: self.low - by, high: self.high + by }
    }

    /// Both are true, if both can be.
    pub fn and(self, other: Self) -> Option<Self> {
        let both = Self { low: self.low.max(other.low), high: self.high.min(other.high) };
        (both.low <= both.high).then_some(both)
    }

    /// One of the two is true.
    pub fn or(self, other: Self) -> Self {
        Self { low: self.low.min(other.low), high: self.high.max(other.high) }
    }

    /// The one less the other, which has nothing to do with it.
    pub fn minus(self, other: Self) -> Self {
        Self { low: self.low - other.high, high: self.high - other.low }
    }

    pub fn length(self) -> i128 {
        self.high - self.low
    }
}
