//! Where calls come from: iterators and closures.

use std::iter::{self, Peekable};

use tribunal_history::{Call, Event, Nanos};

use crate::{Context, Generator, Next};

/// Calls of an iterator, in its order, each by the first free client. See [`calls`].
pub struct Calls<I: Iterator<Item = Call>> {
    /// Peeked, so that the end is known as soon as the last call is out, and
    /// not only when the next worker is free.
    calls: Peekable<I>,
}

/// The calls of an iterator. It is drawn from one call ahead, so an iterator
/// should depend on nothing but itself.
pub fn calls<I>(calls: I) -> Calls<I::IntoIter>
where
    I: IntoIterator<Item = Call>,
{
    Calls { calls: calls.into_iter().peekable() }
}

/// One call.
pub fn once(call: Call) -> Calls<iter::Once<Call>> {
    calls(iter::once(call))
}

/// The same call for ever.
pub fn repeat(call: Call) -> Calls<iter::Repeat<Call>> {
    calls(iter::repeat(call))
}

/// What a closure makes, for ever.
pub fn repeat_with<F: FnMut() -> Call>(make: F) -> Calls<iter::RepeatWith<F>> {
    calls(iter::repeat_with(make))
}

impl<I: Iterator<Item = Call> + Send> Generator for Calls<I> {
    fn next(&mut self, context: &Context) -> Next {
        if self.calls.peek().is_none() {
            return Next::Done;
        }
        let Some(worker) = context.first_free() else { return Next::Wait(Nanos::MAX) };
        self.calls.next().map_or(Next::Done, |call| Next::Call(worker.process, call))
    }
}

/// Another generator's calls, changed. See [`crate::Chain::map`].
pub struct Map<G, F> {
    pub(crate) inner: G,
    pub(crate) change: F,
}

impl<G: Generator, F: FnMut(Call) -> Call + Send> Generator for Map<G, F> {
    fn next(&mut self, context: &Context) -> Next {
        match self.inner.next(context) {
            Next::Call(process, call) => Next::Call(process, (self.change)(call)),
            other => other,
        }
    }

    fn update(&mut self, context: &Context, event: &Event) {
        self.inner.update(context, event);
    }
}
