//! Fenced stores: a write names the token of a lock, and is refused once a
//! higher one was seen. Exact in linear time.
//!
//! Acknowledged writes took effect in the order of their tokens. So none may have ended
//! before one of a lower token began: one pass with the highest token so far. Writes
//! that failed or were refused (`ok` with the value `false`) did not happen, and those of unknown
//! outcome need not have. Stores that are read too go to the search.

use tribunal_history::{Datum, History, Operation, ValueRef};

use super::super::model::{Conflict, Decision, Model, Object, Op};
use super::super::moments::{Moment, moments};
use super::super::shown;
use super::{numbers, refused, wording};

/// A register that refuses writes under an old token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FencedStore {
    /// What it holds before the first write, by no token.
    pub initial: Datum,
}

impl Default for FencedStore {
    /// Null.
    fn default() -> Self {
        Self { initial: Datum::NULL }
    }
}

/// A call on a fenced store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// Wrote a value under a token.
    Write {
        /// The token.
        token: i64,
        /// The value.
        value: Datum,
    },
    /// Found this value.
    Read(Datum),
}

/// What a fenced store knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// The highest token that it has seen.
    token: Option<i64>,
    /// What was written last.
    value: Datum,
}

impl Model for FencedStore {
    type Call = Call;
    type State = State;

    fn init(&self) -> State {
        State { token: None, value: self.initial }
    }

    fn shown(&self, state: &State, history: &History) -> String {
        let value = shown::value(state.value, history);
        match state.token {
            None => value,
            Some(token) => format!("{value} under token {token}"),
        }
    }

    fn step(&self, state: &State, call: &Call) -> impl IntoIterator<Item = State> {
        match *call {
            Call::Write { token, value } => {
                (state.token <= Some(token)).then_some(State { token: Some(token), value })
            }
            Call::Read(value) => (value == state.value).then_some(*state),
        }
    }

    fn call(&self, operation: &Operation) -> Result<Option<Call>, String> {
        match operation.f() {
            "read" => Ok(operation.result().map(|value| Call::Read(value.datum()))),
            "write" if refused(operation) => Ok(None),
            "write" => write(operation.argument()).map(Some),
            other => Err(format!(
                "`{other}` is not a call of a fenced store; its calls are write and read"
            )),
        }
    }

    fn looks(&self, call: &Call) -> bool {
        matches!(call, Call::Read(_))
    }

    fn decide(&self, object: &Object<Call>) -> Option<Decision> {
        let call = |at: u32| object.operation(object.ops[at as usize].number);
        let conflict = check(&object.ops)?.err().map(|breach| Conflict {
            kind: "stale-token",
            message: wording::stale(&call(breach.newer), &call(breach.stale)),
            calls: numbers(object, &[breach.newer, breach.stale]),
        });
        Some(Decision { judge: "tokens", conflict })
    }
}

fn write(argument: ValueRef) -> Result<Call, String> {
    let token = argument.get("token").and_then(ValueRef::as_i64);
    match (token, argument.get("value")) {
        (Some(token), Some(value)) => Ok(Call::Write { token, value: value.datum() }),
        _ => Err(format!(
            "a write of a fenced store must be {{\"token\": number, \"value\": value}}, and this one is \
             {argument}"
        )),
    }
}

/// A write that the store should have refused. Calls are positions among the ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breach {
    /// The write of the higher token, which ended first.
    pub newer: u32,
    /// The write that began afterwards and was acknowledged all the same.
    pub stale: u32,
}

/// Judges the calls on a fenced store, in the order of their starts.
///
/// `None` where the writes are in order and there are reads.
pub fn check(ops: &[Op<Call>]) -> Option<Result<(), Breach>> {
    let mut highest: Option<(i64, u32)> = None;
    let mut is_read = false;
    for moment in moments(ops) {
        let (Moment::Start(at) | Moment::End(at)) = moment;
        let op = &ops[at as usize];
        let Call::Write { token, .. } = op.call else {
            is_read |= !op.crashed();
            continue;
        };
        match moment {
            Moment::Start(_) if op.crashed() => {}
            Moment::Start(_) => {
                if let Some((_, newer)) = highest.filter(|&(seen, _)| token < seen) {
                    return Some(Err(Breach { newer, stale: at }));
                }
            }
            Moment::End(_) if highest.is_none_or(|(seen, _)| seen < token) => {
                highest = Some((token, at));
            }
            Moment::End(_) => {}
        }
    }
    (!is_read).then_some(Ok(()))
}
