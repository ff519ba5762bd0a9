//! `watch`: does every watcher see each acknowledged change, in order, once?
//!
//! Clients change a few objects and watch them; each process watches each object
//! from its beginning. At the end every node's client watches until nothing comes
//! any more.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `write` | v | the revision of the change |
//! | `watch` | null | [[revision, v], …]: the changes since this process' last `watch`, from the first one on; [] where nothing came for a while |
//!
//! Values are 1, 2, 3, … over all objects. An object's changes are a log of it, and
//! are judged as one; and what no watcher, or not each of them, has seen in the
//! end is missed. The last calls are marked `"ext": {"final": true}`.
//!
//! Finds changes that were acknowledged and not seen, seen twice, out of order, or never made.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 2 | objects |
//! | `write`, `watch` | 2, 1 | how often each is called, relative to each other |
//! | `quiet` | 3 | how often nothing must come, half a second apart, before a watcher is at the end |
//! | `final_seconds` | 30 | the time for the last calls of a node |

use std::time::Duration;

use tribunal_checkers::{Compose, Statistics, Unseen};
use tribunal_generator::{Boxed, Chain, Rng, each_node, repeat, repeat_with, sequence};
use tribunal_history::{Call, Event, Kind, Map, Value};

use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "watchers that miss changes",
    source: include_str!("watch.rs"),
    build,
    checker,
};

const NAME: &str = "watch";

#[derive(Clone, Copy)]
struct Choice {
    keys: u64,
    /// Of write and watch.
    weights: [u64; 2],
    quiet: u64,
    time: Duration,
}

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let keys = options.number("keys", 2, 1..=1000)?;
    let weights = options.weights([("write", 2), ("watch", 1)])?;
    let quiet = options.number("quiet", 3, 1..=100)?;
    let time = Duration::from_secs(options.number("final_seconds", 30, 1..=3600)?);
    options.done()?;
    Ok(Choice { keys, weights, quiet, time })
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let choice = choose(&setting.options)?;
    let generator = repeat_with(load(setting.seed.stream(NAME), choice)).boxed();
    let required = vec![("write".into(), 10), ("watch".into(), 10)];
    let last = Some(last_watches(choice));
    Ok(Workload { generator, last, checker: checker(&setting.options)?, required })
}

fn load(mut rng: Rng, choice: Choice) -> impl FnMut() -> Call + Send + 'static {
    let Choice { keys, weights: [write, watch], .. } = choice;
    let mut written = 0;
    move || {
        let key = rng.below(keys).to_string();
        if rng.below(write + watch) >= write {
            return Call::new("watch").key(key);
        }
        written += 1;
        Call::new("write").value(written).key(key)
    }
}

/// Every object through every node, until nothing comes any more.
fn last_watches(choice: Choice) -> Boxed {
    const APART: Duration = Duration::from_millis(500);
    each_node(move |_node| {
        let watch = |key: u64| {
            let call = Call::new("watch").key(key.to_string()).mark("final", true);
            let mut left = choice.quiet;
            let at_end = move |event: &Event| {
                let nothing = event.value.as_array().is_some_and(Vec::is_empty);
                left = if event.kind == Kind::Ok && nothing { left - 1 } else { choice.quiet };
                left == 0
            };
            repeat(call).delay(APART).until(at_end).boxed()
        };
        sequence((0..choice.keys).map(watch)).time_limit(choice.time).boxed()
    })
    .boxed()
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    choose(given)?;
    Ok(Compose::new()
        .with("changes", judged::object("log"))
        .with("unseen", Unseen { by_each: true })
        .with("statistics", Statistics))
}
