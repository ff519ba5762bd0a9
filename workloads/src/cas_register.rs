//! `cas-register`: is each key a linearizable compare-and-set register?
//!
//! Clients read, write and compare-and-set a handful of keys at a time. A key
//! that has had its share of calls is replaced by a fresh one, so that each is
//! cheap to judge, and calls that crashed do not pile up.
//!
//! | call | value | ok |
//! |---|---|---|
//! | `read` | null | the value, or null where nothing was written |
//! | `write` | v | it is written |
//! | `cas` | [old, new] | it was old and is new now; with `"ext": {"swapped": false}`: it was not old |
//!
//! No value is set twice on a key: they are 1, 2, 3, … in the order in which
//! they are issued. `old` is the value that was issued last: a guess, which is
//! right when that call has taken effect and no other since, and which needs no
//! knowledge of answers, so that the seed alone fixes the calls.
//!
//! Finds stale reads, lost updates, reads of values that never were, writes
//! that come back after they were overwritten, two swaps from one value.
//!
//! | option | default | |
//! |---|---|---|
//! | `keys` | 10 | keys at a time |
//! | `calls_per_key` | 200 | calls on a key before a fresh one takes its place |
//! | `skew` | 0 | how much hotter some keys are than others: hundredths of Zipf's exponent |
//! | `read`, `write`, `cas` | 1, 1, 1 | how often each is called, relative to each other |
//! | `initial` | null | what every key holds before the first call |
//! | `budget` | 2000000 | configurations to look at for a key before its verdict is `unknown` |
//! | `final_seconds` | 10 | the time for the last reads of a node: of the keys that were called last |

use serde_json::json;
use tribunal_checkers::{Compose, Linearizable, Statistics};
use tribunal_generator::{Boxed, Rng, Seed};
use tribunal_history::{Call, Map, Value};

use crate::keyed::{Keyed, Patience};
use crate::options::Options;
use crate::{CallError, Definition, Setting, Workload, WorkloadError};

/// The table's entry.
pub const DEFINITION: Definition = Definition {
    name: NAME,
    summary: "linearizable compare-and-set registers",
    source: include_str!("cas_register.rs"),
    build,
    checker,
};

const NAME: &str = "cas-register";

/// A call on one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    /// What does it hold?
    Read,
    /// Let it hold this.
    Write(i64),
    /// If it holds the first, let it hold the second.
    Cas(i64, i64),
}

impl Function {
    /// What a client is asked for.
    pub fn parse(call: &Call) -> Result<Self, CallError> {
        let parsed = match (&*call.f, &call.value) {
            ("read", _) => Some(Function::Read),
            ("write", value) => value.as_i64().map(Function::Write),
            ("cas", Value::Array(pair)) => match &pair[..] {
                [old, new] => old.as_i64().zip(new.as_i64()).map(|(o, n)| Function::Cas(o, n)),
                _ => None,
            },
            _ => None,
        };
        parsed.ok_or_else(|| CallError::of(NAME, call))
    }
}

impl From<Function> for Call {
    fn from(function: Function) -> Call {
        match function {
            Function::Read => Call::new("read"),
            Function::Write(value) => Call::new("write").value(value),
            Function::Cas(old, new) => Call::new("cas").value(json!([old, new])),
        }
    }
}

/// `[workload.cas-register]`, and `[workload.register]` without `cas`.
pub(crate) struct Choice {
    pub(crate) keyed: Keyed,
    /// Of read, write, cas and reset.
    pub(crate) weights: [u64; 4],
    pub(crate) initial: Value,
    pub(crate) budget: u64,
    pub(crate) patience: Patience,
}

fn choose(given: &Map<String, Value>) -> Result<Choice, WorkloadError> {
    let mut options = Options::new(NAME, given);
    let keyed = Keyed::choose(&mut options, 10, 200)?;
    let [read, write, cas] = options.weights([("read", 1), ("write", 1), ("cas", 1)])?;
    let initial = options.value("initial", Value::Null);
    let budget = options.number("budget", 2_000_000, 1..=u64::MAX)?;
    let patience = Patience::choose(&mut options, 10)?;
    options.done()?;
    let weights = [read, write, cas, 0];
    Ok(Choice { keyed, weights, initial, budget, patience })
}

fn build(setting: &Setting) -> Result<Workload, WorkloadError> {
    let choice = choose(&setting.options)?;
    let checker = judge(&choice);
    let required = ["read", "write", "cas"].into_iter().zip(choice.weights);
    let required = required.filter(|(_, weight)| *weight > 0).map(|(f, _)| (f.into(), 10));
    let required = required.collect();
    let (generator, last) = load(setting.seed, &choice);
    Ok(Workload { generator, last: Some(last), checker, required })
}

/// The calls, and the last reads: of the keys that were called last.
pub(crate) fn load(seed: Seed, choice: &Choice) -> (Boxed, Boxed) {
    let (weights, initial) = (choice.weights, choice.initial.clone());
    let calls = move |_, mut rng: Rng| {
        let (mut issued, initial) = (0, initial.clone());
        move || match draw(&mut rng, &weights, &mut issued) {
            Some(function) => Call::from(function),
            None => Call::new("write").value(initial.clone()),
        }
    };
    let (generator, begun) = choice.keyed.load(seed, "register", calls);
    let read = |key: u64| Call::from(Function::Read).key(key.to_string());
    (generator, choice.patience.reads(move || begun.newest(), read))
}

/// The next call on a key where `issued` was the last value; none for a write of the initial one.
fn draw(rng: &mut Rng, [read, write, cas, reset]: &[u64; 4], issued: &mut i64) -> Option<Function> {
    let ticket = rng.below(read + write + cas + reset);
    if ticket < *read {
        return Some(Function::Read);
    }
    if ticket >= read + write + cas {
        return None;
    }
    *issued += 1;
    // Nothing to compare with yet: the first value is written.
    Some(if ticket < read + write || *issued == 1 {
        Function::Write(*issued)
    } else {
        Function::Cas(*issued - 1, *issued)
    })
}

fn checker(given: &Map<String, Value>) -> Result<Compose, WorkloadError> {
    Ok(judge(&choose(given)?))
}

/// The checkers, of both workloads.
pub(crate) fn judge(choice: &Choice) -> Compose {
    let linearizable = Linearizable { initial: choice.initial.clone(), budget: choice.budget };
    Compose::new().with("linearizable", linearizable).with("statistics", Statistics)
}
