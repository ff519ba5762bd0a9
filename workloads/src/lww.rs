//! `lww`: does a store in which the last write wins lose acknowledged writes?
//!
//! Clients write unique values to a handful of keys, each write of a key
//! through another node than the one before where a client of one is free:
//! where the clocks of two nodes disagree, the later write can then carry the
//! earlier timestamp, and lose. A key that has had its share of calls is left
//! as it is and a fresh one takes its place, so that what is found at the end
//! bears witness of the whole run, not of its last moments. At the end every
//! key is read on every node.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `write` | v | it is written; `"ext": {"timestamp": ns}` where exposed |
//! | `read` | null | the value, or null; `"ext": {"timestamp": ns}` where exposed |
//!
//! Values are 1, 2, 3, … over all keys. The last reads are marked
//! `"ext": {"final": true}` and repeated until they are ok, within bounds.
//!
//! Finds acknowledged writes that an earlier write survived (lost to a clock
//! that was ahead, to equal timestamps, or to replication), and replicas that
//! disagree for good.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 8 | keys at a time |
//! | `calls_per_key` | 30 | calls on a key before a fresh one takes its place |
//! | `write`, `read` | 3, 1 | how often each is called, relative to each other |
//! | `initial` | null | what every key holds before the first call |
//! | `final_tries` | 20 | how often a last read is tried, half a second apart |
//! | `final_seconds` | 60 | the time for all last reads of a node |

use std::iter::Peekable;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tribunal_checkers::{Compose, Lww, Statistics};
use tribunal_generator::{Boxed, Chain, Context, Generator, Next, Rng, Seed, Worker};
use tribunal_history::{Call, Map, Name, Nanos, Value};

use crate::keyed::Patience;
use crate::options::Options;
use crate::{CallError, Definition, Setting, Workload, WorkloadError};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "last-write-wins stores that lose writes",
    source: include_str!("lww.rs"),
    build,
    checker,
};

const NAME: &str = "lww";

/// A call on one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// What does it hold?
    Read,
    /// Let it hold this.
    Write(i64),
}

impl Function {
    /// What a client is asked for.
    pub fn parse(call: &Call) -> Result<Self, CallError> {
        match (&*call.f, call.value.as_i64()) {
            ("read", _) => Ok(Function::Read),
            ("write", Some(value)) => Ok(Function::Write(value)),
            _ => Err(CallError::of(NAME, call)),
        }
    }
}

impl From<Function> for Call {
    fn from(function: Function) -> Call {
        match function {
            Function::Read => Call::new("read"),
            Function::Write(value) => Call::new("write").value(value),
        }
    }
}

/// `[workload.lww]`.
struct Choice {
    keys: u64,
    calls_per_key: u64,
    /// Of write and read.
    weights: [u64; 2],
    initial: Value,
    final_tries: u64,
    final_seconds: u64,
}

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let keys = options.number("keys", 8, 1..=10_000)?;
    let calls_per_key = options.number("calls_per_key", 30, 1..=1_000_000)?;
    let weights = options.weights([("write", 3), ("read", 1)])?;
    let initial = options.value("initial", Value::Null);
    let final_tries = options.number("final_tries", 20, 1..=1000)?;
    let final_seconds = options.number("final_seconds", 60, 1..=3600)?;
    options.done()?;
    Ok(Choice { keys, calls_per_key, weights, initial, final_tries, final_seconds })
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let choice = choose(&setting.options)?;
    let script = Script::new(setting.seed, &choice);
    let last = last_reads(script.begun.clone(), &choice);
    let generator = PingPong::new(setting.seed, script).boxed();
    let required = vec![("write".into(), 10), ("read".into(), 5)];
    Ok(Workload { generator, last: Some(last), checker: checker(&setting.options)?, required })
}

/// The calls, each with the place of its key among those that are live.
struct Script {
    rng: Rng,
    weights: [u64; 2],
    calls_per_key: u64,
    /// Of each live key: its number, and how many calls it is still to have.
    live: Vec<(u64, u64)>,
    /// How many keys there are, for the last reads.
    begun: Arc<AtomicU64>,
    written: i64,
}

impl Script {
    fn new(seed: Seed, choice: &Choice) -> Self {
        Self {
            rng: seed.stream("lww"),
            weights: choice.weights,
            calls_per_key: choice.calls_per_key,
            live: (0..choice.keys).map(|key| (key, choice.calls_per_key)).collect(),
            begun: Arc::new(AtomicU64::new(choice.keys)),
            written: 0,
        }
    }

    fn draw(&mut self) -> Function {
        let [write, read] = self.weights;
        if self.rng.below(write + read) >= write {
            return Function::Read;
        }
        self.written += 1;
        Function::Write(self.written)
    }
}

impl Iterator for Script {
    type Item = (usize, Call);

    fn next(&mut self) -> Option<Self::Item> {
        let place = self.rng.below(self.live.len() as u64) as usize;
        let function = self.draw();
        let (key, left) = &mut self.live[place];
        if *left == 0 {
            *key = self.begun.fetch_add(1, Ordering::Relaxed);
            *left = self.calls_per_key;
        }
        *left -= 1;
        Some((place, Call::from(function).key(key.to_string())))
    }
}

/// Makes each call of a script through another node than the last write of its
/// key, at random; through the same one if no other client is free, for to wait
/// for one would let a single slow node hold up the load.
struct PingPong {
    script: Peekable<Script>,
    rng: Rng,
    /// By place: the node of the last write.
    last: Vec<Option<Name>>,
}

impl PingPong {
    fn new(seed: Seed, script: Script) -> Self {
        let last = vec![None; script.live.len()];
        Self { script: script.peekable(), rng: seed.stream("lww nodes"), last }
    }
}

impl Generator for PingPong {
    fn next(&mut self, context: &Context) -> Next {
        let Some((place, _)) = self.script.peek() else { return Next::Done };
        let last = self.last[*place].as_ref();
        let mut able: Vec<&Worker> =
            context.free.iter().filter(|worker| worker.process.is_client()).collect();
        let elsewhere = |worker: &&Worker| worker.node.as_ref() != last;
        if able.iter().any(elsewhere) {
            able.retain(elsewhere);
        }
        if able.is_empty() {
            return Next::Wait(Nanos::MAX);
        }
        let Some((place, call)) = self.script.next() else { return Next::Done };
        let worker = *self.rng.pick(&able);
        if &*call.f == "write" {
            self.last[place] = worker.node.clone();
        }
        Next::Call(worker.process, call)
    }
}

/// Every key on every node.
fn last_reads(begun: Arc<AtomicU64>, choice: &Choice) -> Boxed {
    let patience = Patience {
        apart: Duration::from_millis(500),
        tries: choice.final_tries,
        time: Duration::from_secs(choice.final_seconds),
    };
    let read = |key: u64| Call::from(Function::Read).key(key.to_string());
    patience.reads(move || 0..begun.load(Ordering::Relaxed), read)
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    let lww = Lww { initial: choose(given)?.initial };
    Ok(Compose::new().with("lww", lww).with("statistics", Statistics))
}
