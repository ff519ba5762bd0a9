//! The calls on leases, each read once.

use tribunal_history::{Datum, Kind, Nanos, Operation, Process, ValueRef};

/// A call on a lease.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    pub action: Action,
    pub outcome: Outcome,
    pub process: u64,
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

/// Whether it is a call on a lease.
pub(super) fn on_lease(operation: &Operation) -> bool {
    matches!(operation.f(), "acquire" | "renew" | "release")
}

/// Whether it is an acknowledged write under a token.
pub(super) fn under_token(operation: &Operation) -> bool {
    operation.f() == "write" && operation.is_ok() && operation.argument().get("token").is_some()
}

impl Call {
    /// Reads a call on a lease.
    pub fn of(operation: &Operation) -> Option<Self> {
        let action = match operation.f() {
            "acquire" => Action::Acquire,
            "renew" => Action::Renew,
            _ => Action::Release,
        };
        let Process::Client(process) = operation.process() else { return None };
        let (argument, result) = (operation.argument(), operation.result());
        let field = |name| result.and_then(|it| it.get(name)).or_else(|| argument.get(name));
        let grants = action != Action::Release;
        Some(Self {
            action,
            outcome: outcome(operation, result),
            process,
            number: operation.number(),
            start: operation.invoked_at(),
            end: operation.completed_at().unwrap_or(Nanos::MAX),
            points: (operation.start() as u32 + 1, operation.end().map_or(0, |it| it as u32 + 1)),
            ttl: grants.then(|| ttl(field)).flatten(),
            token: grants.then(|| field("token").and_then(ValueRef::as_i64)).flatten(),
        })
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
