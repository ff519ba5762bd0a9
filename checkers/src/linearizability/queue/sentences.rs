//! Clashes in words, for a person to check by eye.

use tribunal_history::{Operation, ValueRef};

use super::Call;
use super::clash::Clash;
use super::life::{At, Life};
use crate::linearizability::model::{Conflict, Object};
use crate::times::{count, ended, seconds, span};

/// The most values or calls listed in a sentence.
const LISTED: usize = 5;

/// The conflict that a clash between the calls on `object` is.
pub(in crate::linearizability) fn conflict(object: &Object<Call>, clash: &Clash) -> Conflict {
    let mut calls: Vec<u32> =
        clash.calls().iter().map(|&at| object.ops[at as usize].number).collect();
    let message = match clash {
        Clash::Unexpected { took } => unexpected(object, *took, &mut calls),
        Clash::Twice { put, first, second } => twice(object, *put, *first, *second),
        Clash::Future { put, took } => format!(
            "{}, but {} was put in only later, by {}",
            returned(object, *took),
            value(object, *took),
            noun(object, *put)
        ),
        Clash::Overtaken { first, second } => overtaken(object, first, second),
        Clash::LeftBehind { late, takes } => left_behind(object, late, takes.len()),
        Clash::NotEmpty { empty, cover } => not_empty(object, *empty, cover),
        Clash::Crowded { empty, lives, takes } => crowded(object, *empty, lives, takes.len()),
        Clash::Crossed { lives } => crossed(object, lives),
        Clash::Passed { took, higher } => passed(object, took, higher),
    };
    calls.sort_unstable();
    calls.dedup();
    Conflict { kind: clash.kind(), message, calls }
}

fn operation<'h>(object: &Object<'h, Call>, at: At) -> Operation<'h> {
    object.operation(object.ops[at as usize].number)
}

/// The value that a call put in or took out.
fn value<'h>(object: &Object<'h, Call>, at: At) -> ValueRef<'h> {
    let datum = match object.ops[at as usize].call {
        Call::Put(value) | Call::Took(value) => value,
        _ => tribunal_history::Datum::NULL,
    };
    object.history.values().get(datum)
}

/// "p3's dequeue".
fn whose(object: &Object<Call>, at: At) -> String {
    let call = operation(object, at);
    format!("{}'s {}", call.process(), call.f())
}

/// "p0's enqueue of 7 (0.100–0.110 s)".
fn noun(object: &Object<Call>, at: At) -> String {
    let of = value(object, at);
    format!("{} of {of} ({})", whose(object, at), span(&operation(object, at)))
}

/// "p3's dequeue returned 7 (0.300–0.310 s)".
fn returned(object: &Object<Call>, at: At) -> String {
    let what = value(object, at);
    format!("{} returned {what} ({})", whose(object, at), span(&operation(object, at)))
}

fn found_nothing(object: &Object<Call>, at: At) -> String {
    let call = operation(object, at);
    let found = if call.f() == "drain" { "left nothing behind" } else { "found nothing" };
    format!("{} {found} ({})", whose(object, at), span(&call))
}

fn acknowledged(object: &Object<Call>, at: At) -> String {
    let end = ended(&operation(object, at)).map_or_else(String::new, seconds);
    format!("{} of {} had been acknowledged at {end}", whose(object, at), value(object, at))
}

fn began(object: &Object<Call>, at: At) -> String {
    let start = seconds(operation(object, at).invoked_at());
    format!("{} of {} began at {start}", whose(object, at), value(object, at))
}

fn list(items: &[String]) -> String {
    match items.len() {
        0..=LISTED => crate::blame::list(items),
        all => format!("{} and {} more", items[..LISTED].join(", "), all - LISTED),
    }
}

fn values(object: &Object<Call>, lives: impl Iterator<Item = Life>) -> String {
    list(&lives.map(|life| value(object, life.put).to_string()).collect::<Vec<String>>())
}

/// "it was put in by p0's enqueue of 7 (…) and taken out by p1's dequeue of 7 (…)".
fn stay(object: &Object<Call>, life: &Life) -> String {
    let put = noun(object, life.put);
    match life.taken() {
        true => format!("{put} put it in, and {} took it out", noun(object, life.took)),
        false => format!("{put} put it in, and nobody took it out"),
    }
}

fn stays(object: &Object<Call>, lives: &[Life]) -> String {
    let told = |life: &Life| format!("{}: {}", value(object, life.put), stay(object, life));
    let told: Vec<String> = lives.iter().take(LISTED).map(told).collect();
    told.join("; ")
}

fn unexpected(object: &Object<Call>, took: At, calls: &mut Vec<u32>) -> String {
    let what = value(object, took);
    let failed = object.failed.iter().map(|&number| object.operation(number));
    let mut failed = failed.filter(|call| call.argument() == what);
    let message = format!("{}, but {what} was never put in", returned(object, took));
    let Some(source) = failed.next() else { return message };
    calls.push(source.number());
    let who = format!("{}'s {} of {what}", source.process(), source.f());
    format!("{message}: {who} ({}) had failed", span(&source))
}

fn twice(object: &Object<Call>, put: At, first: At, second: At) -> String {
    let mut takes = [first, second];
    takes.sort_by_key(|&at| object.ops[at as usize].end);
    let [first, second] = takes;
    let by = operation(object, first);
    let at = ended(&by).map_or_else(String::new, seconds);
    let what = value(object, put);
    format!(
        "{}, but {} had returned {what} as well, by {at}; it was put in once, by {}",
        returned(object, second),
        whose(object, first),
        noun(object, put)
    )
}

fn overtaken(object: &Object<Call>, first: &Life, second: &Life) -> String {
    format!(
        "{} before {}, but {} was there first: {}, before {}",
        returned(object, second.took),
        began(object, first.took),
        value(object, first.put),
        acknowledged(object, first.put),
        began(object, second.put),
    )
}

fn left_behind(object: &Object<Call>, late: &[(Life, Life)], takes: usize) -> String {
    if let ([(lost, next)], 0) = (late, takes) {
        return format!(
            "{}, but {} was there first and was never taken out: {}, before {}",
            returned(object, next.took),
            value(object, lost.put),
            acknowledged(object, lost.put),
            began(object, next.put),
        );
    }
    let (lost, next) = late[late.len() - 1];
    format!(
        "{} were never seen again, though values put in later were taken out, the last of them {} \
         (put in after {} was) by {}; only {} without an answer can have taken them",
        values(object, late.iter().map(|pair| pair.0)),
        value(object, next.put),
        value(object, lost.put),
        noun(object, next.took),
        count(takes, "call"),
    )
}

fn not_empty(object: &Object<Call>, empty: At, cover: &[Life]) -> String {
    let found = found_nothing(object, empty);
    match cover {
        [one] => {
            let what = value(object, one.put);
            format!("{found}, but {what} was inside all that time: {}", stay(object, one))
        }
        _ => format!(
            "{found}, but {} were never all outside in that time; {}",
            values(object, cover.iter().copied()),
            stays(object, cover)
        ),
    }
}

fn crowded(object: &Object<Call>, empty: At, lives: &[Life], takes: usize) -> String {
    let end = object.ops[empty as usize].end;
    let lost = lives.iter().filter(|life| !life.taken() && life.put_end < end).copied();
    format!(
        "{}, but at no moment of it can all values have been outside: {} were put in before its end \
         and never seen again, and only {} without an answer can have taken them in time",
        found_nothing(object, empty),
        values(object, lost),
        count(takes, "call"),
    )
}

fn crossed(object: &Object<Call>, lives: &[Life]) -> String {
    let order =
        |one: &Life, other: &Life| (one.put_end < other.put_start).then_some((*one, *other));
    let pair = match lives {
        [one, other] => order(one, other).or_else(|| order(other, one)),
        _ => None,
    };
    let Some((below, above)) = pair.filter(|(below, _)| below.taken()) else {
        return format!("no stack gives out values in this order: {}", stays(object, lives));
    };
    let what = value(object, above.put);
    let until = match above.taken() {
        true => format!("{what} came out only with {}", noun(object, above.took)),
        false => format!("{what} never came out"),
    };
    format!(
        "{}, but {what} lay on top of it: {}, before {}, and {until}",
        returned(object, below.took),
        acknowledged(object, below.put),
        noun(object, above.put),
    )
}

fn passed(object: &Object<Call>, took: &Life, higher: &[Life]) -> String {
    let found = returned(object, took.took);
    match higher {
        [one] => {
            let what = value(object, one.put);
            format!(
                "{found}, but the higher {what} was inside all that time: {}",
                stay(object, one)
            )
        }
        _ => format!(
            "{found}, but the higher {} were never all outside in that time; {}",
            values(object, higher.iter().copied()),
            stays(object, higher)
        ),
    }
}
