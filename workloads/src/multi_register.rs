//! `multi-register`: are several registers at once linearizable?
//!
//! Clients read and write several registers of a group in one call (Jepsen's
//! `multi-key-acid`). A group that has had its share of calls is replaced.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `txn` | [["r", k, null], ["w", k, v], …], by key, which is the group's | the same, reads filled in |
//!
//! Registers are called `"0.0"`, `"0.1"`, … after their group; values are 1, 2,
//! 3, … of each group. What was never written is null.
//!
//! Finds torn reads and writes, stale reads, lost writes.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 3 | groups at a time |
//! | `calls_per_key` | 100 | calls on a group before a fresh one takes its place |
//! | `skew` | 0 | how much hotter some keys are than others: hundredths of Zipf's exponent |
//! | `size` | 3 | registers of a group |
//! | `read`, `write` | 1, 1 | how often each is called, relative to each other |
//! | `final_seconds` | 10 | the time for the last reads of a node |

use serde_json::json;
use tribunal_checkers::Compose;
use tribunal_generator::Rng;
use tribunal_history::{Call, Map, Value};

use crate::keyed::{Keyed, Patience};
use crate::options::Options;
use crate::pool::transaction;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "several linearizable registers at once",
    source: include_str!("multi_register.rs"),
    build,
    checker,
};

const NAME: &str = "multi-register";

struct Choice {
    keyed: Keyed,
    size: u64,
    /// Of read and write.
    weights: [u64; 2],
    patience: Patience,
}

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let keyed = Keyed::choose(&mut options, 3, 100)?;
    let size = options.number("size", 3, 1..=64)?;
    let weights = options.weights([("read", 1), ("write", 1)])?;
    let patience = Patience::choose(&mut options, 10)?;
    options.done()?;
    Ok(Choice { keyed, size, weights, patience })
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let Choice { keyed, size, weights, patience } = choose(&setting.options)?;
    let calls = move |group, rng| draw(group, rng, size, weights);
    let (generator, begun) = keyed.load(setting.seed, NAME, calls);
    let last = Some(patience.reads(move || begun.newest(), move |group| read(group, 0..size)));
    let required = vec![("txn".into(), 20)];
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

/// The calls on one group: reads or writes of some of it.
fn draw(
    group: u64,
    mut rng: Rng,
    size: u64,
    [reads, writes]: [u64; 2],
) -> impl FnMut() -> Call + Send + 'static {
    let mut written = 0;
    move || {
        let mut some: Vec<u64> = (0..size).collect();
        rng.shuffle(&mut some);
        some.truncate(rng.between(1, size) as usize);
        if rng.below(reads + writes) < reads {
            return read(group, some);
        }
        written += 1;
        let step = |register: u64| json!(["w", format!("{group}.{register}"), written]);
        transaction(some.into_iter().map(step).collect()).key(group.to_string())
    }
}

fn read(group: u64, registers: impl IntoIterator<Item = u64>) -> Call {
    let step = |register: u64| json!(["r", format!("{group}.{register}"), null]);
    transaction(registers.into_iter().map(step).collect()).key(group.to_string())
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    choose(given)?;
    Ok(judged::alone(NAME))
}
