//! What a clock says of the true time where it is known how wrong it may be: not a moment but an interval,
//! after TrueTime (Corbett et al., "Spanner: Google's Globally-Distributed Database", OSDI 2012).
//!
//! A write is stamped with the end of the interval, and nobody learns of it before the beginning of the
//! interval has passed the stamp ("commit wait"). As long as no clock is more wrong than the bound, whoever
//! begins to write after that has a later stamp. Where one is, nothing holds.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::stamp::wall_clock;

/// Longer than any bound: a clock that was set back meanwhile would be waited for for ever.
const PATIENCE: Duration = Duration::from_secs(1);

/// How wrong this process's clock may be.
#[derive(Clone, Copy, Debug)]
pub struct Interval {
    /// To either side, in nanoseconds; with 0 the clock is taken at its word, and nobody waits.
    bound: u64,
}

impl Interval {
    /// An interval of `bound` milliseconds to either side.
    pub fn of_ms(bound: u64) -> Self {
        Self { bound: bound * 1_000_000 }
    }

    /// No clock that is as right as it should be shows a later time now.
    pub fn latest(self) -> u64 {
        wall_clock() + self.bound
    }

    /// Waits until `ns` is past on every clock; whether it came to that.
    pub async fn wait_out(self, ns: u64) -> bool {
        let begun = Instant::now();
        loop {
            let earliest = wall_clock().saturating_sub(self.bound);
            if self.bound == 0 || earliest > ns {
                return true;
            }
            if begun.elapsed() > PATIENCE {
                return false;
            }
            // The clock may be set meanwhile.
            sleep(Duration::from_nanos(ns + 1 - earliest).min(Duration::from_millis(10))).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_acknowledged_is_past_on_every_clock() {
        let interval = Interval::of_ms(20);
        let (stamp, begun) = (interval.latest(), Instant::now());
        assert!(interval.wait_out(stamp).await);
        assert!(
            wall_clock() > stamp + 20_000_000,
            "a clock that runs 20 ms behind shows a later time"
        );
        assert!(begun.elapsed() >= Duration::from_millis(39), "twice the bound");
    }

    #[tokio::test]
    async fn a_clock_at_its_word_waits_for_nobody() {
        let begun = Instant::now();
        assert!(Interval::of_ms(0).wait_out(u64::MAX).await);
        assert!(begun.elapsed() < Duration::from_millis(5));
    }
}
