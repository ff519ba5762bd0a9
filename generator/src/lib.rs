//! Generators decide what is called next, by whom and when.
//!
//! A [`Generator`] is a pure state machine: no clock, no I/O, and chance only
//! from a [`Rng`] stream that it was given when it was made. It is asked for the
//! next call whenever something may have changed (a worker became free, time
//! went by), and told of every event. It does not make calls (the harness's
//! interpreter does) and knows nothing of clients or clusters.
//!
//! # A tutorial
//!
//! Calls come from an iterator or a closure. The client that has been idle for
//! the longest makes each of them. [`simulation`] runs a generator without any
//! cluster and returns the history.
//!
//! ```
//! use tribunal_generator::{Chain, Seed, repeat, repeat_with, simulation::Simulation};
//! use tribunal_history::Call;
//!
//! let mut value = 0;
//! let writes = repeat_with(move || {
//!     value += 1;
//!     Call::new("write").value(value)
//! });
//! let history = Simulation::new(&["n1", "n2"], 4).quick(writes.limit(3));
//! assert_eq!(history.len(), 6); // three invocations, three completions
//! # let _ = (repeat(Call::new("read")), Seed(1));
//! ```
//!
//! [`mix`] chooses among several, [`Chain::stagger`] spreads calls over time as
//! a Poisson process does, and [`Chain::time_limit`] ends them. Everything that
//! is random takes a named stream of the run's seed:
//!
//! ```
//! use std::time::Duration;
//! use tribunal_generator::{Chain, Seed, mix, repeat, simulation::Simulation};
//! use tribunal_history::Call;
//!
//! let seed = Seed(7);
//! let read = repeat(Call::new("read"));
//! let cas = repeat(Call::new("cas").value(vec![1, 2]));
//! let calls = mix(seed.stream("mix"), [read.boxed(), cas.boxed()])
//!     .stagger(seed.stream("stagger"), Duration::from_millis(2))
//!     .time_limit(Duration::from_secs(1));
//! let history = Simulation::new(&["n1"], 10).perfect(Duration::from_millis(5), calls);
//! assert!((400..600).contains(&(history.len() / 2)));
//! ```
//!
//! [`phases`] puts generators behind each other, with a barrier between them;
//! [`clients`] and [`nemesis`] say who makes which; [`any`] lets whoever can go
//! now. [`each_node`] makes one generator for every node, and
//! [`Chain::until_ok`] repeats until a call has succeeded: together they are a
//! run's last reads.
//!
//! ```
//! use std::time::Duration;
//! use tribunal_generator::{Chain, any, clients, each_node, nemesis, once, phases, repeat, sleep};
//! use tribunal_generator::simulation::Simulation;
//! use tribunal_history::Call;
//!
//! let second = Duration::from_secs(1);
//! let load = repeat(Call::new("write")).delay(second / 10).time_limit(second * 3);
//! let fault = sleep(second).then(once(Call::new("pause")));
//! let read = move || repeat(Call::new("read")).delay(second / 4).limit(20).until_ok();
//! let run = phases([
//!     any([clients(load).boxed(), nemesis(fault).boxed()]).boxed(),
//!     each_node(move |_node| read().boxed()).boxed(),
//! ]);
//! let history = Simulation::new(&["n1", "n2", "n3"], 6).with_nemesis().quick(run);
//! let reads = history.iter().filter(|event| &*event.f == "read");
//! assert_eq!(reads.count(), 6); // one a node, and its completion
//! ```
//!
//! [`each_worker`], [`reserve`] and [`on_workers`] deal the clients out, [`cycle`] begins again,
//! [`cycle_times`] takes turns on a schedule, and [`Chain::on_update`] reacts to what happens. Who
//! comes from Jepsen finds all its words beside ours in GLOSSARY.md.
//!
//! # Writing one
//!
//! - An answer of [`Next::Call`] is a promise that the call is made at once, so
//!   there is nothing to undo, and a generator may not be asked on trial. That
//!   is why there is no `filter`: to what is inside, a call that is left out would be
//!   one that was made and is never answered (a limit has counted it, `until_ok` and
//!   `retry` take the caller's next answer for that of theirs). Filter the iterator
//!   that the calls come from instead.
//! - Where nobody is free the answer is no call. So a generator may be asked on trial
//!   with a context in which nobody is, to learn whether it is done.
//! - Who hands on a narrower context keeps the order of [`Context::all`], both in
//!   `next` and in `update`: what is inside knows workers by their places.
//! - Chance is drawn only for what is returned or kept until it can be. Then the
//!   n-th call is the same however often one asks, and a seed fixes the calls.
//! - What counts time does so from its first ask, which under [`any`] and its kin
//!   is when nobody before it has a call to make.
//! - To sleep is to answer `Wait(time)`; the time is absolute and in the future.
//!   `Wait(Nanos::MAX)` means "until an event". When no call is open there will
//!   be no event, so that the interpreter stops with an error.
//! - [`Generator::update`] is told of *every* event. A generator that looks for
//!   the end of its own calls keeps the processes that it answered with.

mod bounds;
mod calls;
mod chain;
mod choice;
mod concurrency;
mod cycle;
mod cycle_times;
mod each;
pub mod keys;
mod narrow;
mod on_update;
mod order;
mod reserve;
mod retry;
mod seed;
pub mod simulation;
mod timing;
mod who;

use std::time::Duration;

use tribunal_history::{Call, Event, Name, Nanos, Process};

pub use bounds::{Limit, TimeLimit, Until};
pub use calls::{Calls, Map, calls, once, repeat, repeat_with};
pub use chain::Chain;
pub use choice::{Any, FlipFlop, Mix, ShortestAny, any, flip_flop, mix, shortest_any, weighted};
pub use concurrency::{ConcurrencyLimit, ProcessLimit};
pub use cycle::{Cycle, cycle};
pub use cycle_times::{CycleTimes, cycle_times};
pub use each::{EachNode, EachProcess, EachWorker, each_node, each_process, each_worker};
pub use on_update::OnUpdate;
pub use order::{Sequence, Synchronize, phases, sequence, synchronize};
pub use reserve::{Reserve, reserve};
pub use retry::{Policy, Retry};
pub use seed::{Rng, Seed};
pub use timing::{Delay, Pace, Sleep, Stagger, sleep};
pub use who::{OnWorkers, Only, clients, nemesis, on_node, on_workers};

/// A process that could make a call, and where its calls go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Worker {
    /// The process number it goes under now; `Process::Nemesis` for the nemesis.
    pub process: Process,
    /// The node its client is bound to; `None` for the nemesis.
    pub node: Option<Name>,
}

/// What a generator may know of the run when it is asked.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Now, in nanoseconds since the run began; inside [`cycle_times`], of its own turns.
    pub time: Nanos,
    /// Workers with no call open, the longest idle first.
    pub free: &'a [Worker],
    /// All workers, always in the same order: a worker whose process is retired
    /// keeps its place and its node, and goes on under another number.
    pub all: &'a [Worker],
}

impl<'a> Context<'a> {
    /// Who makes a call that anybody may make: the client that has been idle for
    /// the longest. The nemesis does only where there are no clients at all,
    /// which is inside [`nemesis`].
    pub fn first_free(&self) -> Option<&'a Worker> {
        let is_client = |worker: &&Worker| worker.process.is_client();
        match self.all.iter().any(|worker| worker.process.is_client()) {
            true => self.free.iter().find(is_client),
            false => self.free.first(),
        }
    }

    /// Whether no call is open.
    pub fn all_are_free(&self) -> bool {
        self.free.len() == self.all.len()
    }
}

/// A generator's answer.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// This process, which is free, makes this call now. It will: there is
    /// nothing to undo.
    Call(Process, Call),
    /// Nothing now; ask again at this time (absolute), or at the next event.
    Wait(Nanos),
    /// Nothing any more.
    Done,
}

/// Decides the next call.
///
/// Ask-and-answer must not consume chance unless the answer is a `Call`, so that
/// the n-th call is the same however often a generator is asked. Once `Done`, it
/// is not asked again.
pub trait Generator: Send {
    /// What now? `Wait(Nanos::MAX)` means "until something happens".
    fn next(&mut self, context: &Context) -> Next;

    /// An event of the run, invocations included, whoever's call it is. In
    /// `context` the event has happened: who was called on is not free any more,
    /// who has answered is, under a new number if its process is retired.
    fn update(&mut self, context: &Context, event: &Event) {
        let _ = (context, event);
    }
}

/// A generator of any kind.
pub type Boxed = Box<dyn Generator>;

impl Generator for Boxed {
    fn next(&mut self, context: &Context) -> Next {
        (**self).next(context)
    }

    fn update(&mut self, context: &Context, event: &Event) {
        (**self).update(context, event);
    }
}

/// A duration on the run's clock.
fn nanos(duration: Duration) -> Nanos {
    Nanos::try_from(duration.as_nanos()).unwrap_or(Nanos::MAX)
}
