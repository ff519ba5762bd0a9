//! Some clients for one thing, the others for another: so that slow calls of one kind do not keep
//! those of another from being made.

use std::ops::Range;

use tribunal_history::{Event, Nanos};

use crate::narrow::Narrow;
use crate::{Boxed, Context, Generator, Next};

/// Clients that are set aside. See [`reserve`].
pub struct Reserve {
    parts: Vec<Part>,
}

struct Part {
    /// Which of the clients, counted in the order of all workers.
    clients: Range<usize>,
    /// `None` when it is done.
    generator: Option<Boxed>,
    narrow: Narrow,
}

/// The first so many clients for the first of `parts`, the next for the next, and the `others` for all
/// other clients. A worker whose process is retired keeps its place.
pub fn reserve(parts: impl IntoIterator<Item = (usize, Boxed)>, others: Boxed) -> Reserve {
    let mut from = 0_usize;
    let all = parts.into_iter().chain([(usize::MAX, others)]).map(|(count, generator)| {
        let clients = from..from.saturating_add(count);
        from = clients.end;
        Part { clients, generator: Some(generator), narrow: Narrow::default() }
    });
    Reserve { parts: all.collect() }
}

impl Part {
    /// Runs `ask` on the generator, if it is not done, with its own clients only.
    fn narrowed<T>(
        &mut self,
        context: &Context,
        ask: impl FnOnce(&mut Boxed, &Context) -> T,
    ) -> Option<T> {
        let generator = self.generator.as_mut()?;
        let mut clients = 0..;
        let ours = self.narrow.by_place(context, |_, worker| {
            worker.process.is_client()
                && clients.next().is_some_and(|client| self.clients.contains(&client))
        });
        Some(ask(generator, &ours))
    }
}

impl Generator for Reserve {
    fn next(&mut self, context: &Context) -> Next {
        let mut soonest = None;
        for part in &mut self.parts {
            match part.narrowed(context, |generator, context| generator.next(context)) {
                None => {}
                Some(Next::Call(process, call)) => return Next::Call(process, call),
                Some(Next::Wait(until)) => {
                    soonest = Some(until.min(soonest.unwrap_or(Nanos::MAX)));
                }
                Some(Next::Done) => part.generator = None,
            }
        }
        soonest.map_or(Next::Done, Next::Wait)
    }

    fn update(&mut self, context: &Context, event: &Event) {
        for part in &mut self.parts {
            part.narrowed(context, |generator, context| generator.update(context, event));
        }
    }
}
