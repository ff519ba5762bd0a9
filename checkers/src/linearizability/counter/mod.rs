//! Counters: amounts are added, and the sum is read.
//!
//! - [`units`] decides exactly where every call adds the same amount, be it that
//!   adds say nothing of the sum or that they return it.
//! - [`bounds`] convicts where amounts differ: a sum below all that had been added
//!   for certain, or above all that can have been. To say more is to solve subset sum, so between
//!   the bounds the search decides, or nobody.
//!
//! Calls: `add` n (negative to take away; 1 where it says nothing), `read` -> the sum, and
//! adds that return it, `fetch-add` n -> the sum before, `add-fetch` n -> the sum after.

pub mod bounds;
pub mod units;
mod wording;

use tribunal_history::{Operation, ValueRef};

use super::model::{Conflict, Decision, Model, Object, Op};

/// A counter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counter {
    /// The sum before the first call.
    pub initial: i64,
}

/// The most calls of a witness that are listed. Every add so far shows that a sum was out of reach,
/// and nobody reads a thousand of them.
const LISTED: usize = 32;

/// A call on a counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Added this amount.
    Add(i64),
    /// Found this sum.
    Read(i64),
    /// Found a sum and added an amount to it at once.
    FetchAdd {
        /// The sum before.
        found: i64,
        /// The amount.
        amount: i64,
    },
}

impl Call {
    /// What it adds.
    fn amount(self) -> i64 {
        match self {
            Call::Add(amount) | Call::FetchAdd { amount, .. } => amount,
            Call::Read(_) => 0,
        }
    }

    /// The sum that it found.
    fn found(self) -> Option<i64> {
        match self {
            Call::Read(found) | Call::FetchAdd { found, .. } => Some(found),
            Call::Add(_) => None,
        }
    }
}

impl Model for Counter {
    type Call = Call;
    type State = i64;

    fn init(&self) -> i64 {
        self.initial
    }

    fn step(&self, &sum: &i64, call: &Call) -> impl IntoIterator<Item = i64> {
        let fits = call.found().is_none_or(|found| found == sum);
        sum.checked_add(call.amount()).filter(|_| fits)
    }

    fn call(&self, operation: &Operation) -> Result<Option<Call>, String> {
        let result = operation.result();
        match operation.f() {
            "read" => result.map(whole).transpose().map(|found| found.map(Call::Read)),
            "add" => amount(operation).map(|amount| Some(Call::Add(amount))),
            "fetch-add" | "add-fetch" => {
                let amount = amount(operation)?;
                let Some(sum) = result else { return Ok(Some(Call::Add(amount))) };
                let before = if operation.f() == "fetch-add" { 0 } else { amount };
                let found = whole(sum)?.checked_sub(before).ok_or("a sum is too large")?;
                Ok(Some(Call::FetchAdd { found, amount }))
            }
            other => Err(format!(
                "`{other}` is not a call of a counter; its calls are add, read, fetch-add and \
                 add-fetch"
            )),
        }
    }

    fn looks(&self, call: &Call) -> bool {
        call.amount() == 0
    }

    fn decide(&self, object: &Object<Call>) -> Option<Decision> {
        let (judge, answer) = match units::check(&object.ops, self.initial) {
            Some(answer) => ("units", answer),
            None => ("bounds", bounds::check(&object.ops, self.initial)?),
        };
        let conflict = answer.err().map(|breach| {
            let listed = &breach.calls[breach.calls.len().saturating_sub(LISTED)..];
            Conflict {
                kind: breach.kind(),
                message: wording::breach(object, &breach),
                calls: listed.iter().map(|&at| object.ops[at as usize].number).collect(),
            }
        });
        Some(Decision { judge, conflict })
    }
}

fn amount(operation: &Operation) -> Result<i64, String> {
    let argument = operation.argument();
    if argument.is_null() { Ok(1) } else { whole(argument) }
}

fn whole(value: ValueRef) -> Result<i64, String> {
    value.as_i64().ok_or_else(|| format!("a counter counts whole numbers, and this is {value}"))
}

/// A sum that cannot have been found. Calls are positions among the ops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The call that found it.
    pub call: u32,
    /// Why it cannot have been.
    pub reason: Reason,
    /// The calls that show it.
    pub calls: Vec<u32>,
}

/// Why a sum cannot have been found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The counter had passed it before the call began.
    Passed {
        /// What the sum was then, at the least (or, where all takes away, at the most).
        least: i64,
        /// The call that found the sum from which that follows; `None` is the initial one.
        since: Option<u32>,
    },
    /// The counter cannot have come as far before the call ended.
    Beyond {
        /// How far it can have come.
        most: i64,
    },
    /// Another add found the same sum, and moved the counter on.
    FoundTwice {
        /// The other one.
        other: u32,
    },
    /// The counter moves in steps of this size and never stands there.
    BetweenSteps {
        /// The amount of each add.
        step: i64,
    },
}

impl Breach {
    fn kind(&self) -> &'static str {
        match self.reason {
            Reason::Passed { .. } => "passed",
            Reason::Beyond { .. } => "beyond",
            Reason::FoundTwice { .. } => "found-twice",
            Reason::BetweenSteps { .. } => "between-steps",
        }
    }
}

/// Adds that began before a call ended, and the call: all that can explain what it found.
fn before_end(ops: &[Op<Call>], call: u32) -> Vec<u32> {
    let end = ops[call as usize].end;
    let begun = (0..).zip(ops).take_while(|(_, op)| op.start < end);
    begun.filter(|&(at, op)| at == call || op.call.amount() != 0).map(|(at, _)| at).collect()
}
