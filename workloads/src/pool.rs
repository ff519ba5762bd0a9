//! The keys of transactions: a few at a time, some hotter than others, each replaced after so many writes.
//!
//! As Elle's generator has it: anomalies need keys that several write at once,
//! and a version order needs keys that are not written for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;
use tribunal_generator::{Boxed, Chain, Policy, Rng, calls, clients, each_node, repeat, sequence};
use tribunal_history::{Call, Value};

use crate::WorkloadError;
use crate::options::Options;

/// How keys are chosen, and how long transactions are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    keys: u64,
    writes_per_key: u64,
    least: u64,
    most: u64,
    /// Of reads and writes.
    weights: [u64; 2],
    final_seconds: u64,
}

impl Shape {
    /// The options `keys`, `writes_per_key`, `min_length`, `max_length`, `read`, `append` or
    /// `write`, and `final_seconds`.
    pub(crate) fn choose(
        options: &mut Options,
        write: &'static str,
    ) -> Result<Self, WorkloadError> {
        let keys = options.number("keys", 5, 1..=10_000)?;
        let writes_per_key = options.number("writes_per_key", 50, 1..=1_000_000)?;
        let least = options.number("min_length", 1, 1..=100)?;
        let most = options.number("max_length", 4, least..=100)?;
        let weights = options.weights([("read", 1), (write, 1)])?;
        let final_seconds = options.number("final_seconds", 10, 1..=3600)?;
        Ok(Self { keys, writes_per_key, least, most, weights, final_seconds })
    }

    /// Of single calls: the options `keys`, `writes_per_key`, `read` and `write`.
    pub(crate) fn of_single(options: &mut Options) -> Result<Self, WorkloadError> {
        let keys = options.number("keys", 5, 1..=10_000)?;
        let writes_per_key = options.number("writes_per_key", 50, 1..=1_000_000)?;
        let weights = options.weights([("read", 2), ("write", 1)])?;
        Ok(Self { keys, writes_per_key, least: 1, most: 1, weights, final_seconds: 10 })
    }
}

/// The keys as they are now.
pub(crate) struct Pool {
    shape: Shape,
    rng: Rng,
    /// Of each live key: its number, and how often it was written.
    live: Vec<(u64, u64)>,
    begun: Arc<AtomicU64>,
}

impl Pool {
    pub(crate) fn new(shape: Shape, rng: Rng) -> Self {
        let live = (0..shape.keys).map(|key| (key, 0)).collect();
        Self { shape, rng, live, begun: Arc::new(AtomicU64::new(shape.keys)) }
    }

    /// How many micro-operations the next transaction has.
    pub(crate) fn length(&mut self) -> u64 {
        self.rng.between(self.shape.least, self.shape.most)
    }

    /// Whether the next micro-operation writes.
    pub(crate) fn writes(&mut self) -> bool {
        let [read, write] = self.shape.weights;
        self.rng.below(read + write) >= read
    }

    /// A key to read.
    pub(crate) fn read(&mut self) -> u64 {
        let place = self.place();
        self.live[place].0
    }

    /// A key to write, and the how-many-eth value of it that will be, from 1.
    pub(crate) fn write(&mut self) -> (u64, u64) {
        let place = self.place();
        if self.live[place].1 == self.shape.writes_per_key {
            self.live[place] = (self.begun.fetch_add(1, Ordering::Relaxed), 0);
        }
        let (key, written) = &mut self.live[place];
        *written += 1;
        (*key, *written)
    }

    /// Each place half as likely as the one before it, so that some are hot.
    fn place(&mut self) -> usize {
        let odds = (1_u64 << self.live.len().min(16)) - 1;
        let ticket = self.rng.below(odds) + 1;
        let place = self.live.len().min(16) - 1 - ticket.ilog2() as usize;
        // More keys than that are equally cold.
        match place {
            15 if self.live.len() > 16 => 15 + self.rng.below(self.live.len() as u64 - 15) as usize,
            _ => place,
        }
    }

    /// In the end, on every node: reads of the keys that were written last. Then every key before them
    /// is read once, the last ones first, by whoever is free: what was written last to a key is
    /// known only if somebody has seen it.
    pub(crate) fn last_reads(&self) -> Boxed {
        let recent = 2 * self.shape.keys;
        let within = Duration::from_secs(self.shape.final_seconds);
        let begun = self.begun.clone();
        let everywhere = each_node(move |_node| {
            let begun = begun.load(Ordering::Relaxed);
            let keys: Vec<u64> = (begun.saturating_sub(recent)..begun).collect();
            let read = |keys: &[u64]| {
                repeat(reads(keys)).delay(Duration::from_millis(200)).limit(10).until_ok().boxed()
            };
            let reads: Vec<Boxed> = keys.chunks(TOGETHER).map(read).collect();
            sequence(reads).time_limit(within).boxed()
        });
        let begun = self.begun.clone();
        let mut left = None;
        let replaced = calls(std::iter::from_fn(move || {
            // Not known before the first of them is asked for.
            let left =
                left.get_or_insert_with(|| begun.load(Ordering::Relaxed).saturating_sub(recent));
            let from = left.saturating_sub(TOGETHER as u64);
            let keys: Vec<u64> = (from..std::mem::replace(left, from)).rev().collect();
            (!keys.is_empty()).then(|| reads(&keys))
        }));
        let policy = Policy { times: 5, backoff: Duration::from_millis(100), jitter: 0.0 };
        let replaced = clients(replaced).retry(self.rng.clone(), policy).time_limit(within);
        sequence([everywhere.boxed(), replaced.boxed()]).boxed()
    }
}

/// How many keys one of the last transactions reads.
const TOGETHER: usize = 4;

fn reads(keys: &[u64]) -> Call {
    let reads = keys.iter().map(|key| json!(["r", key.to_string(), null])).collect();
    transaction(reads).mark("final", true)
}

/// `txn` of these micro-operations.
pub(crate) fn transaction(steps: Vec<Value>) -> Call {
    Call::new("txn").value(steps)
}
