//! Times of calls in words: "12.310 s", "640 µs", "31.198–31.204 s".
//!
//! Times are in seconds of the run, as the controller's clock recorded them.

use tribunal_history::{Kind, Nanos, Operation};

/// When a call certainly was over: never, if nobody knows what became of it.
pub(crate) fn ended(call: &Operation) -> Option<Nanos> {
    let answered = matches!(call.kind(), Kind::Ok | Kind::Fail);
    call.completed_at().filter(|_| answered)
}

/// "31.198–31.204 s".
pub(crate) fn span(call: &Operation) -> String {
    let from = call.invoked_at();
    match ended(call) {
        Some(until) => format!("{}–{}", decimal(from), seconds(until)),
        None => format!("from {}, outcome unknown", seconds(from)),
    }
}

/// How much later something was: what is too short for the digits of [`seconds`] is not told as nothing.
pub(crate) fn lapse(time: Nanos) -> String {
    match time {
        nanos @ 1_000_000.. => seconds(nanos),
        nanos @ 1_000.. => format!("{} µs", nanos / 1_000),
        nanos => format!("{nanos} ns"),
    }
}

/// "0.310 s".
pub(crate) fn seconds(time: Nanos) -> String {
    format!("{} s", decimal(time))
}

fn decimal(time: Nanos) -> String {
    format!("{}.{:03}", time / 1_000_000_000, time / 1_000_000 % 1_000)
}

/// "1 call", "2 calls".
pub(crate) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
