//! Calls that failed are made again: what a cautious client does, and what turns a slow database
//! into a dead one when all clients do it at once.
//!
//! Only a call that certainly did not happen is made again, as a call of its own: one of unknown
//! outcome might happen twice. Each carries `"ext": {"retry": n}`, so that what retries add to the
//! load is counted.

use std::time::Duration;

use tribunal_history::{Call, Event, Kind, Nanos, Process};

use crate::{Context, Generator, Next, Rng, nanos};

/// How often, and after how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Policy {
    /// At most so many times.
    pub times: u32,
    /// Before the first time; doubled with each further one.
    pub backoff: Duration,
    /// The share of that which is left to chance, from 0 to 1: without any, all who failed together
    /// come again together.
    pub jitter: f64,
}

/// Calls that are made again. See [`crate::Chain::retry`].
pub struct Retry<G> {
    inner: G,
    policy: Policy,
    rng: Rng,
    /// Our open calls, and how often each was made again.
    open: Vec<(Process, Call, u32)>,
    /// What is to be made again, and when.
    due: Vec<(Nanos, Call, u32)>,
    /// The inner one has no more.
    done: bool,
}

impl<G> Retry<G> {
    pub(crate) fn new(inner: G, rng: Rng, policy: Policy) -> Self {
        Self { inner, policy, rng, open: Vec::new(), due: Vec::new(), done: false }
    }

    fn again(&mut self, time: Nanos, call: Call, made: u32) {
        if made >= self.policy.times {
            return;
        }
        let backoff = nanos(self.policy.backoff).saturating_mul(1 << made.min(20));
        let chance = self.policy.jitter.clamp(0.0, 1.0) * self.rng.fraction();
        let wait = (backoff as f64 * (1.0 - chance)) as Nanos;
        self.due.push((time.saturating_add(wait), call, made + 1));
    }

    /// What is due and the soonest; where nothing is, when something will be.
    fn take(&mut self, now: Nanos) -> Result<(Call, u32), Option<Nanos>> {
        let soonest = (0..self.due.len()).min_by_key(|&at| self.due[at].0);
        match soonest {
            Some(at) if self.due[at].0 <= now => {
                let (_, call, made) = self.due.remove(at);
                Ok((call, made))
            }
            other => Err(other.map(|at| self.due[at].0)),
        }
    }
}

impl<G: Generator> Generator for Retry<G> {
    fn next(&mut self, context: &Context) -> Next {
        let later = match context.first_free() {
            None => None,
            Some(worker) => match self.take(context.time) {
                Ok((call, made)) => {
                    self.open.push((worker.process, call.clone(), made));
                    return Next::Call(worker.process, call.mark("retry", made));
                }
                Err(later) => later,
            },
        };
        if !self.done {
            match self.inner.next(context) {
                Next::Call(process, call) => {
                    self.open.push((process, call.clone(), 0));
                    return Next::Call(process, call);
                }
                Next::Wait(until) => return Next::Wait(until.min(later.unwrap_or(Nanos::MAX))),
                Next::Done => self.done = true,
            }
        }
        match later {
            None if self.open.is_empty() && self.due.is_empty() => Next::Done,
            later => Next::Wait(later.unwrap_or(Nanos::MAX)),
        }
    }

    fn update(&mut self, context: &Context, event: &Event) {
        if event.kind != Kind::Invoke
            && let Some(at) = self.open.iter().position(|(process, ..)| *process == event.process)
        {
            let (_, call, made) = self.open.swap_remove(at);
            if event.kind == Kind::Fail {
                self.again(context.time, call, made);
            }
        }
        self.inner.update(context, event);
    }
}
