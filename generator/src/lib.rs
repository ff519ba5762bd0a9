//! Generators decide what is called next, by whom and when.
//!
//! A [`Generator`] is a pure state machine: no clock, no I/O, and chance only
//! from a [`Rng`] stream that it was given when it was made. It is asked for the
//! next call whenever something may have changed (a worker became free, time
//! went by), and told of every event. It does not make calls (the harness's
//! interpreter does) and knows nothing of clients or clusters.

mod seed;

use tribunal_history::{Call, Event, Name, Nanos, Process};

pub use seed::{Rng, Seed};

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
    /// Now, in nanoseconds since the run began.
    pub time: Nanos,
    /// Workers with no call open, the longest idle first.
    pub free: &'a [Worker],
    /// All workers.
    pub all: &'a [Worker],
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
/// the n-th call is the same however often a generator is asked.
pub trait Generator: Send {
    /// What now? `Wait(Nanos::MAX)` means "until something happens".
    fn next(&mut self, context: &Context) -> Next;

    /// An event of the run, invocations included, whoever's call it is.
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
