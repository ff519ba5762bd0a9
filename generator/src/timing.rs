//! When calls are made: spread at random, at a rate that may change, apart from each other, or not yet.

use std::time::Duration;

use tribunal_history::{Event, Nanos};

use crate::{Context, Generator, Next, Rng, nanos};

/// A Poisson process of calls. See [`crate::Chain::stagger`].
pub struct Stagger<G> {
    inner: G,
    rng: Rng,
    mean: f64,
    pace: Pace,
    /// When it was first asked.
    began: Option<Nanos>,
    /// The time planned for the next call. It moves on from the time planned
    /// for the last one, not from when that was made: with pauses in between,
    /// the load would otherwise adapt itself to the database (what Gil Tene
    /// calls coordinated omission).
    due: Option<Nanos>,
}

impl<G> Stagger<G> {
    pub(crate) fn new(inner: G, rng: Rng, mean: Duration, pace: Pace) -> Self {
        Self { inner, rng, mean: nanos(mean) as f64, pace, began: None, due: None }
    }

    /// The time of the next call after this one.
    fn after(&mut self, time: Nanos) -> Nanos {
        let began = *self.began.get_or_insert(time);
        let share = self.pace.share(Duration::from_nanos(time.saturating_sub(began)));
        time.saturating_add(self.rng.exponential(self.mean / share) as Nanos)
    }
}

/// How the rate of a load changes over time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Pace {
    /// It does not.
    #[default]
    Steady,
    /// It grows from a tenth to the whole, and stays there.
    Ramp {
        /// For so long it grows.
        over: Duration,
    },
    /// The whole rate for a while, and a share of it until the next burst.
    Bursts {
        /// From the beginning of one to that of the next.
        every: Duration,
        /// For so long each lasts.
        length: Duration,
        /// What is left of the rate between two of them: above 0, at most 1.
        between: f64,
    },
}

impl Pace {
    /// The least share of a rate: with none at all, the next call would never come.
    const LEAST: f64 = 1e-3;

    /// The share of the rate, so long after the load has begun.
    fn share(self, elapsed: Duration) -> f64 {
        let share = match self {
            Pace::Steady => 1.0,
            Pace::Ramp { over } if elapsed < over => {
                0.1 + 0.9 * elapsed.as_secs_f64() / over.as_secs_f64()
            }
            Pace::Ramp { .. } => 1.0,
            Pace::Bursts { every, length, between } => {
                let into = elapsed.as_secs_f64() % every.as_secs_f64().max(1e-9);
                if into < length.as_secs_f64() { 1.0 } else { between }
            }
        };
        share.clamp(Self::LEAST, 1.0)
    }
}

impl<G: Generator> Generator for Stagger<G> {
    fn next(&mut self, context: &Context) -> Next {
        let due = match self.due {
            Some(due) => due,
            None => self.after(context.time),
        };
        self.due = Some(due);
        if context.time < due {
            return Next::Wait(due);
        }
        let next = self.inner.next(context);
        if matches!(next, Next::Call(..)) {
            self.due = Some(self.after(due));
        }
        next
    }

    fn update(&mut self, context: &Context, event: &Event) {
        self.inner.update(context, event);
    }
}

/// Calls at least so far apart. See [`crate::Chain::delay`].
pub struct Delay<G> {
    pub(crate) inner: G,
    pub(crate) gap: Nanos,
    pub(crate) due: Nanos,
}

impl<G: Generator> Generator for Delay<G> {
    fn next(&mut self, context: &Context) -> Next {
        if context.time < self.due {
            return Next::Wait(self.due);
        }
        let next = self.inner.next(context);
        if matches!(next, Next::Call(..)) {
            self.due = context.time.saturating_add(self.gap);
        }
        next
    }

    fn update(&mut self, context: &Context, event: &Event) {
        self.inner.update(context, event);
    }
}

/// No call, for a while. See [`sleep`].
pub struct Sleep {
    length: Nanos,
    end: Option<Nanos>,
}

/// Makes no call, and is done when `length` has passed since it was first asked.
pub fn sleep(length: Duration) -> Sleep {
    Sleep { length: nanos(length), end: None }
}

impl Generator for Sleep {
    fn next(&mut self, context: &Context) -> Next {
        let end = *self.end.get_or_insert(context.time.saturating_add(self.length));
        if context.time < end { Next::Wait(end) } else { Next::Done }
    }
}
