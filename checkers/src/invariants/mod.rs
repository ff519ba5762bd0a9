//! Promises of transactions that need no graph: what any reader may count on.
//!
//! One file a workload of Jepsen's: its calls, what is promised, the checker. Everything is told
//! from acknowledged calls alone, but a transaction of unknown outcome counts as one that may
//! have happened.

mod bank;
mod causal_reverse;
mod long_fork;
mod monotonic;
mod write_skew;

pub use bank::Bank;
pub use causal_reverse::CausalReverse;
pub use long_fork::LongFork;
pub use monotonic::Monotonic;
pub use write_skew::WriteSkew;

use tribunal_history::{Kind, Operation, ValueRef};

use crate::Anomaly;
use crate::times;

/// Witnesses of one kind that are told; further ones are counted.
const TOLD: usize = 8;

/// "p3 (n1, 1.200–1.210 s)".
fn who(call: &Operation) -> String {
    let node = call.node().map_or(String::new(), |node| format!("{node}, "));
    format!("{} ({node}{})", call.process(), times::span(call))
}

/// An anomaly that calls show together.
fn anomaly(name: &str, calls: &[Operation], message: String) -> Anomaly {
    let from = calls.iter().map(Operation::invoked_at).min();
    let until = calls.iter().filter_map(Operation::completed_at).max();
    Anomaly {
        name: name.to_owned(),
        message,
        ops: calls.iter().map(Operation::start).collect(),
        window: from.zip(until),
        ..Anomaly::default()
    }
}

/// The first few of each kind, the last of which counts the rest.
fn first_of_each(anomalies: Vec<Anomaly>) -> Vec<Anomaly> {
    let mut kinds: Vec<Vec<Anomaly>> = Vec::new();
    for anomaly in anomalies {
        match kinds.iter_mut().find(|kind| kind[0].name == anomaly.name) {
            Some(kind) => kind.push(anomaly),
            None => kinds.push(vec![anomaly]),
        }
    }
    kinds.into_iter().flat_map(first).collect()
}

/// The first few of a kind, the last of which counts the rest.
fn first(mut anomalies: Vec<Anomaly>) -> Vec<Anomaly> {
    let hidden = anomalies.len().saturating_sub(TOLD);
    anomalies.truncate(TOLD);
    if let (1.., Some(last)) = (hidden, anomalies.last_mut()) {
        last.message += &format!(" ({hidden} more of this kind.)");
    }
    anomalies
}

/// A value that a read shows and that is no write's of which it could be.
enum Stray<'c, 'h> {
    /// Nobody wrote it.
    Nobody,
    /// Its write failed: it did not happen.
    Failed(&'c Operation<'h>),
    /// Its write began after the read was over.
    Later(&'c Operation<'h>),
}

impl<'c, 'h> Stray<'c, 'h> {
    /// Whether what `read` shows is one; `write` is the only call that wrote it. What nobody recorded the times
    /// of is never too late.
    fn of(read: &Operation, write: Option<&'c Operation<'h>>, has_real_time: bool) -> Option<Self> {
        let Some(write) = write else { return Some(Self::Nobody) };
        let over = read.end().is_some_and(|end| end < write.start());
        match write.kind() {
            Kind::Fail => Some(Self::Failed(write)),
            _ => (over && has_real_time).then_some(Self::Later(write)),
        }
    }

    /// `otherwise` is what the anomaly is called where the write did not fail.
    fn anomaly(&self, otherwise: &str, read: &Operation, shown: &str) -> Anomaly {
        let reader = who(read);
        match self {
            Self::Nobody => {
                anomaly(otherwise, &[*read], format!("{reader} saw {shown}, which nobody wrote."))
            }
            Self::Failed(write) => {
                let writer = who(write);
                let message = format!("{reader} saw {shown}, whose write by {writer} had failed.");
                anomaly("aborted-read", &[**write, *read], message)
            }
            Self::Later(write) => {
                let writer = who(write);
                let message = format!("{reader} saw {shown} before {writer} began to write it.");
                anomaly(otherwise, &[*read, **write], message)
            }
        }
    }
}

/// The sentence about a call that is none of the workload's.
fn no_call(call: &Operation, workload: &str, calls: &str) -> String {
    let (event, f) = (call.start(), call.f());
    format!("event {event}: `{f}` is not a call of {workload}; its calls are {calls}")
}

/// The same of an answer that no such call has.
fn no_answer(call: &Operation, workload: &str, calls: &str) -> String {
    no_value(call, call.result().unwrap_or_else(|| call.argument()), workload, calls)
}

/// The same of what no such call is given.
fn no_argument(call: &Operation, workload: &str, calls: &str) -> String {
    no_value(call, call.argument(), workload, calls)
}

fn no_value(call: &Operation, value: ValueRef, workload: &str, calls: &str) -> String {
    let (event, f) = (call.start(), call.f());
    format!("event {event}: `{f}` with {value} is not of {workload}; its calls are {calls}")
}
