//! One after the other, with or without a barrier between.

use std::collections::VecDeque;

use tribunal_history::{Event, Nanos};

use crate::{Boxed, Chain, Context, Generator, Next};

/// One after the other. See [`sequence`].
pub struct Sequence {
    /// What is not done yet; the first is the one that is asked.
    parts: VecDeque<Boxed>,
}

/// Each of `parts` when the one before is done. Its last calls may still be open
/// then: [`phases`] waits for them.
pub fn sequence(parts: impl IntoIterator<Item = Boxed>) -> Sequence {
    Sequence { parts: parts.into_iter().collect() }
}

/// Each of `parts` when the one before is done and no call is open.
pub fn phases(parts: impl IntoIterator<Item = Boxed>) -> Sequence {
    sequence(parts.into_iter().map(|part| synchronize(part).boxed()))
}

impl Generator for Sequence {
    fn next(&mut self, context: &Context) -> Next {
        while let Some(part) = self.parts.front_mut() {
            match part.next(context) {
                Next::Done => self.parts.pop_front(),
                other => return other,
            };
        }
        Next::Done
    }

    fn update(&mut self, context: &Context, event: &Event) {
        if let Some(part) = self.parts.front_mut() {
            part.update(context, event);
        }
    }
}

/// A barrier before a generator. See [`synchronize`].
pub struct Synchronize<G> {
    inner: G,
    passed: bool,
}

/// Begins when all workers are free. Only those count that it could have calls
/// of: within [`crate::clients`], the clients. Whatever runs beside it under
/// [`crate::any`] can keep it from ever beginning.
pub fn synchronize<G: Generator>(inner: G) -> Synchronize<G> {
    Synchronize { inner, passed: false }
}

impl<G: Generator> Generator for Synchronize<G> {
    fn next(&mut self, context: &Context) -> Next {
        self.passed |= context.all_are_free();
        if self.passed { self.inner.next(context) } else { Next::Wait(Nanos::MAX) }
    }

    fn update(&mut self, context: &Context, event: &Event) {
        if self.passed {
            self.inner.update(context, event);
        }
    }
}
