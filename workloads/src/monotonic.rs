//! `monotonic`: are counters that only grow seen in one order by all?
//!
//! Clients increment one counter, or read several at once (Jepsen's `monotonic`
//! and `sequential`). Each answer is a state; a state that shows more of one
//! counter may not show less of another. The order of the states is that of each
//! session, too; real time is not asked for, so one session may be late.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `inc` | k | {k: n}, the count after it, or {} if it is not told |
//! | `read` | [k, …] | {k: n, …}, at one moment |
//!
//! Keys are texts, each `inc` adds 1. Finds counters that fall in a session, counts
//! that two increments both came to, or that no increment explains, and states that
//! have no order.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 8 | counters |
//! | `together` | 4 | counters of a read |
//! | `inc`, `read` | 1, 1 | how often each is called, relative to each other |

use std::time::Duration;

use tribunal_checkers::Compose;
use tribunal_generator::{Boxed, Chain, Rng, each_node, repeat, repeat_with};
use tribunal_history::{Call, Map, Value};

use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "counters that are seen to fall",
    source: include_str!("monotonic.rs"),
    build,
    checker,
};

const NAME: &str = "monotonic";

#[derive(Clone, Copy)]
struct Choice {
    keys: u64,
    together: u64,
    /// Of inc and read.
    weights: [u64; 2],
}

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let keys = options.number("keys", 8, 1..=1000)?;
    let together = options.number("together", 4.min(keys), 1..=keys)?;
    let weights = options.weights([("inc", 1), ("read", 1)])?;
    options.done()?;
    Ok(Choice { keys, together, weights })
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let choice = choose(&setting.options)?;
    let mut rng = setting.seed.stream(NAME);
    let generator = repeat_with(move || draw(&mut rng, choice)).boxed();
    let required = vec![("inc".into(), 10), ("read".into(), 10)];
    let last = Some(last_reads(choice.keys));
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

fn draw(rng: &mut Rng, Choice { keys, together, weights: [inc, read] }: Choice) -> Call {
    if rng.below(inc + read) < inc {
        return Call::new("inc").value(rng.below(keys).to_string());
    }
    let mut some: Vec<u64> = (0..keys).collect();
    rng.shuffle(&mut some);
    read_of(some.into_iter().take(together as usize))
}

fn read_of(keys: impl IntoIterator<Item = u64>) -> Call {
    let keys: Vec<Value> = keys.into_iter().map(|key| Value::from(key.to_string())).collect();
    Call::new("read").value(keys)
}

/// All counters on every node, until it is ok.
fn last_reads(keys: u64) -> Boxed {
    each_node(move |_node| {
        let read = read_of(0..keys).mark("final", true);
        repeat(read).delay(Duration::from_millis(200)).limit(10).until_ok().boxed()
    })
    .boxed()
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    choose(given)?;
    Ok(judged::alone(NAME))
}
