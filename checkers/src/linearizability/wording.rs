//! Calls and times in words: "p12 read 41 on n3 (31.198–31.204 s)".
//!
//! Times are in seconds of the run, as the controller's clock recorded them.

use tribunal_history::{Datum, Kind, Nanos, Operation, ValueRef};

/// "p12 read 41 on n3 (31.198–31.204 s)".
pub(super) fn did(call: &Operation) -> String {
    let what = match (call.f(), call.result()) {
        ("read", Some(value)) => format!("read {value}"),
        ("cas", Some(_)) if unswapped(call) => match call.ext("found") {
            Some(found) => format!("found {found} in a cas{}", swap(call, " of ", " to ")),
            None => format!("found another value in a cas{}", swap(call, " of ", " to ")),
        },
        ("cas", _) => format!("swapped{}", swap(call, " ", " for ")),
        (_, _) => format!("wrote {}", call.argument()),
    };
    format!("{} {what}{} ({})", call.process(), on_node(call), span(call))
}

/// "p3's write of 42 on n1".
pub(super) fn noun(call: &Operation) -> String {
    let what = match (call.f(), call.result()) {
        ("read", Some(value)) => format!("read of {value}"),
        ("cas", Some(_)) if unswapped(call) => match call.ext("found") {
            Some(found) => format!("cas{} that found {found}", swap(call, " of ", " to ")),
            None => format!("cas{} that found another value", swap(call, " of ", " to ")),
        },
        ("cas", _) => format!("cas{}", swap(call, " of ", " to ")),
        (f, _) => format!("{f} of {}", call.argument()),
    };
    format!("{}'s {what}{}", call.process(), on_node(call))
}

/// "p3's write of 42 on n1 (29.300–29.310 s)".
pub(super) fn noun_at(call: &Operation) -> String {
    format!("{} ({})", noun(call), span(call))
}

fn unswapped(call: &Operation) -> bool {
    call.ext("swapped").map(ValueRef::datum) == Some(Datum::FALSE)
}

fn swap(call: &Operation, before: &str, between: &str) -> String {
    let argument = call.argument();
    match argument.pair() {
        Some([old, new]) => format!("{before}{old}{between}{new}"),
        None => format!("{before}{argument}"),
    }
}

fn on_node(call: &Operation) -> String {
    call.node().map_or(String::new(), |node| format!(" on {node}"))
}

pub(super) fn returned(call: &Operation) -> &'static str {
    if call.f() == "read" { "returned" } else { "been acknowledged" }
}

/// When a call certainly was over: never, if nobody knows what became of it.
pub(super) fn ended(call: &Operation) -> Option<Nanos> {
    let answered = matches!(call.kind(), Kind::Ok | Kind::Fail);
    call.completion().filter(|_| answered).map(|event| event.time())
}

pub(super) fn span(call: &Operation) -> String {
    let from = call.invoked_at();
    match ended(call) {
        Some(until) => format!("{}–{}", decimal(from), seconds(until)),
        None => format!("from {}, outcome unknown", seconds(from)),
    }
}

/// From the end of one call to the beginning of a later one.
pub(super) fn gap(first: &Operation, then: &Operation) -> String {
    let end = ended(first).unwrap_or(first.invoked_at());
    match then.invoked_at().saturating_sub(end) {
        nanos @ 1_000_000.. => seconds(nanos),
        nanos @ 1_000.. => format!("{} µs", nanos / 1_000),
        nanos => format!("{nanos} ns"),
    }
}

pub(super) fn seconds(time: Nanos) -> String {
    format!("{} s", decimal(time))
}

fn decimal(time: Nanos) -> String {
    format!("{}.{:03}", time / 1_000_000_000, time / 1_000_000 % 1_000)
}

pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}
