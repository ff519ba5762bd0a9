//! The calls on leases, read once, on all cores.

use rayon::prelude::*;
use tribunal_history::{Datum, History, Kind, Nanos, Operation, Process, ValueRef};

/// A call on a lease.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub action: Action,
    pub outcome: Outcome,
    pub process: u64,
    /// The place of its lease among the history's keys.
    pub key: Option<usize>,
    /// Which operation it is.
    pub number: u32,
    /// When it began.
    pub start: Nanos,
    /// When it was acknowledged, if it was.
    pub end: Nanos,
    /// Where it began and was acknowledged in the log, from 1.
    pub points: (u32, u32),
    pub ttl: Option<Nanos>,
    pub token: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Acquire,
    Renew,
    Release,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It happened.
    Ok,
    /// It did not: it failed, or was answered with `false`.
    Refused,
    /// Nobody knows.
    Unknown,
}

/// What a history says of leases.
pub(super) struct Calls {
    pub leases: Vec<Call>,
    /// Acknowledged writes under a token, by number.
    pub writes: Vec<u32>,
}

/// An operation that matters here.
enum Read {
    Lease(Call),
    Write(u32),
}

/// Reads all calls, in the order of their starts.
pub(super) fn read(history: &History) -> Calls {
    let numbers = 0..history.operations().len() as u32;
    let read = |number| Read::of(history, history.operation(number));
    let all: Vec<Read> = numbers.into_par_iter().filter_map(read).collect();
    let mut calls = Calls { leases: Vec::with_capacity(all.len()), writes: Vec::new() };
    for read in all {
        match read {
            Read::Lease(call) => calls.leases.push(call),
            Read::Write(number) => calls.writes.push(number),
        }
    }
    calls
}

impl Read {
    fn of(history: &History, operation: Operation) -> Option<Self> {
        let action = match operation.f() {
            "acquire" => Action::Acquire,
            "renew" => Action::Renew,
            "release" => Action::Release,
            "write" if operation.is_ok() => {
                let guarded = operation.argument().get("token").is_some();
                return guarded.then(|| Read::Write(operation.number()));
            }
            _ => return None,
        };
        let Process::Client(process) = operation.process() else { return None };
        let (argument, result) = (operation.argument(), operation.result());
        let field = |name| result.and_then(|it| it.get(name)).or_else(|| argument.get(name));
        let is_acquire = action != Action::Release;
        Some(Read::Lease(Call {
            action,
            outcome: outcome(&operation, result),
            process,
            key: history.key_place(&operation),
            number: operation.number(),
            start: operation.invoked_at(),
            end: operation.completed_at().unwrap_or(Nanos::MAX),
            points: (operation.start() as u32 + 1, operation.end().map_or(0, |it| it as u32 + 1)),
            ttl: is_acquire.then(|| ttl(field)).flatten(),
            token: is_acquire.then(|| field("token").and_then(ValueRef::as_i64)).flatten(),
        }))
    }
}

fn outcome(operation: &Operation, result: Option<ValueRef>) -> Outcome {
    match (operation.kind(), result.map(ValueRef::datum)) {
        (Kind::Fail, _) | (_, Some(Datum::FALSE)) => Outcome::Refused,
        (Kind::Ok, _) => Outcome::Ok,
        _ => Outcome::Unknown,
    }
}

fn ttl<'h>(field: impl Fn(&'static str) -> Option<ValueRef<'h>>) -> Option<Nanos> {
    let millis = || Some(field("ttl_ms")?.as_u64()?.saturating_mul(1_000_000));
    field("duration_ns").and_then(ValueRef::as_u64).or_else(millis)
}
