//! `counter`: is each counter linearizable, and is every increment counted once?
//!
//! Clients add to a handful of counters and read them. At the end the counters
//! that were called last are read on every node.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `add` | n | it is added, once |
//! | `read` | null | the count |
//!
//! Finds lost increments, increments that were made twice (by a retry whose
//! first try had arrived), stale reads.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 3 | counters at a time |
//! | `calls_per_key` | 200 | calls on a counter before a fresh one takes its place |
//! | `skew` | 0 | how much hotter some keys are than others: hundredths of Zipf's exponent |
//! | `add`, `read` | 2, 1 | how often each is called, relative to each other |
//! | `most` | 1 | the largest amount that is added; adds of one are judged exactly, others within bounds |
//! | `initial` | 0 | what every counter begins with |
//! | `final_seconds` | 10 | the time for the last reads of a node |

use tribunal_checkers::{Compose, Statistics};
use tribunal_generator::Rng;
use tribunal_history::{Call, Map, Value};

use crate::keyed::{Keyed, Patience};
use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "counters that lose or double increments",
    source: include_str!("counter.rs"),
    build,
    checker,
};

const NAME: &str = "counter";

struct Choice {
    keyed: Keyed,
    /// Of add and read.
    weights: [u64; 2],
    most: u64,
    initial: u64,
    patience: Patience,
}

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let keyed = Keyed::choose(&mut options, 3, 200)?;
    let weights = options.weights([("add", 2), ("read", 1)])?;
    let most = options.number("most", 1, 1..=1_000_000)?;
    let initial = options.number("initial", 0, 0..=1_000_000_000)?;
    let patience = Patience::choose(&mut options, 10)?;
    options.done()?;
    Ok(Choice { keyed, weights, most, initial, patience })
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let Choice { keyed, weights, most, patience, .. } = choose(&setting.options)?;
    let calls = move |_, rng| draw(rng, weights, most);
    let (generator, begun) = keyed.load(setting.seed, NAME, calls);
    let read = |key: u64| Call::new("read").key(key.to_string());
    let last = Some(patience.reads(move || begun.newest(), read));
    let required = vec![("add".into(), 10), ("read".into(), 10)];
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

/// The calls on one counter.
fn draw(mut rng: Rng, [add, read]: [u64; 2], most: u64) -> impl FnMut() -> Call + Send + 'static {
    move || match rng.below(add + read) < add {
        true => Call::new("add").value(rng.between(1, most)),
        false => Call::new("read"),
    }
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    let setting = judged::beginning(choose(given)?.initial);
    let counter = judged::object_with(NAME, &setting);
    Ok(Compose::new().with(NAME, counter).with("statistics", Statistics))
}
