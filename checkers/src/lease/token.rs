//! Tokens that should not have been given, or should have been refused.

use serde_json::{Map, json};
use tribunal_history::{Datum, History, Operation, ValueRef};

use super::hold::Holds;
use crate::Anomaly;
use crate::keys::ByKey;
use crate::linearizability::lock::{Call, fenced, store};
use crate::linearizability::model::{NEVER, Op};
use crate::times::seconds;

/// Two grants whose tokens contradict their order, by their numbers.
pub(super) struct Disorder {
    /// Whether both are under one token.
    pub same: bool,
    /// The grant that ended first, or began first.
    pub first: u32,
    /// The other.
    pub second: u32,
}

/// Whether grants got tokens that grow, each its own.
pub(super) fn disorder(grants: &[Op<Call>]) -> Option<Disorder> {
    let number = |at: u32| grants[at as usize].number;
    match fenced::check(grants, false)?.err()? {
        fenced::Breach::SameToken { first, second } => {
            let (first, second) = (number(first.min(second)), number(first.max(second)));
            Some(Disorder { same: true, first, second })
        }
        fenced::Breach::TokenOrder { early, late } => {
            Some(Disorder { same: false, first: number(early), second: number(late) })
        }
        fenced::Breach::Misuse(_) | fenced::Breach::TwoHolders { .. } => None,
    }
}

/// The first renewal that began after a grant of a higher token had ended, behind that
/// grant, by their numbers.
pub(super) fn stale_renewal(holds: &Holds) -> Option<(u32, u32)> {
    let token = |op: &Op<Call>| match op.call {
        Call::Acquire { token, .. } => token,
        _ => None,
    };
    let mut grants: Vec<&Op<Call>> = holds.grants.iter().collect();
    grants.sort_unstable_by_key(|op| op.end);
    let mut grants = grants.into_iter().peekable();
    let mut highest: Option<&Op<Call>> = None;
    holds.renewals.iter().find_map(|&(renewed, start, number)| {
        while let Some(grant) = grants.next_if(|grant| grant.end < start) {
            if highest.is_none_or(|before| token(before) < token(grant)) {
                highest = Some(grant);
            }
        }
        let newer = highest.filter(|grant| token(grant) > Some(renewed))?;
        Some((newer.number, number))
    })
}

/// Writes that a store should have refused, one of each key.
pub(super) fn stale_writes(history: &History, writes: &ByKey) -> Vec<Anomaly> {
    let stale = |writes: &[u32]| {
        let calls = writes.iter().map(|&number| history.operation(number));
        let ops: Vec<Op<store::Call>> = calls.filter_map(|write| guarded(&write)).collect();
        let breach = store::check(&ops)?.err()?;
        let call = |at: u32| history.operation(ops[at as usize].number);
        Some(stale_write(&call(breach.newer), &call(breach.stale)))
    };
    writes.iter().filter_map(stale).collect()
}

fn guarded(write: &Operation) -> Option<Op<store::Call>> {
    let refused = write.result().and_then(ValueRef::as_bool) == Some(false);
    let token = write.argument().get("token").and_then(ValueRef::as_i64).filter(|_| !refused)?;
    let value = write.argument().get("value").map_or(Datum::NULL, ValueRef::datum);
    let end = write.end().map_or(NEVER, |end| end as u32 + 1);
    let call = store::Call::Write { token, value };
    Some(Op { call, start: write.start() as u32 + 1, end, number: write.number() })
}

fn stale_write(newer: &Operation, stale: &Operation) -> Anomaly {
    let field = |call: &Operation, name: &str| {
        call.argument().get(name).map_or_else(String::new, |value| value.to_string())
    };
    let until = |call: &Operation| call.completed_at().unwrap_or(call.invoked_at());
    let subject = newer.key().map_or_else(String::new, |key| format!("key {key}: "));
    let message = format!(
        "{subject}{}'s write of {} under token {} began at {} and was acknowledged, though the \
         store had acknowledged {}'s write of {} under token {} at {}.",
        stale.process(),
        field(stale, "value"),
        field(stale, "token"),
        seconds(stale.invoked_at()),
        newer.process(),
        field(newer, "value"),
        field(newer, "token"),
        seconds(until(newer)),
    );
    let token = |call: &Operation| call.argument().get("token").map(ValueRef::to_value);
    Anomaly {
        name: "stale-write".into(),
        message,
        key: newer.key().map(ValueRef::to_value),
        ops: vec![newer.start(), stale.start()],
        window: Some((newer.invoked_at(), until(stale))),
        details: Map::from_iter([
            ("newer".to_owned(), json!({"token": token(newer)})),
            ("stale".to_owned(), json!({"token": token(stale)})),
        ]),
    }
}
