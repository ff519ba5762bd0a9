//! Some clients for one thing, the others for another: so that slow calls of one kind do not keep
//! those of another from being made.

use tribunal_history::{Event, Nanos};

use crate::{Boxed, Context, Generator, Next, Worker};

/// Clients that are set aside. See [`reserve`].
pub struct Reserve {
    /// How many clients each has; the last has all that are left.
    parts: Vec<(usize, Option<Boxed>)>,
}

/// The first so many clients for the first of `parts`, the next for the next, and the `others` for all
/// other clients. A worker whose process is retired keeps its place.
pub fn reserve(parts: impl IntoIterator<Item = (usize, Boxed)>, others: Boxed) -> Reserve {
    let mut parts: Vec<_> = parts.into_iter().map(|(count, part)| (count, Some(part))).collect();
    parts.push((usize::MAX, Some(others)));
    Reserve { parts }
}

impl Generator for Reserve {
    fn next(&mut self, context: &Context) -> Next {
        let clients: Vec<&Worker> =
            context.all.iter().filter(|worker| worker.process.is_client()).collect();
        let mut rest = &clients[..];
        let mut soonest = None;
        for (count, part) in &mut self.parts {
            let ours;
            (ours, rest) = rest.split_at((*count).min(rest.len()));
            let Some(generator) = part else { continue };
            let is_ours = |worker: &&Worker| ours.iter().any(|it| it.process == worker.process);
            let free: Vec<Worker> = context.free.iter().filter(is_ours).cloned().collect();
            let all: Vec<Worker> = ours.iter().copied().cloned().collect();
            match generator.next(&Context { time: context.time, free: &free, all: &all }) {
                Next::Call(process, call) => return Next::Call(process, call),
                Next::Wait(until) => soonest = Some(until.min(soonest.unwrap_or(Nanos::MAX))),
                Next::Done => *part = None,
            }
        }
        soonest.map_or(Next::Done, Next::Wait)
    }

    fn update(&mut self, context: &Context, event: &Event) {
        for part in self.parts.iter_mut().filter_map(|(_, part)| part.as_mut()) {
            part.update(context, event);
        }
    }
}
