//! Counters on Raft, and their client for Tribunal. With `--bug double-increment` a retry is
//! counted again, with `--bug answers-early` a leader counts alone.

use std::collections::BTreeMap;
use std::process::ExitCode;

use raft_floor::{Database, Flaw, Request};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

struct Counter;

/// What the database is guilty of.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Bug {
    /// Nothing: counters are linearizable, and an increment that was acknowledged was made once.
    None,
    /// Nodes do not tell an increment that is sent again from another one.
    DoubleIncrement,
    /// A leader answers increments before the others know of them: its successor counts from where it
    /// was before.
    AnswersEarly,
}

/// Counters by name.
type Counts = BTreeMap<String, i64>;

/// The counter that ids are drawn from.
const IDS: &str = "ids";

/// What alters a counter.
#[derive(Serialize, Deserialize)]
struct Add {
    key: String,
    amount: i64,
}

/// What only looks at some, at one moment.
#[derive(Serialize, Deserialize)]
struct Read {
    keys: Vec<String>,
}

impl Database for Counter {
    const NAME: &'static str = "counter";
    const WORKLOADS: &'static [&'static str] = &["counter", "monotonic", "unique-ids"];
    const PORT: u16 = 7220;
    type Bug = Bug;
    type State = Counts;
    type Change = Add;
    type Question = Read;
    /// The counts, then, of those that were asked for.
    type Answer = Counts;
    type Clock = ();
    type Memory = ();

    fn flaw(bug: Bug) -> Option<Flaw> {
        match bug {
            Bug::None => None,
            Bug::DoubleIncrement => Some(Flaw::AppliesRetries),
            Bug::AnswersEarly => Some(Flaw::AppliesUncommitted),
        }
    }

    fn apply(counts: &mut Counts, Add { key, amount }: Add, _: Bug) -> Counts {
        let count = counts.entry(key.clone()).or_default();
        *count += amount;
        Counts::from([(key, *count)])
    }

    fn look(counts: &Counts, Read { keys }: Read) -> Counts {
        let count = |key: String| {
            let count = counts.get(&key).copied().unwrap_or_default();
            (key, count)
        };
        keys.into_iter().map(count).collect()
    }

    fn memory(_: &str) {}

    fn request((): &(), call: &Call) -> Result<Request<Add, Read>, Failure> {
        let key = call.key.as_ref().map(ToString::to_string).unwrap_or_default();
        match (&*call.f, &call.value) {
            ("add", Value::Number(amount)) if amount.is_i64() => {
                let amount = amount.as_i64().unwrap_or_default();
                Ok(Request::Change(Add { key, amount }))
            }
            ("inc", Value::String(name)) => {
                Ok(Request::Change(Add { key: name.clone(), amount: 1 }))
            }
            ("generate", _) => Ok(Request::Change(Add { key: IDS.to_owned(), amount: 1 })),
            ("read", Value::Array(names)) => {
                let names = names.iter().filter_map(Value::as_str);
                Ok(Request::Ask(Read { keys: names.map(str::to_owned).collect() }))
            }
            ("read", _) => Ok(Request::Ask(Read { keys: vec![key] })),
            (f, value) => Err(Failure::fail(format!("counter has no `{f}` of {value}"))),
        }
    }

    fn conclude((): &mut (), call: &Call, counts: Counts) -> Outcome {
        let alone = || counts.values().next().copied().unwrap_or_default();
        Ok(match (&*call.f, &call.value) {
            ("add", amount) => Reply::of(amount.clone()),
            ("generate", _) | ("read", Value::Null) => Reply::of(alone()),
            _ => Reply::of(json!(counts)),
        })
    }
}

fn main() -> ExitCode {
    raft_floor::run::<Counter>()
}
