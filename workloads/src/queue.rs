//! `queue`: what goes into a queue comes out, once, in any order.
//!
//! Clients put unique values in and take values out. At the end every node's
//! client takes until the queue is empty, so that what was lost is known.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `enqueue` | v | it is in the queue |
//! | `dequeue` | null | the value that was taken out, or null where there was none |
//!
//! Values are 1, 2, 3, … over all queues. The last calls are marked
//! `"ext": {"final": true}`.
//!
//! Finds values that were acknowledged and lost, values that come out twice,
//! values that nobody put in, "empty" from a queue that was not.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 1 | queues |
//! | `enqueue`, `dequeue` | 1, 1 | how often each is called, relative to each other |
//! | `redelivers` | false | whether a value may come out more than once (at-least-once delivery); then only loss and invention are anomalies |
//! | `final_seconds` | 60 | the time for emptying the queues, a node |

use std::time::Duration;

use tribunal_checkers::{Compose, Statistics, TotalQueue};
use tribunal_generator::{Boxed, Chain, Seed, each_node, repeat, repeat_with, sequence};
use tribunal_history::{Call, Event, Kind, Map, Value};

use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "queues that lose or redeliver, in any order",
    build: |setting| build(&QUEUE, setting),
    checker: |given| checker(&QUEUE, given),
};

const NAME: &str = "queue";
const QUEUE: Kin = Kin { name: NAME, put: "enqueue", take: "dequeue" };

/// A kind of queue: what it is called, among workloads and objects, and its calls.
pub(crate) struct Kin {
    pub(crate) name: &'static str,
    pub(crate) put: &'static str,
    pub(crate) take: &'static str,
}

struct Choice {
    keys: u64,
    /// Of put and take.
    weights: [u64; 2],
    redelivers: bool,
    time: Duration,
}

fn choose(kin: &Kin, given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(kin.name, given);
    let keys = options.number("keys", 1, 1..=1_000)?;
    let weights = options.weights([(kin.put, 1), (kin.take, 1)])?;
    let redelivers = options.flag("redelivers", false)?;
    let time = Duration::from_secs(options.number("final_seconds", 60, 1..=3600)?);
    options.done()?;
    Ok(Choice { keys, weights, redelivers, time })
}

/// Makes it for a run.
pub(crate) fn build(kin: &'static Kin, setting: &Setting) -> Result<Workload, WorkloadError> {
    let choice = choose(kin, &setting.options)?;
    let generator = repeat_with(load(kin, setting.seed, &choice)).boxed();
    let required = vec![(kin.put.into(), 10), (kin.take.into(), 10)];
    let last = Some(empty(kin, &choice));
    Ok(Workload { generator, last, checker: checker(kin, &setting.options)?, required })
}

fn load(kin: &'static Kin, seed: Seed, choice: &Choice) -> impl FnMut() -> Call + Send + 'static {
    let mut rng = seed.stream(kin.name);
    let (keys, [put, take]) = (choice.keys, choice.weights);
    let mut last = 0;
    move || {
        let key = rng.below(keys).to_string();
        if rng.below(put + take) >= put {
            return Call::new(kin.take).key(key);
        }
        last += 1;
        Call::new(kin.put).value(last).key(key)
    }
}

/// Takes from every queue through every node until it is empty.
fn empty(kin: &'static Kin, choice: &Choice) -> Boxed {
    let (keys, time) = (choice.keys, choice.time);
    let is_empty = |event: &Event| event.kind == Kind::Ok && event.value.is_null();
    each_node(move |_node| {
        let take = |key: u64| {
            let call = Call::new(kin.take).key(key.to_string()).mark("final", true);
            // A moment apart: a node that refuses at once is not to be hammered.
            repeat(call).delay(Duration::from_millis(2)).until(is_empty).boxed()
        };
        sequence((0..keys).map(take)).time_limit(time).boxed()
    })
    .boxed()
}

/// Makes its checkers.
pub(crate) fn checker(
    kin: &'static Kin,
    given: &Map<String, Value>,
) -> Result<Compose, WorkloadError> {
    let redelivers = choose(kin, given)?.redelivers;
    let mut checkers = Compose::new();
    if !redelivers {
        checkers = checkers.with(kin.name, judged::object(kin.name));
    }
    let in_and_out = TotalQueue { at_most_once: !redelivers };
    Ok(checkers.with("in-and-out", in_and_out).with("statistics", Statistics))
}
