//! When it is enough: after so many calls, so much time, or one success.

use tribunal_history::{Event, Kind, Nanos, Process};

use crate::{Context, Generator, Next};

/// At most so many calls. See [`crate::Chain::limit`].
pub struct Limit<G> {
    pub(crate) inner: G,
    pub(crate) left: u64,
}

impl<G: Generator> Generator for Limit<G> {
    fn next(&mut self, context: &Context) -> Next {
        if self.left == 0 {
            return Next::Done;
        }
        let next = self.inner.next(context);
        if matches!(next, Next::Call(..)) {
            self.left -= 1;
        }
        next
    }

    fn update(&mut self, context: &Context, event: &Event) {
        self.inner.update(context, event);
    }
}

/// No call later than so long after it was first asked. See [`crate::Chain::time_limit`].
pub struct TimeLimit<G> {
    pub(crate) inner: G,
    pub(crate) length: Nanos,
    pub(crate) end: Option<Nanos>,
}

impl<G: Generator> Generator for TimeLimit<G> {
    fn next(&mut self, context: &Context) -> Next {
        let end = *self.end.get_or_insert(context.time.saturating_add(self.length));
        if context.time >= end {
            return Next::Done;
        }
        match self.inner.next(context) {
            Next::Wait(until) => Next::Wait(until.min(end)),
            other => other,
        }
    }

    fn update(&mut self, context: &Context, event: &Event) {
        self.inner.update(context, event);
    }
}

/// Until one of its own calls has ended as is wished. See [`crate::Chain::until`].
pub struct Until<G, F> {
    pub(crate) inner: G,
    pub(crate) enough: F,
    /// Who has a call of ours open. A process has one call open at most, so its
    /// next completion is that of ours.
    pub(crate) open: Vec<Process>,
    pub(crate) ended: bool,
}

impl<G: Generator, F: FnMut(&Event) -> bool + Send> Generator for Until<G, F> {
    fn next(&mut self, context: &Context) -> Next {
        if self.ended {
            return Next::Done;
        }
        let next = self.inner.next(context);
        if let Next::Call(process, _) = next {
            self.open.push(process);
        }
        next
    }

    fn update(&mut self, context: &Context, event: &Event) {
        if event.kind != Kind::Invoke
            && let Some(ours) = self.open.iter().position(|process| *process == event.process)
        {
            self.open.swap_remove(ours);
            self.ended |= (self.enough)(event);
        }
        self.inner.update(context, event);
    }
}
