//! `log`: does a log keep what it acknowledged, in one order, for every consumer?
//!
//! Clients append unique values to a few logs (topics, streams) and poll them;
//! each process is a consumer with a place of its own in each log. At the end
//! every node's consumer polls to the end.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `append` | v | its offset |
//! | `poll` | null | [[offset, v], …]: what comes after the consumer's last poll; [] at the end |
//!
//! Values are 1, 2, 3, … over all logs. The last polls are marked `"ext": {"final": true}`.
//!
//! Finds acknowledged values that are skipped or lost, values at two offsets or
//! two at one, values out of order, values that nobody appended.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 2 | logs |
//! | `append`, `poll` | 2, 1 | how often each is called, relative to each other |
//! | `final_seconds` | 30 | the time for the last polls of a node |

use std::time::Duration;

use tribunal_checkers::{Compose, Statistics, Unseen};
use tribunal_generator::{Boxed, Chain, Rng, each_node, repeat, repeat_with, sequence};
use tribunal_history::{Call, Event, Kind, Map, Value};

use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "logs that lose, skip or reorder",
    source: include_str!("log.rs"),
    build,
    checker,
};

const NAME: &str = "log";

#[derive(Clone, Copy)]
struct Choice {
    keys: u64,
    /// Of append and poll.
    weights: [u64; 2],
    time: Duration,
}

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let keys = options.number("keys", 2, 1..=1000)?;
    let weights = options.weights([("append", 2), ("poll", 1)])?;
    let time = Duration::from_secs(options.number("final_seconds", 30, 1..=3600)?);
    options.done()?;
    Ok(Choice { keys, weights, time })
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let choice = choose(&setting.options)?;
    let generator = repeat_with(load(setting.seed.stream(NAME), choice)).boxed();
    let required = vec![("append".into(), 10), ("poll".into(), 10)];
    let last = Some(last_polls(choice));
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

fn load(mut rng: Rng, choice: Choice) -> impl FnMut() -> Call + Send + 'static {
    let Choice { keys, weights: [append, poll], .. } = choice;
    let mut appended = 0;
    move || {
        let key = rng.below(keys).to_string();
        if rng.below(append + poll) >= append {
            return Call::new("poll").key(key);
        }
        appended += 1;
        Call::new("append").value(appended).key(key)
    }
}

/// Every log through every node, to its end.
fn last_polls(Choice { keys, time, .. }: Choice) -> Boxed {
    let nothing = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
    let at_end = move |event: &Event| event.kind == Kind::Ok && nothing(&event.value);
    each_node(move |_node| {
        let poll = |key: u64| {
            let call = Call::new("poll").key(key.to_string()).mark("final", true);
            repeat(call).delay(Duration::from_millis(2)).until(at_end).boxed()
        };
        sequence((0..keys).map(poll)).time_limit(time).boxed()
    })
    .boxed()
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    choose(given)?;
    Ok(Compose::new()
        .with(NAME, judged::object(NAME))
        .with("unseen", Unseen::default())
        .with("statistics", Statistics))
}
