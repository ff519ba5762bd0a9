//! `causal-reverse`: whoever sees a write sees all that were over before it began (Jepsen's
//! `causal-reverse`; strict serializability forbids what is found here, serializability does not).
//!
//! Calls, by key or without: `write` v, every value new; `read` -> [v, …], all that was written. A read
//! shows each value once, and none that nobody wrote. That a read misses what was over before it began
//! is not asked here.

use rustc_hash::{FxHashMap, FxHashSet};
use tribunal_history::{Datum, History, Operation, ValueRef};

use super::{Stray, anomaly, first_of_each, no_answer, no_call, who};
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
        let anomalies = keys::wrong(&judged, |(anomalies, _)| anomalies.clone());
        let reads: usize = judged.iter().map(|(_, (_, reads))| reads).sum();
        let mut verdict = Verdict::of(first_of_each(anomalies)).fact("reads", reads);
        if reads == 0 {
            verdict.doubt("no read was acknowledged: nothing is known of the sets");
        }
        verdict
    }
}

/// A read, and the values that it shows.
type Read<'c, 'h> = (&'c Operation<'h>, Vec<ValueRef<'h>>);

/// What is wrong with the reads of a key, and how many there are.
fn judge(calls: &[Operation]) -> Result<(Vec<Anomaly>, usize), String> {
    let (writes, reads) = sorted(calls)?;
    let mut anomalies: Vec<Anomaly> = reads.iter().flat_map(|read| strays(read, &writes)).collect();
    anomalies.extend(missed(&writes, &reads));
    Ok((anomalies, reads.len()))
}

type Writes<'c, 'h> = FxHashMap<Datum, &'c Operation<'h>>;

fn sorted<'c, 'h>(
    calls: &'c [Operation<'h>],
) -> Result<(Writes<'c, 'h>, Vec<Read<'c, 'h>>), String> {
    let mut writes = Writes::default();
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
                reads.push((call, list.elements().ok_or_else(wrong)?.collect()));
            }
            _ => return Err(no_call(call, "causal-reverse", CALLS)),
        }
    }
    Ok((writes, reads))
}

/// The first value that a read shows and cannot have seen, and the first that it shows twice.
fn strays((read, shown): &Read, writes: &Writes) -> Vec<Anomaly> {
    let stray = shown.iter().find_map(|value| {
        let stray = Stray::of(read, writes.get(&value.datum()).copied(), true)?;
        Some(stray.anomaly("unexpected-element", read, &value.to_string()))
    });
    let mut once = FxHashSet::default();
    let twice = shown.iter().find(|value| !once.insert(value.datum())).map(|value| {
        let message = format!("{} saw {value} more than once; a set holds it once.", who(read));
        anomaly("duplicated-element", &[**read], message)
    });
    stray.into_iter().chain(twice).collect()
}

/// The first read that misses a write.
fn missed(writes: &Writes, reads: &[Read]) -> Option<Anomaly> {
    // The writes that were acknowledged, in the order of that.
    let mut over: Vec<&Operation> = writes.values().copied().filter(|call| call.is_ok()).collect();
    over.sort_by_key(|call| call.end());
    let place: FxHashMap<Datum, usize> =
        over.iter().enumerate().map(|(place, call)| (call.argument().datum(), place)).collect();
    reads.iter().find_map(|(read, shown)| {
        let writes = shown.iter().filter_map(|value| writes.get(&value.datum()).copied());
        let last = writes
            .filter(|write| Stray::of(read, Some(write), true).is_none())
            .max_by_key(|call| call.start())?;
        let mut there = vec![false; over.len()];
        let places = shown.iter().filter_map(|value| place.get(&value.datum()));
        places.for_each(|&at| there[at] = true);
        let missed = over[there.iter().position(|&there| !there)?];
        (missed.end()? < last.start()).then(|| reversed(read, last, missed))
    })
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
