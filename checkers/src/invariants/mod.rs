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

use tribunal_history::Operation;

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

/// The first few of a kind, the last of which counts the rest.
fn first(mut anomalies: Vec<Anomaly>) -> Vec<Anomaly> {
    let hidden = anomalies.len().saturating_sub(TOLD);
    anomalies.truncate(TOLD);
    if let (1.., Some(last)) = (hidden, anomalies.last_mut()) {
        last.message += &format!(" ({hidden} more of this kind.)");
    }
    anomalies
}

/// The sentence about a call that is none of the workload's.
fn no_call(call: &Operation, workload: &str, calls: &str) -> String {
    let (event, f) = (call.start(), call.f());
    format!("event {event}: `{f}` is not a call of {workload}; its calls are {calls}")
}

/// The same of an answer that no such call has.
fn no_answer(call: &Operation, workload: &str, calls: &str) -> String {
    let (event, f) = (call.start(), call.f());
    let answer = call.result().unwrap_or_else(|| call.argument());
    format!("event {event}: `{f}` with {answer} is not of {workload}; its calls are {calls}")
}
