//! Who holds locks: each client acquires one, holds it for a while, and lets it go, again and again.
//!
//! Unlike other loads this one listens: a lock is released only by who got it,
//! so what is called depends on the answers, and a seed fixes only the choices.
//! A client of unknown outcome is never heard of again, and neither is the lock
//! that it may hold; so after some rounds fresh locks take their places.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tribunal_generator::{Boxed, Chain, Context, Generator, Next, Rng, Seed, Worker, each_process};
use tribunal_history::{Call, Event, Kind, Nanos, Process, Value};

use crate::WorkloadError;
use crate::options::Options;

/// How locks are held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holding {
    /// Locks at a time.
    keys: u64,
    /// How often locks are asked for before fresh ones take their places; 0 for never.
    rounds: u64,
    /// The longest that a lock is held, and that a client is idle between two.
    hold: Duration,
    idle: Duration,
    /// What a holder does meanwhile.
    meanwhile: Meanwhile,
    /// How long that takes.
    every: Duration,
}

/// What a holder does while it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meanwhile {
    /// Nothing.
    Nothing,
    /// It renews its lease.
    Renew,
    /// It writes, under its token, to what the lock guards.
    Write,
}

impl Holding {
    /// The options `keys`, `rounds`, `hold_ms` and `idle_ms`, and `every_ms` where something is done meanwhile.
    pub(crate) fn choose(
        options: &mut Options,
        hold: u64,
        meanwhile: Meanwhile,
    ) -> Result<Self, WorkloadError> {
        let mut millis =
            |name, default| options.number(name, default, 1..=600_000).map(Duration::from_millis);
        let hold = millis("hold_ms", hold)?;
        let idle = millis("idle_ms", 100)?;
        let every = match meanwhile {
            Meanwhile::Nothing => Duration::MAX,
            _ => millis("every_ms", 50)?,
        };
        let keys = options.number("keys", 3, 1..=10_000)?;
        let rounds = options.number("rounds", 100, 0..=1_000_000)?;
        Ok(Self { keys, rounds, hold, idle, meanwhile, every })
    }

    /// Locks at a time.
    pub(crate) fn keys(self) -> u64 {
        self.keys
    }

    /// The load.
    pub(crate) fn load(self, seed: Seed, stream: &'static str) -> Boxed {
        let shared = Arc::new(Shared::default());
        each_process(move |worker: &Worker| {
            let rng = seed.stream(&format!("{stream} {}", worker.process));
            let place = Place::Away { until: 0 };
            let process = worker.process;
            Holder { holding: self, shared: shared.clone(), rng, process, place, key: 0 }.boxed()
        })
        .boxed()
    }
}

/// What all holders have in common.
#[derive(Debug, Default)]
struct Shared {
    /// How often any lock was asked for.
    asked: AtomicU64,
    /// How many values were written.
    written: AtomicU64,
}

/// One client.
struct Holder {
    holding: Holding,
    shared: Arc<Shared>,
    rng: Rng,
    process: Process,
    place: Place,
    /// The lock that is asked for or held.
    key: u64,
}

/// Where a client is.
enum Place {
    /// It holds nothing, and does nothing until then.
    Away { until: Nanos },
    /// It has asked.
    Asking,
    /// It holds the lock until then.
    Inside { token: Value, until: Nanos, busy: Nanos },
    /// It lets go.
    Leaving,
}

impl Holder {
    fn some(&mut self, most: Duration) -> Nanos {
        let most = Nanos::try_from(most.as_nanos()).unwrap_or(Nanos::MAX);
        self.rng.between(most / 4, most)
    }

    fn acquire(&mut self) -> Call {
        let Holding { keys, rounds, .. } = self.holding;
        let asked = self.shared.asked.fetch_add(1, Ordering::Relaxed);
        let generation = asked.checked_div(rounds * keys).unwrap_or(0);
        self.key = generation * keys + self.rng.below(keys);
        self.place = Place::Asking;
        self.call("acquire")
    }

    fn call(&self, f: &str) -> Call {
        Call::new(f).key(self.key.to_string())
    }

    /// What a holder does meanwhile.
    fn work(&self, token: &Value) -> Call {
        if self.holding.meanwhile == Meanwhile::Renew {
            return self.call("renew").value(under(token, None));
        }
        let value = self.shared.written.fetch_add(1, Ordering::Relaxed) + 1;
        self.call("write").value(under(token, Some(value)))
    }
}

/// `{"token": n}`, and the value where there is one.
fn under(token: &Value, value: Option<u64>) -> Value {
    let mut fields = vec![("token".to_owned(), token.clone())];
    fields.extend(value.map(|value| ("value".to_owned(), Value::from(value))));
    Value::Object(fields.into_iter().collect())
}

impl Generator for Holder {
    fn next(&mut self, context: &Context) -> Next {
        let now = context.time;
        if context.free.is_empty() {
            return Next::Wait(Nanos::MAX);
        }
        let call = match &mut self.place {
            Place::Away { until } if now < *until => return Next::Wait(*until),
            Place::Away { .. } => self.acquire(),
            Place::Inside { until, token, .. } if now >= *until => {
                let token = std::mem::take(token);
                self.place = Place::Leaving;
                let call = self.call("release");
                if token.is_null() { call } else { call.value(under(&token, None)) }
            }
            Place::Inside { until, busy, .. } if now < *busy => {
                return Next::Wait((*busy).min(*until));
            }
            Place::Inside { busy, token, .. } => {
                *busy = now.saturating_add(self.holding.every.as_nanos() as Nanos);
                let token = token.clone();
                self.work(&token)
            }
            Place::Asking | Place::Leaving => return Next::Wait(Nanos::MAX),
        };
        Next::Call(self.process, call)
    }

    fn update(&mut self, context: &Context, event: &Event) {
        if event.process != self.process || event.kind == Kind::Invoke {
            return;
        }
        let ok = event.kind == Kind::Ok && event.value != Value::Bool(false);
        match (&self.place, &*event.f) {
            (Place::Asking, "acquire") if ok => {
                let token = event.value.get("token").cloned().unwrap_or_default();
                let until = context.time + self.some(self.holding.hold);
                let busy = match self.holding.meanwhile {
                    Meanwhile::Nothing => Nanos::MAX,
                    _ => context.time + self.holding.every.as_nanos() as Nanos,
                };
                self.place = Place::Inside { token, until, busy };
            }
            // A write that is refused tells a holder that it is none any more; and so does a renewal.
            (Place::Inside { .. }, "renew" | "write") if ok => {}
            _ => self.place = Place::Away { until: context.time + self.some(self.holding.idle) },
        }
    }
}
