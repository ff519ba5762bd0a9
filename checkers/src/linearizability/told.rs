//! Calls on any object in words: "p3's dequeue on n1 that returned 7 (0.300–0.310 s)".
//!
//! Only what a recorded call says of itself; the registers have better words of their own.

use tribunal_history::{Operation, ValueRef};

use crate::times::span;

/// "p3's dequeue on n1 returned 7 (0.300–0.310 s)".
pub(crate) fn did(call: &Operation) -> String {
    let answer = match answer(call) {
        Some(answer) => format!("returned {answer}"),
        None if call.is_ok() => "was acknowledged".to_owned(),
        None => "may have happened".to_owned(),
    };
    format!("{} {answer} ({})", asked(call), span(call))
}

/// "p3's dequeue on n1 that returned 7".
pub(crate) fn noun(call: &Operation) -> String {
    let answer = answer(call).map_or(String::new(), |answer| format!(" that returned {answer}"));
    asked(call) + &answer
}

/// "dequeue 7", "cas [1,2]", "incr 2 -> 5": a call in as few words as there are.
pub(super) fn label(call: &Operation) -> String {
    let mut label = call.f().to_owned();
    if let Some(argument) = argument(call) {
        label.push_str(&format!(" {argument}"));
    }
    if let Some(answer) = answer(call) {
        let arrow = if argument(call).is_some() { "-> " } else { "" };
        label.push_str(&format!(" {arrow}{answer}"));
    }
    match call.ext("found") {
        Some(found) => label.push_str(&format!(" found {found}")),
        None if call.ext("swapped").and_then(ValueRef::as_bool) == Some(false) => {
            label.push_str(" unswapped");
        }
        None => {}
    }
    label
}

fn asked(call: &Operation) -> String {
    let of = argument(call).map_or(String::new(), |argument| format!(" of {argument}"));
    let on = call.node().map_or(String::new(), |node| format!(" on {node}"));
    format!("{}'s {}{of}{on}", call.process(), call.f())
}

/// What was given; where the answer is the same with its blanks filled in, the answer.
fn argument<'h>(call: &Operation<'h>) -> Option<ValueRef<'h>> {
    let filled = call.result().filter(|&result| fills(call.argument(), result));
    filled.or(Some(call.argument())).filter(|argument| !argument.is_null())
}

/// What came back, unless it says no more than the call or nothing at all.
fn answer<'h>(call: &Operation<'h>) -> Option<ValueRef<'h>> {
    let argument = call.argument();
    let news = |result: &ValueRef| *result != argument && !fills(argument, *result);
    call.result()
        .filter(news)
        .filter(|result| argument.is_null() || !result.is_null())
        .or_else(|| call.result().filter(|result| argument.is_null() && result.is_null()))
}

/// Whether both are lists of as many elements.
fn fills(argument: ValueRef, result: ValueRef) -> bool {
    let (given, back) = (argument.elements(), result.elements());
    given.zip(back).is_some_and(|(given, back)| given.len() == back.len())
}
