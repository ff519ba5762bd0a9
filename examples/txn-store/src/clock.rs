//! Timestamps: a hybrid logical clock (Kulkarni et al., "Logical Physical Clocks",
//! OPODIS 2014), and the wall clock below it. Nothing correct here rests on the wall clock.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::message::Timestamp;

/// A node's source of timestamps: near the wall clock, and always later than all that it has
/// given out or heard of. The logical counter lives in the nanoseconds, one a tick.
#[derive(Debug, Default)]
pub struct Clock {
    last: AtomicU64,
}

impl Clock {
    /// A timestamp later than all before.
    pub fn tick(&self) -> Timestamp {
        self.tick_at(wall_clock())
    }

    /// From now on timestamps are later than this one.
    pub fn observe(&self, heard: Timestamp) {
        self.last.fetch_max(heard, Ordering::SeqCst);
    }

    fn tick_at(&self, wall: Timestamp) -> Timestamp {
        let next = |last: Timestamp| wall.max(last + 1);
        let last = self
            .last
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last)))
            .expect("there is always a next");
        next(last)
    }
}

/// What this process believes the time to be, in nanoseconds since 1970.
pub fn wall_clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_nanos().try_into().unwrap_or(u64::MAX >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_follow_the_wall_clock_and_never_go_back() {
        let clock = Clock::default();
        assert_eq!(clock.tick_at(5_000), 5_000);
        assert_eq!(clock.tick_at(3_000), 5_001, "the clock jumped back");
        clock.observe(9_000);
        assert_eq!(clock.tick_at(5_000), 9_001, "another node is ahead");
        clock.observe(1_000);
        assert_eq!(clock.tick_at(10_000), 10_000);
    }
}
