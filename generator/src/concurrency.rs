//! How many: calls at once, and processes ever.

use tribunal_history::{Event, Kind, Nanos, Process};

use crate::narrow::Narrow;
use crate::{Context, Generator, Next};

/// At most so many calls open at once. See [`crate::Chain::concurrency_limit`].
pub struct ConcurrencyLimit<G> {
    pub(crate) inner: G,
    pub(crate) calls: usize,
    /// Who has a call of ours open. A process has one call open at most.
    pub(crate) open: Vec<Process>,
}

impl<G: Generator> Generator for ConcurrencyLimit<G> {
    fn next(&mut self, context: &Context) -> Next {
        if self.calls == 0 {
            return Next::Done;
        }
        if self.open.len() >= self.calls {
            return Next::Wait(Nanos::MAX);
        }
        let next = self.inner.next(context);
        if let Next::Call(process, _) = next {
            self.open.push(process);
        }
        next
    }

    fn update(&mut self, context: &Context, event: &Event) {
        if event.kind != Kind::Invoke {
            self.open.retain(|process| *process != event.process);
        }
        self.inner.update(context, event);
    }
}

/// Calls of at most so many processes. See [`crate::Chain::process_limit`].
pub struct ProcessLimit<G> {
    inner: G,
    processes: usize,
    /// Who has called.
    seen: Vec<Process>,
    narrow: Narrow,
}

impl<G> ProcessLimit<G> {
    pub(crate) fn new(inner: G, processes: usize) -> Self {
        Self { inner, processes, seen: Vec::new(), narrow: Narrow::default() }
    }

    /// Runs `ask` on the inner generator with as many clients as may ever call: the first ones.
    /// The nemesis, which is never retired, is let through.
    fn narrowed<T>(
        &mut self,
        context: &Context,
        ask: impl FnOnce(&mut G, &[Process], &Context) -> T,
    ) -> T {
        let mut clients = 0..self.processes;
        let narrow = self
            .narrow
            .by_place(context, |_, worker| !worker.process.is_client() || clients.next().is_some());
        ask(&mut self.inner, &self.seen, &narrow)
    }
}

impl<G: Generator> Generator for ProcessLimit<G> {
    fn next(&mut self, context: &Context) -> Next {
        let full = self.seen.len() >= self.processes;
        let next = self.narrowed(context, |inner, seen, context| {
            let is_new = |process: Process| process.is_client() && !seen.contains(&process);
            let over = full && context.all.iter().any(|worker| is_new(worker.process));
            if over { Next::Done } else { inner.next(context) }
        });
        if let Next::Call(process, _) = next
            && process.is_client()
            && !self.seen.contains(&process)
        {
            self.seen.push(process);
        }
        next
    }

    fn update(&mut self, context: &Context, event: &Event) {
        self.narrowed(context, |inner, _, context| inner.update(context, event));
    }
}
