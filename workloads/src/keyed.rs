//! Calls on keys that are replaced by fresh ones, and the last reads of them.
//!
//! A key that has had its share of calls is left as it is: each stays cheap to
//! judge, and calls that crashed do not pile up.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tribunal_generator::{Boxed, Chain, Rng, Seed, each_node, keys, repeat, repeat_with, sequence};
use tribunal_history::Call;

use crate::WorkloadError;
use crate::options::Options;

/// How many keys, and how long each is called on.
#[derive(Clone, Copy, Debug)]
pub struct Keyed {
    /// Keys at a time.
    pub at_once: u64,
    /// Calls on a key before a fresh one takes its place.
    pub calls_per_key: u64,
    /// Zipf's exponent, in hundredths.
    skew: u64,
}

impl Keyed {
    /// The options `keys` and `calls_per_key`, with these defaults, and `skew`.
    pub fn choose(
        options: &mut Options,
        at_once: u64,
        calls_per_key: u64,
    ) -> Result<Self, WorkloadError> {
        let at_once = options.number("keys", at_once, 1..=10_000)?;
        let calls_per_key = options.number("calls_per_key", calls_per_key, 1..=1_000_000)?;
        let skew = options.number("skew", 0, 0..=1000)?;
        Ok(Self { at_once, calls_per_key, skew })
    }

    /// The load: keys by turns at random, and on each the calls of what `make` makes of its number
    /// and its own stream of chance.
    pub fn load<C>(
        self,
        seed: Seed,
        stream: &'static str,
        mut make: impl FnMut(u64, Rng) -> C + Send + 'static,
    ) -> (Boxed, Begun)
    where
        C: FnMut() -> Call + Send + 'static,
    {
        let begun = Begun { keys: Arc::default(), at_once: self.at_once };
        let count = begun.keys.clone();
        let calls = move |key: u64| {
            count.fetch_max(key + 1, Ordering::Relaxed);
            repeat_with(make(key, seed.stream(&format!("{stream} {key}")))).boxed()
        };
        let (at_once, each) = (self.at_once as usize, self.calls_per_key);
        let turns = seed.stream(&format!("{stream}s"));
        let skew = self.skew as f64 / 100.0;
        (keys::independent(turns, at_once, each, calls).skewed(skew).boxed(), begun)
    }
}

/// The keys that a load has begun with.
#[derive(Clone, Debug)]
pub struct Begun {
    keys: Arc<AtomicU64>,
    at_once: u64,
}

impl Begun {
    /// All of them.
    pub fn all(&self) -> Range<u64> {
        0..self.keys.load(Ordering::Relaxed)
    }

    /// Those that were called last.
    pub fn newest(&self) -> Range<u64> {
        let all = self.all();
        all.end.saturating_sub(self.at_once)..all.end
    }
}

/// How the last reads of a node are paced and bounded: a node may be dead for good.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// Between two tries of a read.
    pub apart: Duration,
    /// How often a read is tried.
    pub tries: u64,
    /// For all last reads of a node.
    pub time: Duration,
}

impl Patience {
    /// The option `final_seconds`.
    pub fn choose(options: &mut Options, seconds: u64) -> Result<Self, WorkloadError> {
        let seconds = options.number("final_seconds", seconds, 1..=3600)?;
        let (apart, tries) = (Duration::from_millis(200), 10);
        Ok(Self { apart, tries, time: Duration::from_secs(seconds) })
    }

    /// On every node, for every one of `keys`: `read` of it, until it is ok.
    pub fn reads(
        self,
        keys: impl Fn() -> Range<u64> + Send + 'static,
        read: impl Fn(u64) -> Call + Send + 'static,
    ) -> Boxed {
        each_node(move |_node| {
            let until_ok = |key| {
                let call = read(key).mark("final", true);
                repeat(call).delay(self.apart).limit(self.tries).until_ok().boxed()
            };
            // Asked for only now: the load is over, and all keys are known.
            sequence(keys().map(until_ok)).time_limit(self.time).boxed()
        })
        .boxed()
    }
}
