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
//! A process is a consumer, which reads on and on from the beginning. One that went elsewhere (`assign`,
//! `subscribe`, `seek`), or whose answer was lost, may have passed something over: its end proves nothing.
//!
//! Calls: `append` (or `write`) v -> offset; `poll` (or `watch`) -> [[offset, v], …].

use rustc_hash::{FxHashMap, FxHashSet};
use tribunal_history::{Datum, History, Kind, Operation, Process, ValueRef};

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
        let judged = match keys::each(history, |calls| self.judge(calls)) {
            Ok(judged) => judged,
            Err(problem) => return Verdict::objected(problem),
        };
        let anomalies = keys::wrong(&judged, |(anomalies, _)| anomalies.clone());
        let ended: usize = judged.iter().map(|(_, (_, ended))| ended).sum();
        let open = judged.iter().filter(|(_, (_, ended))| *ended == 0).count();
        let mut verdict = Verdict::of(anomalies).fact("consumers_to_the_end", ended);
        if open > 0 || judged.is_empty() {
            let all = judged.len();
            let of =
                if open < all { format!(" of {open} of {all} objects") } else { String::new() };
            verdict.doubt(format!(
                "no consumer polled to the end{of}: whether something never arrived is not known; \
                 mark the last polls as final"
            ));
        }
        verdict
    }
}

impl Unseen {
    /// What is wrong with one object, and how many consumers came to its end.
    fn judge(self, calls: &[Operation]) -> Result<(Vec<Anomaly>, usize), String> {
        if let Some(problem) = calls.iter().find_map(objection) {
            return Err(problem);
        }
        let ends = ends(calls);
        let mut anomalies = Vec::new();
        if self.by_each {
            for end in &ends {
                let own = calls.iter().filter(|call| call.process() == end.process());
                anomalies.extend(missed(calls, &values(own), end).map(|put| told(put, end, true)));
            }
        } else if let Some(end) = ends.last() {
            let seen = values(calls.iter());
            anomalies.extend(missed(calls, &seen, end).map(|put| told(put, end, false)));
        }
        anomalies.truncate(TOLD);
        Ok((anomalies, ends.len()))
    }
}

fn puts(call: &Operation) -> bool {
    matches!(call.f(), "append" | "write")
}

fn takes(call: &Operation) -> bool {
    matches!(call.f(), "poll" | "watch")
}

/// What came back is nothing that a poll brings.
fn objection(call: &Operation) -> Option<String> {
    let polled = call.result().filter(|polled| takes(call) && !polled.is_null())?;
    let is_run = polled.elements().is_some_and(|mut all| all.all(|entry| entry.pair().is_some()));
    let (at, f) = (call.start(), call.f());
    let told =
        || format!("event {at}: a {f} must answer [[offset, value], …], and this one did {polled}");
    (!is_run).then(told)
}

/// The last end that each consumer came to while it knew its place, in the order of their starts.
fn ends<'a, 'h>(calls: &'a [Operation<'h>]) -> Vec<&'a Operation<'h>> {
    let (mut ends, mut astray) = (FxHashMap::default(), FxHashSet::default());
    for call in calls {
        if is_end(call) && !astray.contains(&call.process()) {
            ends.insert(call.process(), call);
        } else if loses_place(call) {
            astray.insert(call.process());
        }
    }
    let mut ends: Vec<_> = ends.into_values().collect();
    ends.sort_unstable_by_key(|end| end.start());
    ends
}

/// Whether the consumer may be anywhere in the log after it.
fn loses_place(call: &Operation) -> bool {
    match call.f() {
        "assign" | "subscribe" | "seek" => call.kind() != Kind::Fail,
        _ => takes(call) && call.kind() == Kind::Info,
    }
}

/// A call that is marked as a consumer's last, and to which nothing came any more.
fn is_end(call: &Operation) -> bool {
    let is_final = call.invocation().ext("final").is_some_and(|it| it.datum() == Datum::TRUE);
    let nothing = |result: ValueRef| {
        result.is_null() || result.elements().is_some_and(|mut all| all.next().is_none())
    };
    let client = matches!(call.process(), Process::Client(_));
    client && takes(call) && is_final && call.result().is_some_and(nothing)
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
