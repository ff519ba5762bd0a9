//! When calls are made: spread at random, apart from each other, or not yet.

use std::time::Duration;

use tribunal_history::{Event, Nanos};

use crate::{Context, Generator, Next, Rng, nanos};

/// A Poisson process of calls. See [`crate::Chain::stagger`].
pub struct Stagger<G> {
    inner: G,
    rng: Rng,
    mean: f64,
    /// The time planned for the next call. It moves on from the time planned
    /// for the last one, not from when that was made: with pauses in between,
    /// the load would otherwise adapt itself to the database (what Gil Tene
    /// calls coordinated omission).
    due: Option<Nanos>,
}

impl<G> Stagger<G> {
    pub(crate) fn new(inner: G, rng: Rng, mean: Duration) -> Self {
        Self { inner, rng, mean: nanos(mean) as f64, due: None }
    }

    fn after(&mut self, time: Nanos) -> Nanos {
        time.saturating_add(self.rng.exponential(self.mean) as Nanos)
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
