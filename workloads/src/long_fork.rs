//! `long-fork`: do two readers agree on which of two writes came first?
//!
//! Each register of a small group is written once, while others read the whole
//! group (Jepsen's `long-fork`). Parallel snapshot isolation lets one reader see
//! the first write alone and another the second alone; snapshot isolation does not.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `txn` | [["w", k, 1]] | it is written |
//! | `txn` | [["r", k, null], …] | the same, each read filled in, of one group |
//!
//! Keys are texts, numbered from 0; a group's neighbours are in it. A read finds
//! null, or what was written to that key.
//!
//! | option | default | |
//! |---|---|---|
//! | `groups` | 3 | groups at a time |
//! | `size` | 2 | registers of a group |
//! | `reads` | 4 | reads of a group for each of its registers |

use std::time::Duration;

use serde_json::{Value, json};
use tribunal_checkers::Compose;
use tribunal_generator::{Boxed, Chain, Rng, each_node, repeat, repeat_with};
use tribunal_history::{Call, Map};

use crate::options::Options;
use crate::pool::transaction;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "readers that disagree on an order",
    source: include_str!("long_fork.rs"),
    build,
    checker,
};

const NAME: &str = "long-fork";

#[derive(Clone, Copy)]
struct Choice {
    groups: u64,
    size: u64,
    reads: u64,
}

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let groups = options.number("groups", 3, 1..=1000)?;
    let size = options.number("size", 2, 2..=100)?;
    let reads = options.number("reads", 4, 1..=100)?;
    options.done()?;
    Ok(Choice { groups, size, reads })
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let choice = choose(&setting.options)?;
    let mut script = Script::new(choice, setting.seed.stream(NAME));
    let generator = repeat_with(move || script.draw()).boxed();
    let required = vec![("txn".into(), 20)];
    let last = Some(last_reads(choice));
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

/// What is still to be called on each of the live groups.
struct Script {
    choice: Choice,
    rng: Rng,
    live: Vec<Vec<Call>>,
    begun: u64,
}

impl Script {
    fn new(choice: Choice, rng: Rng) -> Self {
        let live = vec![Vec::new(); choice.groups as usize];
        Self { choice, rng, live, begun: 0 }
    }

    fn draw(&mut self) -> Call {
        let place = self.rng.below(self.choice.groups) as usize;
        if self.live[place].is_empty() {
            self.live[place] = self.group();
        }
        self.live[place].pop().unwrap_or_else(|| unreachable!("a group has calls"))
    }

    /// The calls on a fresh group, in any order.
    fn group(&mut self) -> Vec<Call> {
        let Choice { size, reads, .. } = self.choice;
        let keys = self.begun * size..(self.begun + 1) * size;
        self.begun += 1;
        let write = |key: u64| transaction(vec![json!(["w", key.to_string(), 1])]);
        let mut calls: Vec<Call> = keys.clone().map(write).collect();
        for _ in 0..reads * size {
            let mut keys: Vec<u64> = keys.clone().collect();
            self.rng.shuffle(&mut keys);
            calls.push(read(keys));
        }
        self.rng.shuffle(&mut calls);
        calls
    }
}

fn read(keys: impl IntoIterator<Item = u64>) -> Call {
    let step = |key: u64| json!(["r", key.to_string(), Value::Null]);
    transaction(keys.into_iter().map(step).collect())
}

/// The first group on every node: the healed cluster serves.
fn last_reads(choice: Choice) -> Boxed {
    each_node(move |_node| {
        let call = read(0..choice.size).mark("final", true);
        repeat(call).delay(Duration::from_millis(200)).limit(10).until_ok().boxed()
    })
    .boxed()
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    choose(given)?;
    Ok(judged::alone(NAME))
}
