//! What queues are, call by call, and how their calls are written.
//!
//! Calls are `enqueue` v, `dequeue` -> v or null where there is nothing, and `drain` -> [v, …]. A
//! `dequeue` that failed says nothing.

use std::collections::BTreeMap;

use tribunal_history::{Datum, History, Operation};

use super::sentences::conflict;
use super::{Call, Clash, bag, drains, fifo};
use crate::linearizability::model::{Decision, Model, Object, Op};
use crate::linearizability::shown;

/// A queue that gives values out in the order in which they came.
#[derive(Clone, Copy, Debug, Default)]
pub struct FifoQueue;

/// A queue that gives values out in any order.
#[derive(Clone, Copy, Debug, Default)]
pub struct UnorderedQueue;

/// How the calls are named.
pub(in crate::linearizability) struct Names {
    /// What the object is called in messages.
    pub object: &'static str,
    /// The calls that put a value in.
    pub put: &'static [&'static str],
    /// The calls that take one out.
    pub take: &'static [&'static str],
}

const QUEUE: Names = Names { object: "queue", put: &["enqueue"], take: &["dequeue"] };

impl Names {
    /// Reads a call that did not fail.
    pub fn read(&self, operation: &Operation) -> Result<Option<Call>, String> {
        let f = operation.f();
        if self.put.contains(&f) {
            return match operation.argument() {
                value if value.is_null() => Err(format!("`{f}` needs a value")),
                value => Ok(Some(Call::Put(value.datum()))),
            };
        }
        if self.take.contains(&f) {
            return Ok(Some(match operation.result() {
                None => Call::Take,
                Some(value) if value.is_null() => Call::Empty,
                Some(value) => Call::Took(value.datum()),
            }));
        }
        if f != "drain" {
            return Err(format!(
                "`{f}` is not a call of a {}; its calls are {}, {} and drain",
                self.object,
                self.put.join(", "),
                self.take.join(", ")
            ));
        }
        let Some(result) = operation.result() else { return Ok(Some(Call::Drain(None))) };
        match result.elements() {
            Some(values) => Ok(Some(Call::Drain(Some(values.data().into())))),
            None => Err(format!("`drain` answers with a list, not with {result}")),
        }
    }
}

/// A judge's answer as a decision.
pub(in crate::linearizability) fn decision(
    judge: &'static str,
    object: &Object<Call>,
    answer: Option<Result<(), Clash>>,
) -> Option<Decision> {
    let conflict = answer?.err().map(|clash| conflict(object, &clash));
    Some(Decision { judge, conflict })
}

impl Model for FifoQueue {
    type Call = Call;
    type State = Vec<Datum>;

    fn init(&self) -> Self::State {
        Vec::new()
    }

    fn shown(&self, held: &Self::State, history: &History) -> String {
        shown::list(held, history)
    }

    fn step(&self, held: &Self::State, call: &Call) -> impl IntoIterator<Item = Self::State> {
        let after = match call {
            Call::Put(value) => Some([held, &[*value][..]].concat()),
            Call::Took(value) => held
                .split_first()
                .filter(|(first, _)| *first == value)
                .map(|(_, rest)| rest.to_vec()),
            Call::Empty => held.is_empty().then(Vec::new),
            Call::Take => Some(held.iter().skip(1).copied().collect()),
            Call::Drain(Some(values)) => (held[..] == values[..]).then(Vec::new),
            Call::Drain(None) => Some(Vec::new()),
        };
        after.into_iter()
    }

    fn call(&self, operation: &Operation) -> Result<Option<Call>, String> {
        QUEUE.read(operation)
    }

    fn expand(&self, ops: Vec<Op<Call>>) -> Vec<Op<Call>> {
        drains::expand(ops)
    }

    fn decide(&self, object: &Object<Call>) -> Option<Decision> {
        decision("fifo", object, fifo::check(&object.ops))
    }
}

impl Model for UnorderedQueue {
    type Call = Call;
    /// How often each value is inside.
    type State = BTreeMap<Datum, u32>;

    fn init(&self) -> Self::State {
        BTreeMap::new()
    }

    fn shown(&self, held: &Self::State, history: &History) -> String {
        let each = |(value, &times): (_, &u32)| std::iter::repeat_n(value, times as usize);
        shown::list(held.iter().flat_map(each), history)
    }

    fn step(&self, held: &Self::State, call: &Call) -> impl IntoIterator<Item = Self::State> {
        match call {
            Call::Put(value) => {
                let mut after = held.clone();
                *after.entry(*value).or_default() += 1;
                vec![after]
            }
            Call::Took(value) => without(held, *value).into_iter().collect(),
            Call::Empty if held.is_empty() => vec![BTreeMap::new()],
            Call::Empty => Vec::new(),
            Call::Take if held.is_empty() => vec![BTreeMap::new()],
            Call::Take => held.keys().filter_map(|value| without(held, *value)).collect(),
            Call::Drain(Some(values)) => {
                let mut counts = BTreeMap::new();
                values.iter().for_each(|value| *counts.entry(*value).or_default() += 1);
                if counts == *held { vec![BTreeMap::new()] } else { Vec::new() }
            }
            Call::Drain(None) => vec![BTreeMap::new()],
        }
    }

    fn call(&self, operation: &Operation) -> Result<Option<Call>, String> {
        QUEUE.read(operation)
    }

    fn expand(&self, ops: Vec<Op<Call>>) -> Vec<Op<Call>> {
        drains::expand(ops)
    }

    fn decide(&self, object: &Object<Call>) -> Option<Decision> {
        decision("bag", object, bag::check(&object.ops))
    }
}

fn without(held: &BTreeMap<Datum, u32>, value: Datum) -> Option<BTreeMap<Datum, u32>> {
    let mut after = held.clone();
    let count = after.get_mut(&value)?;
    *count -= 1;
    if *count == 0 {
        after.remove(&value);
    }
    Some(after)
}
