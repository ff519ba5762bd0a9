//! Counters on Raft, and their client for Tribunal. With `--bug double-increment` a retry is
//! counted again.

use std::collections::BTreeMap;
use std::process::ExitCode;

use raft_floor::{Database, Flaw, Request};
use serde::{Deserialize, Serialize};
use tribunal_client::{Call, Failure, Outcome, Reply};

struct Counter;

/// What the database is guilty of.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Bug {
    /// Nothing: counters are linearizable, and an increment that was acknowledged was made once.
    None,
    /// Nodes do not tell an increment that is sent again from another one.
    DoubleIncrement,
}

/// What alters a counter.
#[derive(Serialize, Deserialize)]
struct Add {
    key: String,
    amount: i64,
}

/// What only looks at one.
#[derive(Serialize, Deserialize)]
struct Read {
    key: String,
}

impl Database for Counter {
    const NAME: &'static str = "counter";
    const WORKLOADS: &'static [&'static str] = &["counter"];
    const PORT: u16 = 7220;
    type Bug = Bug;
    type State = BTreeMap<String, i64>;
    type Change = Add;
    type Question = Read;
    /// The count, then.
    type Answer = i64;
    type Clock = ();
    type Memory = ();

    fn flaw(bug: Bug) -> Option<Flaw> {
        match bug {
            Bug::None => None,
            Bug::DoubleIncrement => Some(Flaw::AppliesRetries),
        }
    }

    fn apply(counts: &mut Self::State, add: Add, _: Bug) -> i64 {
        let count = counts.entry(add.key).or_default();
        *count += add.amount;
        *count
    }

    fn look(counts: &Self::State, read: Read) -> i64 {
        counts.get(&read.key).copied().unwrap_or_default()
    }

    fn memory(_: &str) {}

    fn request((): &(), call: &Call) -> Result<Request<Add, Read>, Failure> {
        let key = call.key.as_ref().map(ToString::to_string).unwrap_or_default();
        match (&*call.f, call.value.as_i64()) {
            ("add", Some(amount)) => Ok(Request::Change(Add { key, amount })),
            ("read", _) => Ok(Request::Ask(Read { key })),
            (f, _) => Err(Failure::fail(format!("counter has no `{f}` of {}", call.value))),
        }
    }

    fn conclude((): &mut (), call: &Call, count: i64) -> Outcome {
        Ok(match &*call.f {
            "read" => Reply::of(count),
            _ => Reply::of(call.value.clone()),
        })
    }
}

fn main() -> ExitCode {
    raft_floor::run::<Counter>()
}
