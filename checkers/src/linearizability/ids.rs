//! Unique ids: every `generate` answers with one that was never given before.
//!
//! In n log n, linear where ids grow. Whether they do is not judged, nor what they look
//! like: a number and the text of it are two ids. Ids that nobody received may be any.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;
use tribunal_history::{Datum, History, Operation};

use super::model::{Conflict, Decision, Model, Object, Op};
use super::shown;
use crate::times::{count, ended, seconds};

/// A source of unique ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UniqueIds;

impl Model for UniqueIds {
    /// The id that came back.
    type Call = Datum;
    /// All ids given so far.
    type State = BTreeSet<Datum>;

    fn init(&self) -> Self::State {
        BTreeSet::new()
    }

    fn shown(&self, given: &Self::State, history: &History) -> String {
        shown::list(given, history)
    }

    fn step(&self, given: &Self::State, id: &Datum) -> impl IntoIterator<Item = Self::State> {
        let mut after = given.clone();
        after.insert(*id).then_some(after)
    }

    fn call(&self, operation: &Operation) -> Result<Option<Datum>, String> {
        match operation.f() {
            "generate" => match operation.result() {
                Some(id) if id.is_null() => Err("a generate must answer an id".to_owned()),
                id => Ok(id.map(|id| id.datum())),
            },
            other => Err(format!("`{other}` is not a call of unique ids; theirs is generate")),
        }
    }

    fn decide(&self, object: &Object<Datum>) -> Option<Decision> {
        let conflict = check(&object.ops).err().map(|twice| twice.conflict(object));
        Some(Decision { judge: "ids", conflict })
    }
}

/// Two calls that received one id. Calls are positions among the ops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twice {
    /// The call that began first.
    pub first: u32,
    /// The other.
    pub second: u32,
    /// How many more calls received an id that another had received.
    pub more: usize,
}

/// Judges whether all ids are distinct.
pub fn check(ops: &[Op<Datum>]) -> Result<(), Twice> {
    let mut ids: Vec<Datum> = ops.iter().map(|op| op.call).collect();
    // Most sources count up.
    if !ids.is_sorted() {
        ids.sort_unstable();
    }
    match ids.windows(2).any(|pair| pair[0] == pair[1]) {
        true => Err(twice(ops)),
        false => Ok(()),
    }
}

/// The first two calls that received one id; there are some.
fn twice(ops: &[Op<Datum>]) -> Twice {
    let mut given: FxHashMap<Datum, u32> = FxHashMap::default();
    let mut repeated = (0..).zip(ops).filter_map(|(at, op)| {
        let first = *given.entry(op.call).or_insert(at);
        (first != at).then_some((first, at))
    });
    let (first, second) = repeated.next().expect("an id that was given twice");
    Twice { first, second, more: repeated.count() }
}

impl Twice {
    fn conflict(&self, object: &Object<Datum>) -> Conflict {
        let numbers = [self.first, self.second].map(|at| object.ops[at as usize].number);
        let [first, second] = numbers.map(|number| object.operation(number));
        let at = |call: &Operation| ended(call).map_or_else(String::new, seconds);
        let more = match self.more {
            0 => String::new(),
            more => format!(
                "; {} received an id that another had received too",
                count(more, "more call")
            ),
        };
        let message = format!(
            "{} received the id {} at {}, and {} received it too at {}{more}",
            first.process(),
            first.result().map_or_else(String::new, |id| id.to_string()),
            at(&first),
            second.process(),
            at(&second),
        );
        Conflict { kind: "same-id", message, calls: numbers.to_vec() }
    }
}
