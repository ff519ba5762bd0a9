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
//! | `keys` | 1 | queues at a time |
//! | `calls_per_key` | 1000000 | calls on a queue before a fresh one takes its place |
//! | `skew` | 0 | how much hotter some queues are than others: hundredths of Zipf's exponent |
//! | `enqueue`, `dequeue` | 1, 1 | how often each is called, relative to each other |
//! | `redelivers` | false | whether a value may come out more than once (at-least-once delivery); then only loss and invention are anomalies |
//! | `final_seconds` | 60 | the time for emptying the queues, a node |

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tribunal_checkers::{Compose, Statistics, TotalQueue};
use tribunal_generator::{Boxed, Chain, Rng, each_node, repeat, sequence};
use tribunal_history::{Call, Event, Kind, Map, Value};

use crate::keyed::{Begun, Keyed};
use crate::options::Options;
use crate::{Definition, Setting, Workload, WorkloadError, judged};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "queues that lose or redeliver, in any order",
    source: include_str!("queue.rs"),
    build: |setting| build(&QUEUE, setting),
    checker: |given| checker(&QUEUE, given),
};

const NAME: &str = "queue";
const QUEUE: Kin = Kin { name: NAME, put: "enqueue", take: "dequeue", keyed: [1, 1_000_000] };

/// A kind of queue: what it is called, among workloads and objects, and its calls.
pub(crate) struct Kin {
    pub(crate) name: &'static str,
    pub(crate) put: &'static str,
    pub(crate) take: &'static str,
    /// How many at a time, and how many calls each gets, by default.
    pub(crate) keyed: [u64; 2],
}

struct Choice {
    keyed: Keyed,
    /// Of put and take.
    weights: [u64; 2],
    redelivers: bool,
    time: Duration,
}

fn choose(kin: &Kin, given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(kin.name, given);
    let [at_once, calls_per_key] = kin.keyed;
    let keyed = Keyed::choose(&mut options, at_once, calls_per_key)?;
    let weights = options.weights([(kin.put, 1), (kin.take, 1)])?;
    let redelivers = options.flag("redelivers", false)?;
    let time = Duration::from_secs(options.number("final_seconds", 60, 1..=3600)?);
    options.done()?;
    Ok(Choice { keyed, weights, redelivers, time })
}

/// Makes it for a run.
pub(crate) fn build(kin: &'static Kin, setting: &Setting) -> Result<Workload, WorkloadError> {
    let Choice { keyed, weights, time, .. } = choose(kin, &setting.options)?;
    // Values are new over all queues, so that one that comes out of another is known.
    let last = Arc::new(AtomicU64::new(0));
    let calls = move |_, rng| draw(kin, rng, weights, last.clone());
    let (generator, begun) = keyed.load(setting.seed, kin.name, calls);
    let required = vec![(kin.put.into(), 10), (kin.take.into(), 10)];
    let last = Some(empty(kin, begun, time));
    Ok(Workload { generator, last, checker: checker(kin, &setting.options)?, required })
}

/// The calls on one queue.
fn draw(
    kin: &'static Kin,
    mut rng: Rng,
    [put, take]: [u64; 2],
    last: Arc<AtomicU64>,
) -> impl FnMut() -> Call + Send + 'static {
    move || match rng.below(put + take) < put {
        true => Call::new(kin.put).value(last.fetch_add(1, Ordering::Relaxed) + 1),
        false => Call::new(kin.take),
    }
}

/// Takes from every queue through every node until it is empty.
fn empty(kin: &'static Kin, begun: Begun, time: Duration) -> Boxed {
    let is_empty = |event: &Event| event.kind == Kind::Ok && event.value.is_null();
    each_node(move |_node| {
        let take = |key: u64| {
            let call = Call::new(kin.take).key(key.to_string()).mark("final", true);
            // A moment apart: a node that refuses at once is not to be hammered.
            repeat(call).delay(Duration::from_millis(2)).until(is_empty).boxed()
        };
        sequence(begun.all().map(take)).time_limit(time).boxed()
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
