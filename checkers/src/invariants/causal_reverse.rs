//! `causal-reverse`: whoever sees a write sees all that were over before it began (Jepsen's
//! `causal-reverse`; strict serializability forbids what is found here, serializability does not).
//!
//! Calls, by key or without: `write` v, every value new; `read` -> [v, …], all that was written.

use rustc_hash::FxHashMap;
use tribunal_history::{Datum, History, Operation};

use super::{anomaly, first, no_answer, no_call, who};
use crate::{Anomaly, Checker, Verdict, keys};

const CALLS: &str = "write v and read -> [v, …]";

/// Judges reads of a set by the real-time order of the writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct CausalReverse;

impl Checker for CausalReverse {
    fn check(&self, history: &History) -> Verdict {
        if let Some(verdict) = Verdict::without_real_time(history) {
            return verdict;
        }
        let judged = match keys::each(history, judge) {
            Ok(judged) => judged,
            Err(problem) => return Verdict::objected(problem),
        };
        let anomalies = keys::wrong(&judged, |(missed, _)| missed.iter().cloned().collect());
        let reads: usize = judged.iter().map(|(_, (_, reads))| reads).sum();
        Verdict::of(first(anomalies)).fact("reads", reads)
    }
}

/// The first read of a key that misses a write, and how many reads there are.
fn judge(calls: &[Operation]) -> Result<(Option<Anomaly>, usize), String> {
    let mut writes: FxHashMap<Datum, &Operation> = FxHashMap::default();
    let mut reads = Vec::new();
    for call in calls {
        match (call.f(), call.result()) {
            ("write", _) => {
                if writes.insert(call.argument().datum(), call).is_some() {
                    return Err(format!(
                        "event {} writes {} again; every value must be new",
                        call.start(),
                        call.argument()
                    ));
                }
            }
            ("read", None) => {}
            ("read", Some(list)) => {
                let wrong = || no_answer(call, "causal-reverse", CALLS);
                reads.push((call, list.elements().ok_or_else(wrong)?));
            }
            _ => return Err(no_call(call, "causal-reverse", CALLS)),
        }
    }
    // The writes that were acknowledged, in the order of that.
    let mut over: Vec<&Operation> = writes.values().copied().filter(|call| call.is_ok()).collect();
    over.sort_by_key(|call| call.end());
    let place: FxHashMap<Datum, usize> =
        over.iter().enumerate().map(|(place, call)| (call.argument().datum(), place)).collect();
    let missed = reads.iter().find_map(|(read, list)| {
        let seen = list.data();
        let last =
            seen.iter().filter_map(|value| writes.get(value)).max_by_key(|call| call.start())?;
        let mut there = vec![false; over.len()];
        seen.iter().filter_map(|value| place.get(value)).for_each(|&at| there[at] = true);
        let missed = over[there.iter().position(|&there| !there)?];
        (missed.end()? < last.start()).then(|| reversed(read, last, missed))
    });
    Ok((missed, reads.len()))
}

fn reversed(read: &Operation, seen: &Operation, missed: &Operation) -> Anomaly {
    let message = format!(
        "{} saw {}, which {} wrote, and not {}, whose write by {} was over before that began.",
        who(read),
        seen.argument(),
        who(seen),
        missed.argument(),
        who(missed)
    );
    anomaly("causal-reverse", &[*missed, *seen, *read], message)
}
