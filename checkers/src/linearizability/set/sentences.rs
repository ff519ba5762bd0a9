//! Clashes in words, for a person to check by eye.

use tribunal_history::{Datum, Operation, ValueRef};

use super::{At, Call, Clash, Since};
use crate::linearizability::model::{Conflict, Object};
use crate::times::{ended, seconds, span};

/// The conflict that a clash between the calls on `object` is.
pub(super) fn conflict(object: &Object<Call>, clash: &Clash) -> Conflict {
    let mut calls: Vec<u32> =
        clash.calls().iter().map(|&at| object.ops[at as usize].number).collect();
    let message = match clash {
        Clash::Unexpected { value, seen } => unexpected(object, *value, *seen, &mut calls),
        Clash::Future { value, add, seen } => format!(
            "{} before {} began at {}",
            answered(object, *seen, *value),
            noun(object, *add),
            seconds(operation(object, *add).invoked_at())
        ),
        Clash::Missing { value, known, lacking, since, .. } => {
            missing(object, *value, *known, *lacking, since.as_ref())
        }
        Clash::Fork { one, other } => format!(
            "{} and not {}, while {} and not {}: neither can have come first, for nothing is removed",
            answered(object, one.0, one.1),
            shown(object, other.1),
            answered(object, other.0, other.1),
            shown(object, one.1),
        ),
        Clash::Element { value, calls } => format!(
            "the answers about {} contradict each other: {}",
            shown(object, *value),
            told(object, *value, calls)
        ),
    };
    calls.sort_unstable();
    calls.dedup();
    Conflict { kind: clash.kind(), message, calls }
}

fn operation<'h>(object: &Object<'h, Call>, at: At) -> Operation<'h> {
    object.operation(object.ops[at as usize].number)
}

fn shown<'h>(object: &Object<'h, Call>, value: Datum) -> ValueRef<'h> {
    object.history.values().get(value)
}

/// "p0's add of 7".
fn noun(object: &Object<Call>, at: At) -> String {
    let call = operation(object, at);
    match call.f() {
        "read" => format!("{}'s read", call.process()),
        f => format!("{}'s {f} of {}", call.process(), call.argument()),
    }
}

/// "p3's read found 7 (0.300–0.310 s)", with what it says of the element.
fn answered(object: &Object<Call>, at: At, value: Datum) -> String {
    let call = operation(object, at);
    let (who, what, when) = (noun(object, at), shown(object, value), span(&call));
    let found = match &object.ops[at as usize].call {
        Call::Contains(_, found) => return format!("{who} was answered {found} ({when})"),
        Call::Read(elements) => elements.binary_search(&value).is_ok(),
        Call::Add(_) => return format!("{who} had been acknowledged ({when})"),
        Call::Remove(_) => return format!("{who} ({when})"),
    };
    match found {
        true => format!("{who} found {what} ({when})"),
        false => format!("{who} did not find {what} ({when})"),
    }
}

fn told(object: &Object<Call>, value: Datum, calls: &[At]) -> String {
    let told = |&at: &At| match object.ops[at as usize].call {
        Call::Add(_) | Call::Remove(_) => {
            format!("{} ({})", noun(object, at), span(&operation(object, at)))
        }
        _ => answered(object, at, value),
    };
    crate::blame::list(&calls.iter().map(told).collect::<Vec<String>>())
}

fn unexpected(object: &Object<Call>, value: Datum, seen: At, calls: &mut Vec<u32>) -> String {
    let what = shown(object, value);
    let message = format!("{}, but {what} was never added", answered(object, seen, value));
    let failed = object.failed.iter().map(|&number| object.operation(number));
    let Some(source) = failed.filter(|call| call.f() == "add").find(|call| call.argument() == what)
    else {
        return message;
    };
    calls.push(source.number());
    format!("{message}: {}'s add of {what} ({}) had failed", source.process(), span(&source))
}

fn missing(
    object: &Object<Call>,
    value: Datum,
    known: At,
    lacking: At,
    since: Option<&Since>,
) -> String {
    let at = ended(&operation(object, known)).map_or_else(String::new, seconds);
    let there = match object.ops[known as usize].call {
        Call::Add(_) => format!("{} had been acknowledged at {at}", noun(object, known)),
        _ => format!("{} had found it by {at}", noun(object, known)),
    };
    let message = format!("{}, although {there}", answered(object, lacking, value));
    let Some(since) = since else { return message };
    let later = shown(object, since.value);
    let began = seconds(operation(object, since.after).invoked_at());
    let after = noun(object, since.after);
    match object.ops[since.after as usize].call {
        Call::Add(_) => format!("{message}, before {after}, which it did find, began at {began}"),
        _ => {
            format!("{message}, and it did find {later}, which {after} (begun at {began}) had not")
        }
    }
}
