//! `set`: is each grow-only set linearizable, and is everything that was added still there at the end?
//!
//! Clients add elements and read whole sets. A set that has had its share of
//! calls is left as it is and a fresh one takes its place; at the end every set
//! is read on every node.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `add` | v | it is in the set |
//! | `read` | null | [v, …], in any order |
//!
//! Elements are 1, 2, 3, … of each set. The last reads are marked
//! `"ext": {"final": true}`.
//!
//! Finds lost elements, elements that nobody added, elements twice, stale reads.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 2 | sets at a time |
//! | `calls_per_key` | 300 | calls on a set before a fresh one takes its place |
//! | `skew` | 0 | how much hotter some keys are than others: hundredths of Zipf's exponent |
//! | `add`, `read` | 3, 1 | how often each is called, relative to each other |
//! | `final_seconds` | 30 | the time for the last reads of a node |

use tribunal_checkers::{Compose, SetFull, Statistics};
use tribunal_generator::{Boxed, Rng, Seed};
use tribunal_history::{Call, Map, Name, Value};

use crate::keyed::{Keyed, Patience};
use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "linearizable grow-only sets",
    source: include_str!("set.rs"),
    build,
    checker,
};

const NAME: &str = "set";

/// `[workload.set]`, and of `[workload.set-full]` what both have.
pub(crate) struct Choice {
    keyed: Keyed,
    /// Of add and read.
    weights: [u64; 2],
    patience: Patience,
}

impl Choice {
    pub(crate) fn read(options: &mut Options) -> Result<Self, WorkloadError> {
        let keyed = Keyed::choose(options, 2, 300)?;
        let weights = options.weights([("add", 3), ("read", 1)])?;
        let patience = Patience::choose(options, 30)?;
        Ok(Self { keyed, weights, patience })
    }
}

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let choice = Choice::read(&mut options)?;
    options.done()?;
    Ok(choice)
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let (generator, last) = load(setting.seed, &choose(&setting.options)?);
    let checker = checker(&setting.options)?;
    Ok(Workload { generator, last: Some(last), checker, required: required() })
}

/// How much makes a verdict, of both workloads.
pub(crate) fn required() -> Vec<(Name, u64)> {
    vec![("add".into(), 10), ("read".into(), 5)]
}

/// The calls of both workloads, and the last reads.
pub(crate) fn load(seed: Seed, choice: &Choice) -> (Boxed, Boxed) {
    let weights = choice.weights;
    let (generator, begun) = choice.keyed.load(seed, "set", move |_, rng| draw(rng, weights));
    let read = |key: u64| Call::new("read").key(key.to_string());
    (generator, choice.patience.reads(move || begun.all(), read))
}

/// The calls on one set.
fn draw(mut rng: Rng, [add, read]: [u64; 2]) -> impl FnMut() -> Call + Send + 'static {
    let mut added = 0;
    move || {
        if rng.below(add + read) >= add {
            return Call::new("read");
        }
        added += 1;
        Call::new("add").value(added)
    }
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    choose(given)?;
    let elements = SetFull { linearizable: true };
    Ok(Compose::new()
        .with("set", judged::object("set"))
        .with("elements", elements)
        .with("statistics", Statistics))
}
