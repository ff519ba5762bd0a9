//! Combinators in method form, as iterators have them.

use std::time::Duration;

use tribunal_history::{Call, Event, Kind, Name};

use crate::{
    Boxed, Delay, Generator, Limit, Map, Only, Pace, Policy, ProcessLimit, Retry, Rng, Sequence,
    Stagger, TimeLimit, Until, nanos, on_node, sequence,
};

/// What can be put around any generator.
pub trait Chain: Generator + Sized {
    /// At most `calls` calls.
    fn limit(self, calls: u64) -> Limit<Self> {
        Limit { inner: self, left: calls }
    }

    /// No call any more when `length` has passed since it was first asked.
    fn time_limit(self, length: Duration) -> TimeLimit<Self> {
        TimeLimit { inner: self, length: nanos(length), end: None }
    }

    /// Until one of its own calls is ok, or it has no more. Whoever else's calls
    /// succeed does not matter. Pace it with [`Chain::delay`], so that a node
    /// that refuses at once is not hammered, and bound it with [`Chain::limit`].
    fn until_ok(self) -> Until<Self, fn(&Event) -> bool> {
        self.until(|event| event.kind == Kind::Ok)
    }

    /// Until one of its own calls has ended as `enough` wishes, or it has no more.
    fn until<F: FnMut(&Event) -> bool + Send>(self, enough: F) -> Until<Self, F> {
        Until { inner: self, enough, open: Vec::new(), ended: false }
    }

    /// Spread over time as a Poisson process, with gaps of `mean` on average.
    ///
    /// The load is open: the time planned for the n-th call depends on the seed
    /// and on the first ask only. Calls that are late, because all workers were
    /// busy, are made up for as soon as they are not.
    fn stagger(self, rng: Rng, mean: Duration) -> Stagger<Self> {
        Stagger::new(self, rng, mean, Pace::Steady)
    }

    /// The same, at a rate that changes over time: `mean` is the gap where it is highest.
    fn paced(self, rng: Rng, mean: Duration, pace: Pace) -> Stagger<Self> {
        Stagger::new(self, rng, mean, pace)
    }

    /// Calls that failed are made again, by whoever is free then.
    fn retry(self, rng: Rng, policy: Policy) -> Retry<Self> {
        Retry::new(self, rng, policy)
    }

    /// Calls of at most so many processes: when they are retired, it is done.
    fn process_limit(self, processes: usize) -> ProcessLimit<Self> {
        ProcessLimit { inner: self, processes, seen: Vec::new() }
    }

    /// Each call at least `gap` after the one before it; the first one at once.
    fn delay(self, gap: Duration) -> Delay<Self> {
        Delay { inner: self, gap: nanos(gap), due: 0 }
    }

    /// Then, when this one is done, that one; its calls may overlap with the
    /// last of this one ([`crate::phases`] has a barrier).
    fn then(self, next: impl Generator + 'static) -> Sequence
    where
        Self: 'static,
    {
        sequence([self.boxed(), next.boxed()])
    }

    /// Its calls only by workers that are bound to `node`.
    fn on_node(self, node: impl Into<Name>) -> Only<Self> {
        on_node(node, self)
    }

    /// Its calls, changed.
    fn map<F: FnMut(Call) -> Call + Send>(self, change: F) -> Map<Self, F> {
        Map { inner: self, change }
    }

    /// As a value of the one type that all generators can have.
    fn boxed(self) -> Boxed
    where
        Self: 'static,
    {
        Box::new(self)
    }
}

impl<G: Generator> Chain for G {}
