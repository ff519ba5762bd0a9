//! `write-skew`: of two inserts that each exclude the other, only one may succeed (Jepsen's
//! `adya` G2: an anti-dependency cycle over predicates).
//!
//! Calls, by key: `insert` [a, b], one of which is null: inserts a row with id a (or b) if it
//! finds no row of the key. Under serializability one insert a key succeeds at most.

use rustc_hash::FxHashMap;
use tribunal_history::{History, Operation};

use super::{anomaly, first, no_call, who};
use crate::{Checker, Verdict};

/// Judges inserts that exclude each other.
#[derive(Clone, Copy, Debug, Default)]
pub struct WriteSkew;

impl Checker for WriteSkew {
    fn check(&self, history: &History) -> Verdict {
        let mut by_key: FxHashMap<usize, Vec<Operation>> = FxHashMap::default();
        for call in history.operations() {
            let Some(place) = history.key_place(&call).filter(|_| call.f() == "insert") else {
                let calls = "insert [id, null] and insert [null, id], each with a key";
                return Verdict::objected(no_call(&call, "write-skew", calls));
            };
            if call.is_ok() {
                by_key.entry(place).or_default().push(call);
            }
        }
        let mut doubled: Vec<&Vec<Operation>> =
            by_key.values().filter(|inserts| inserts.len() > 1).collect();
        doubled.sort_by_key(|inserts| inserts[0].start());
        let anomalies = doubled.into_iter().map(|inserts| {
            let told: Vec<String> = inserts
                .iter()
                .map(|call| format!("{} inserted {}", who(call), call.argument()))
                .collect();
            let key = inserts[0].key();
            let message = format!(
                "key {}: {}; each was to insert only if there was no row yet, so the second must \
                 have missed the first (G2).",
                key.map_or(String::new(), |key| key.to_string()),
                told.join("; ")
            );
            let mut anomaly = anomaly("G2", inserts, message);
            anomaly.key = key.map(Into::into);
            anomaly
        });
        let verdict = Verdict::of(first(anomalies.collect()));
        verdict.fact("keys_with_an_insert", by_key.len())
    }
}
