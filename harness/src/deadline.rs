//! How long a call may take before nobody waits for it any more: as the test file says, or as the
//! answers so far tell.
//!
//! A deadline that is too short makes failures of what was only slow, and retries of them make it
//! slower; one that is too long finds a dead node late (Kleppmann, *Designing Data-Intensive
//! Applications*, chapter 8: "Timeouts and unbounded delays").

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// What all workers of a run wait by.
#[derive(Clone, Debug)]
pub struct Deadline(Arc<Mutex<State>>);

/// How a deadline is learned.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adaptive {
    /// So many times the 99th percentile of the last answers.
    pub times: f64,
    /// No less than this.
    pub least: Duration,
}

#[derive(Debug)]
struct State {
    adaptive: Option<Adaptive>,
    /// No more than this, and so much until enough is known.
    most: Duration,
    /// The time of each of the last answers.
    answers: VecDeque<Duration>,
    /// How many came since the deadline was last set.
    fresh: usize,
    now: Duration,
}

/// So many answers are remembered.
const REMEMBERED: usize = 1000;
/// After so many new ones the deadline is set anew.
const EVERY: usize = 50;

impl Deadline {
    /// At most `most`; less where it adapts itself.
    pub fn new(most: Duration, adaptive: Option<Adaptive>) -> Self {
        let (answers, fresh) = (VecDeque::new(), 0);
        Self(Arc::new(Mutex::new(State { adaptive, most, answers, fresh, now: most })))
    }

    /// The same, of which nothing is known yet.
    pub fn anew(&self) -> Self {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Self::new(state.most, state.adaptive)
    }

    /// What a call that is made now may take.
    pub fn now(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now
    }

    /// What it is at most.
    pub fn most(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).most
    }

    /// An answer came after so long.
    pub fn answered(&self, after: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).learn(after);
    }

    /// None came. It counts as one that would have taken twice as long: if only answers in time
    /// were counted, a deadline that is too short could never grow again.
    pub fn missed(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let late = state.now * 2;
        state.learn(late);
    }
}

impl State {
    fn learn(&mut self, after: Duration) {
        let Some(Adaptive { times, least }) = self.adaptive else { return };
        self.answers.push_back(after);
        if self.answers.len() > REMEMBERED {
            self.answers.pop_front();
        }
        self.fresh += 1;
        if self.fresh < EVERY {
            return;
        }
        self.fresh = 0;
        let mut sorted: Vec<Duration> = self.answers.iter().copied().collect();
        sorted.sort_unstable();
        let percentile = sorted[(sorted.len() * 99).div_ceil(100) - 1];
        self.now = percentile.mul_f64(times).clamp(least.min(self.most), self.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    #[test]
    fn a_fixed_one_never_changes() {
        let deadline = Deadline::new(ms(500), None);
        (0..200).for_each(|_| deadline.answered(ms(1)));
        assert_eq!(deadline.now(), ms(500));
    }

    #[test]
    fn it_follows_the_answers_within_its_bounds() {
        let deadline = Deadline::new(ms(500), Some(Adaptive { times: 3.0, least: ms(10) }));
        (0..49).for_each(|_| deadline.answered(ms(1)));
        assert_eq!(deadline.now(), ms(500), "not enough is known");
        (0..100).for_each(|_| deadline.answered(ms(1)));
        assert_eq!(deadline.now(), ms(10), "the least");
        (0..1000).for_each(|_| deadline.answered(ms(20)));
        assert_eq!(deadline.now(), ms(60), "three times the percentile");
        (0..1000).for_each(|_| deadline.answered(ms(400)));
        assert_eq!(deadline.now(), ms(500), "the most");
    }

    #[test]
    fn it_grows_where_it_was_too_short() {
        let deadline = Deadline::new(ms(500), Some(Adaptive { times: 3.0, least: ms(10) }));
        (0..1000).for_each(|_| deadline.answered(ms(4)));
        assert_eq!(deadline.now(), ms(12));
        (0..500).for_each(|_| deadline.missed());
        assert!(deadline.now() > ms(60), "{:?}", deadline.now());
    }
}
