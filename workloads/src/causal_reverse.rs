//! `causal-reverse`: does whoever sees a write see all that were over before it began?
//!
//! Clients add to sets and read them (Jepsen's `causal-reverse`). A serializable
//! database may show a write without one that ended before it began; a strictly
//! serializable one may not. What is read was written, and is there once.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `write` | v | it is in the set |
//! | `read` | null | [v, …] |
//!
//! Values are 1, 2, 3, … of each set.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 2 | sets at a time |
//! | `calls_per_key` | 200 | calls on a set before a fresh one takes its place |
//! | `skew` | 0 | how much hotter some keys are than others: hundredths of Zipf's exponent |
//! | `write`, `read` | 3, 1 | how often each is called, relative to each other |
//! | `final_seconds` | 10 | the time for the last reads of a node |

use tribunal_checkers::Compose;
use tribunal_generator::Rng;
use tribunal_history::{Call, Map, Value};

use crate::keyed::{Keyed, Patience};
use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "writes seen without those before them",
    source: include_str!("causal_reverse.rs"),
    build,
    checker,
};

const NAME: &str = "causal-reverse";

struct Choice {
    keyed: Keyed,
    /// Of write and read.
    weights: [u64; 2],
    patience: Patience,
}

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let keyed = Keyed::choose(&mut options, 2, 200)?;
    let weights = options.weights([("write", 3), ("read", 1)])?;
    let patience = Patience::choose(&mut options, 10)?;
    options.done()?;
    Ok(Choice { keyed, weights, patience })
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let Choice { keyed, weights, patience } = choose(&setting.options)?;
    let (generator, begun) = keyed.load(setting.seed, NAME, move |_, rng| draw(rng, weights));
    let read = |key: u64| Call::new("read").key(key.to_string());
    let last = Some(patience.reads(move || begun.newest(), read));
    let required = vec![("write".into(), 10), ("read".into(), 10)];
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

/// The calls on one set.
fn draw(mut rng: Rng, [write, read]: [u64; 2]) -> impl FnMut() -> Call + Send + 'static {
    let mut written = 0;
    move || {
        if rng.below(write + read) >= write {
            return Call::new("read");
        }
        written += 1;
        Call::new("write").value(written)
    }
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    choose(given)?;
    Ok(judged::alone(NAME))
}
