//! What was acknowledged and never arrived: for logs and watches, whose consumers read on and on.
//!
//! [`Log`](crate::linearizability::log::Log) asks nothing of a consumer that lags behind. In the end,
//! when all faults are healed, each consumer polls until nothing comes any more, in calls that are
//! marked `"ext": {"final": true}`. What was acknowledged before such a call began and
//! was answered with nothing has had all its time:
//!
//! - `never-seen`: no consumer ever saw it;
//! - `missed-change`: a consumer that watched to the end did not ([`Unseen::by_each`]).
//!
//! Calls: `append` (or `write`) v -> offset; `poll` (or `watch`) -> [[offset, v], …].

use rustc_hash::FxHashSet;
use tribunal_history::{Datum, History, Operation, Process};

use crate::linearizability::told::noun;
use crate::times::seconds;
use crate::{Anomaly, Checker, Verdict, keys};

/// Finds acknowledged values that never arrived.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unseen {
    /// Whether every consumer that watched to the end must have seen everything, from the very beginning.
    pub by_each: bool,
}

/// The most anomalies that are told, an object.
const TOLD: usize = 8;

impl Checker for Unseen {
    fn check(&self, history: &History) -> Verdict {
        let judged = keys::each(history, |calls| Ok::<_, String>(self.judge(calls)));
        let judged = match judged {
            Ok(judged) => judged,
            Err(problem) => return Verdict::objected(problem),
        };
        let anomalies = keys::wrong(&judged, |(anomalies, _)| anomalies.clone());
        let ended: usize = judged.iter().map(|(_, (_, ended))| ended).sum();
        let mut verdict = Verdict::of(anomalies).fact("consumers_to_the_end", ended);
        if ended == 0 {
            verdict.doubt(
                "no consumer polled to the end: whether something never arrived is not known; \
                 mark the last polls as final",
            );
        }
        verdict
    }
}

impl Unseen {
    /// What is wrong with one object, and how many consumers came to its end.
    fn judge(self, calls: &[Operation]) -> (Vec<Anomaly>, usize) {
        let ends: Vec<&Operation> = calls.iter().filter(|call| is_end(call)).collect();
        let mut anomalies = Vec::new();
        if self.by_each {
            for end in &ends {
                let own = calls.iter().filter(|call| call.process() == end.process());
                anomalies.extend(missed(calls, &values(own), end).map(|put| told(put, end, true)));
            }
        } else if let Some(end) = ends.iter().max_by_key(|end| end.start()) {
            let seen = values(calls.iter());
            anomalies.extend(missed(calls, &seen, end).map(|put| told(put, end, false)));
        }
        anomalies.truncate(TOLD);
        (anomalies, ends.len())
    }
}

fn puts(call: &Operation) -> bool {
    matches!(call.f(), "append" | "write")
}

fn takes(call: &Operation) -> bool {
    matches!(call.f(), "poll" | "watch")
}

/// A consumer's last call, to which nothing came any more.
fn is_end(call: &Operation) -> bool {
    let is_final = call.invocation().ext("final").is_some();
    let nothing = |result: tribunal_history::ValueRef| {
        result.is_null() || result.elements().is_some_and(|mut all| all.next().is_none())
    };
    let client = matches!(call.process(), Process::Client(_));
    client && takes(call) && is_final && call.is_ok() && call.result().is_some_and(nothing)
}

/// All values that these calls brought.
fn values<'h>(calls: impl Iterator<Item = &'h Operation<'h>>) -> FxHashSet<Datum> {
    let brought = calls.filter(|call| takes(call)).filter_map(|call| call.result()?.elements());
    brought.flatten().filter_map(|entry| entry.pair()).map(|[_, value]| value.datum()).collect()
}

/// What was acknowledged before the end began, and is not among what was seen.
fn missed<'a, 'h>(
    calls: &'a [Operation<'h>],
    seen: &'a FxHashSet<Datum>,
    end: &'a Operation<'h>,
) -> impl Iterator<Item = &'a Operation<'h>> {
    let over = |call: &&Operation| call.end().is_some_and(|at| at < end.start());
    let acknowledged = calls.iter().filter(|call| puts(call) && call.is_ok());
    acknowledged.filter(over).filter(|call| !seen.contains(&call.argument().datum()))
}

fn told(put: &Operation, end: &Operation, by_each: bool) -> Anomaly {
    let (value, at) = (put.argument(), put.completed_at().unwrap_or_default());
    let (name, who) = match by_each {
        true => ("missed-change", format!("{} never saw it", end.process())),
        false => ("never-seen", "no consumer ever saw it".to_owned()),
    };
    let message = format!(
        "{value} was acknowledged at {} by {}'s {}, and {who}, though nothing came any more at {}",
        seconds(at),
        put.process(),
        put.f(),
        noun(end),
    );
    Anomaly {
        name: name.to_owned(),
        message,
        ops: vec![put.start(), end.start()],
        window: Some((put.invoked_at(), end.completed_at().unwrap_or(end.invoked_at()))),
        ..Anomaly::default()
    }
}
