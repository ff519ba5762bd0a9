//! `write-skew`: of two inserts that each exclude the other, only one may succeed (Jepsen's
//! `adya` G2: an anti-dependency cycle over predicates).
//!
//! Calls, by key: `insert` [a, b], one of which is null: inserts a row with id a (or b) if it
//! finds no row of the key. Under serializability one insert a key succeeds at most.

use tribunal_history::{History, Operation, ValueRef};

use super::{anomaly, first, no_argument, no_call, who};
use crate::{Anomaly, Checker, Verdict, keys};

const CALLS: &str = "insert [id, null] and insert [null, id], by key";

/// Judges inserts that exclude each other.
#[derive(Clone, Copy, Debug, Default)]
pub struct WriteSkew;

impl Checker for WriteSkew {
    fn check(&self, history: &History) -> Verdict {
        let keys = match keys::each(history, successful) {
            Ok(keys) => keys,
            Err(problem) => return Verdict::objected(problem),
        };
        let anomalies = keys::wrong(&keys, |inserts| doubled(inserts).into_iter().collect());
        let inserted = keys.iter().filter(|(_, inserts)| !inserts.is_empty()).count();
        let mut verdict = Verdict::of(first(anomalies)).fact("keys_with_an_insert", inserted);
        if inserted == 0 {
            verdict.doubt("no insert was acknowledged: none can have missed another");
        }
        verdict
    }
}

/// The inserts of a key that succeeded.
fn successful<'h>(calls: &[Operation<'h>]) -> Result<Vec<Operation<'h>>, String> {
    for call in calls {
        if call.f() != "insert" {
            return Err(no_call(call, "write-skew", CALLS));
        }
        if !is_one_row(call.argument()) {
            return Err(no_argument(call, "write-skew", CALLS));
        }
    }
    Ok(calls.iter().filter(|call| call.is_ok()).copied().collect())
}

/// A row of the first table or of the second.
fn is_one_row(value: ValueRef) -> bool {
    value.pair().is_some_and(|[first, second]| first.is_null() != second.is_null())
}

/// Two inserts or more, of one key.
fn doubled(inserts: &[Operation]) -> Option<Anomaly> {
    let told = |call: &Operation| format!("{} inserted {}", who(call), call.argument());
    (inserts.len() > 1).then(|| {
        let told: Vec<String> = inserts.iter().map(told).collect();
        let message = format!(
            "{}; each was to insert only if there was no row yet, so the second must have missed the \
             first (G2).",
            told.join("; ")
        );
        anomaly("G2", inserts, message)
    })
}
