//! What sets are, call by call, and how their calls are written.
//!
//! Calls are `add` v, `remove` v, `contains` v -> true or false, and `read` -> [v, …]. A `read` or a
//! `contains` without an answer says nothing.

use tribunal_history::{Datum, History, Operation};

use super::sentences::conflict;
use super::{Call, Clash, element, grow};
use crate::linearizability::model::{Decision, Model, Object};
use crate::linearizability::shown;

/// A set from which nothing is removed.
#[derive(Clone, Copy, Debug, Default)]
pub struct GrowOnlySet;

/// A set.
#[derive(Clone, Copy, Debug, Default)]
pub struct Set;

/// Reads a call that did not fail.
fn read(operation: &Operation) -> Result<Option<Call>, String> {
    let (f, argument) = (operation.f(), operation.argument());
    if f == "read" {
        let Some(result) = operation.result() else { return Ok(None) };
        let elements = result.elements();
        let elements =
            elements.ok_or_else(|| format!("`read` answers with a list, not with {result}"))?;
        return Ok(Some(Call::read(elements.data().iter().copied())));
    }
    if !matches!(f, "add" | "remove" | "contains") {
        return Err(format!(
            "`{f}` is not a call of a set; its calls are add, remove, contains and read"
        ));
    }
    if argument.is_null() {
        return Err(format!("`{f}` needs an element"));
    }
    let element = argument.datum();
    match f {
        "add" => Ok(Some(Call::Add(element))),
        "remove" => Ok(Some(Call::Remove(element))),
        _ => match operation.result().map(|result| (result, result.as_bool())) {
            None => Ok(None),
            Some((_, Some(found))) => Ok(Some(Call::Contains(element, found))),
            Some((result, None)) => {
                Err(format!("`contains` answers with true or false, not with {result}"))
            }
        },
    }
}

/// What the set holds after a call, sorted; `None` if it cannot have been answered so.
fn step(held: &[Datum], call: &Call) -> Option<Vec<Datum>> {
    let place = |value: &Datum| held.binary_search(value);
    match call {
        Call::Add(value) => Some(match place(value) {
            Ok(_) => held.to_vec(),
            Err(at) => [&held[..at], &[*value], &held[at..]].concat(),
        }),
        Call::Remove(value) => Some(match place(value) {
            Ok(at) => [&held[..at], &held[at + 1..]].concat(),
            Err(_) => held.to_vec(),
        }),
        Call::Contains(value, found) => (place(value).is_ok() == *found).then(|| held.to_vec()),
        Call::Read(elements) => (held == &elements[..]).then(|| held.to_vec()),
    }
}

fn decision(
    judge: &'static str,
    object: &Object<Call>,
    answer: Result<(), Clash>,
) -> Option<Decision> {
    let conflict = answer.err().map(|clash| conflict(object, &clash));
    Some(Decision { judge, conflict })
}

impl Model for GrowOnlySet {
    type Call = Call;
    type State = Vec<Datum>;

    fn init(&self) -> Self::State {
        Vec::new()
    }

    fn shown(&self, held: &Self::State, history: &History) -> String {
        shown::list(held, history)
    }

    fn step(&self, held: &Self::State, call: &Call) -> impl IntoIterator<Item = Self::State> {
        step(held, call)
    }

    fn call(&self, operation: &Operation) -> Result<Option<Call>, String> {
        match operation.f() {
            "remove" => Err("a grow-only set has no `remove`".to_owned()),
            _ => read(operation),
        }
    }

    fn looks(&self, call: &Call) -> bool {
        matches!(call, Call::Contains(..) | Call::Read(_))
    }

    fn decide(&self, object: &Object<Call>) -> Option<Decision> {
        decision("grow-only set", object, grow::check(&object.ops)?)
    }
}

impl Model for Set {
    type Call = Call;
    type State = Vec<Datum>;

    fn init(&self) -> Self::State {
        Vec::new()
    }

    fn shown(&self, held: &Self::State, history: &History) -> String {
        shown::list(held, history)
    }

    fn step(&self, held: &Self::State, call: &Call) -> impl IntoIterator<Item = Self::State> {
        step(held, call)
    }

    fn call(&self, operation: &Operation) -> Result<Option<Call>, String> {
        read(operation)
    }

    fn looks(&self, call: &Call) -> bool {
        matches!(call, Call::Contains(..) | Call::Read(_))
    }

    fn decide(&self, object: &Object<Call>) -> Option<Decision> {
        if let Some(answer) = grow::check(&object.ops) {
            return decision("grow-only set", object, answer);
        }
        decision("elements", object, element::check(&object.ops)?)
    }
}
