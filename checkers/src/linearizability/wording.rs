//! Calls on registers in words: "p12 read 41 on n3 (31.198–31.204 s)".

use tribunal_history::{Datum, Operation, ValueRef};

use crate::times::{ended, lapse, span};

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

/// From the end of one call to the beginning of a later one.
pub(super) fn gap(first: &Operation, then: &Operation) -> String {
    let end = ended(first).unwrap_or(first.invoked_at());
    lapse(then.invoked_at().saturating_sub(end))
}
