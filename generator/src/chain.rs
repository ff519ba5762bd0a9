//! Combinators in method form, as iterators have them.

use std::time::Duration;

use tribunal_history::{Call, Event, Kind, Name};

use crate::{
    Boxed, ConcurrencyLimit, Context, Delay, Generator, Limit, Map, OnUpdate, Only, Pace, Policy,
    ProcessLimit, Retry, Rng, Sequence, Stagger, TimeLimit, Until, nanos, on_node, sequence,
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

    /// Calls of at most so many processes, and so of as many clients at once: the first ones. When
    /// all have called and one of them is retired, it is done, instead of trickling on with the rest.
    fn process_limit(self, processes: usize) -> ProcessLimit<Self> {
        ProcessLimit::new(self, processes)
    }

    /// At most so many of its calls open at once. Whoever else's calls are open does not matter.
    fn concurrency_limit(self, calls: usize) -> ConcurrencyLimit<Self> {
        ConcurrencyLimit { inner: self, calls, open: Vec::new() }
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

    /// Its calls, of other functions: for calls that are made by one name and answered by another.
    /// Events have the new names.
    fn f_map<N, F>(self, mut rename: F) -> Map<Self, impl FnMut(Call) -> Call + Send>
    where
        N: Into<Name>,
        F: FnMut(&str) -> N + Send,
    {
        self.map(move |mut call| {
            call.f = rename(&call.f).into();
            call
        })
    }

    /// Changed by events: `react` is called after each event of the run, whoever's it is, when the
    /// generator itself has been told of it. It may put another one in its place, which needs a
    /// [`Boxed`] one. What is done stays done: a generator that an event is to give more must wait
    /// for it.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use tribunal_generator::{Chain, calls, repeat, simulation::{Answer, Simulation}};
    /// # use tribunal_history::{Call, Kind};
    /// // Writes until one fails, then a look at what is there.
    /// let writes = repeat(Call::new("write")).delay(Duration::from_millis(1)).boxed();
    /// let run = writes.on_update(|generator, _, event| {
    ///     if event.kind == Kind::Fail && &*event.f == "write" {
    ///         *generator = calls([Call::new("look")]).boxed();
    ///     }
    /// });
    /// let mut room = 2;
    /// let history = Simulation::new(&["n1"], 1).run(run, |attempt| {
    ///     room -= 1;
    ///     if room < 0 && &*attempt.call.f == "write" { Answer::fail("full") } else { Answer::ok(1) }
    /// });
    /// let made = history.iter().filter(|event| event.kind == Kind::Invoke);
    /// assert_eq!(made.map(|event| &*event.f).collect::<Vec<_>>(), ["write", "write", "write", "look"]);
    /// ```
    fn on_update<F>(self, react: F) -> OnUpdate<Self, F>
    where
        F: FnMut(&mut Self, &Context, &Event) + Send,
    {
        OnUpdate { inner: self, react }
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
