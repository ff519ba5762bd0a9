//! What went wrong with a log, in sentences.

use tribunal_history::{Datum, Operation};

use super::super::model::Object;
use super::Call;
use super::offsets::Breach;
use crate::times::{ended, seconds};

/// What kind of conflict it is.
pub(super) fn kind(object: &Object<Call>, breach: &Breach) -> &'static str {
    match *breach {
        Breach::SameOffset { .. } => "same-offset",
        Breach::Diverged { .. } => "diverged",
        Breach::Unappended { elsewhere: Some(_), .. } => "duplicate",
        Breach::Unappended { poll, offset, .. } => {
            match failed(object, polled(object, poll, offset)) {
                Some(_) => "aborted-append",
                None => "unappended",
            }
        }
        Breach::Unsorted { .. } => "unsorted-poll",
        Breach::Skipped { entry, .. } if is_append(object, entry) => "lost-append",
        Breach::Skipped { .. } => "skipped",
        Breach::Rewound { .. } => "rewound",
        Breach::OutOfOrder { early, .. } if is_append(object, early) => "out-of-order",
        Breach::OutOfOrder { .. } => "poll-from-the-future",
    }
}

/// What happened, in a sentence or two.
pub(super) fn breach(object: &Object<Call>, breach: &Breach) -> String {
    match *breach {
        Breach::SameOffset { first, second } => format!(
            "{} and {} were both acknowledged at offset {}: one overwrote the other",
            known(object, first),
            known(object, second),
            offset_of(object, first),
        ),
        Breach::Diverged { first, second, offset } => format!(
            "{} found {} at offset {offset}, but {}",
            call(object, second),
            value(object, polled(object, second, offset)),
            match is_append(object, first) {
                true => format!("{} was acknowledged there", known(object, first)),
                false => format!(
                    "{} found {} there",
                    call(object, first),
                    value(object, polled(object, first, offset))
                ),
            },
        ),
        Breach::Unappended { poll, offset, elsewhere } => {
            unappended(object, poll, offset, elsewhere)
        }
        Breach::Unsorted { poll } => {
            format!(
                "{} returned its entries in another order than that of their offsets",
                call(object, poll)
            )
        }
        Breach::Skipped { poll, before, entry, offset } => {
            skipped(object, poll, before, entry, offset)
        }
        Breach::Rewound { poll, before } => format!(
            "{} went back to offset {}, though {} had come as far as {}",
            call(object, poll),
            ends(object, poll).0,
            call(object, before),
            ends(object, before).1,
        ),
        Breach::OutOfOrder { early, late, offset, .. } => {
            let late = operation(object, late);
            let what = match is_append(object, early) {
                true => format!(
                    "{} was acknowledged at offset {}",
                    known(object, early),
                    offset_of(object, early)
                ),
                false => format!(
                    "{} came as far as offset {}",
                    call(object, early),
                    ends(object, early).1
                ),
            };
            format!(
                "{what}, before {}'s append of {} began at {}, but that took effect at offset {offset}: \
                 offsets must follow the order of time",
                late.process(),
                late.argument(),
                seconds(late.invoked_at()),
            )
        }
    }
}

fn unappended(object: &Object<Call>, poll: u32, offset: i64, elsewhere: Option<u32>) -> String {
    let value = polled(object, poll, offset);
    let found =
        format!("{} found {} at offset {offset}", call(object, poll), self::value(object, value));
    let Some(elsewhere) = elsewhere else {
        return match failed(object, value) {
            Some(failed) => format!(
                "{found}, but {}'s append of it had failed{}",
                failed.process(),
                ended(&failed).map_or_else(String::new, |at| format!(" at {}", seconds(at))),
            ),
            None => format!("{found}, but nobody ever appended it"),
        };
    };
    match is_append(object, elsewhere) {
        true => format!(
            "{found}, but {} was acknowledged at offset {}: it is there twice",
            known(object, elsewhere),
            offset_of(object, elsewhere),
        ),
        false => format!(
            "{found}, but {} found it at another offset, and it was not appended as often",
            call(object, elsewhere),
        ),
    }
}

fn skipped(
    object: &Object<Call>,
    poll: u32,
    before: Option<u32>,
    entry: u32,
    offset: i64,
) -> String {
    let (from, to) = ends(object, poll);
    let passed = match before {
        Some(before) => format!(
            "{} began at offset {from}, where {} had ended at {}",
            call(object, poll),
            call(object, before),
            ends(object, before).1,
        ),
        None => format!("{} returned offsets from {from} to {to}", call(object, poll)),
    };
    match is_append(object, entry) {
        true => format!(
            "{passed}, without {}, which was acknowledged at offset {offset}",
            known(object, entry)
        ),
        false => format!(
            "{passed}, without offset {offset}, where {} found an entry",
            call(object, entry)
        ),
    }
}

fn operation<'h>(object: &Object<'h, Call>, at: u32) -> Operation<'h> {
    object.operation(object.ops[at as usize].number)
}

fn is_append(object: &Object<Call>, at: u32) -> bool {
    matches!(object.ops[at as usize].call, Call::Append { .. })
}

/// "p3's append of 7 (at 0.310 s)".
fn known(object: &Object<Call>, append: u32) -> String {
    let append = operation(object, append);
    let at = ended(&append).map_or_else(String::new, |at| format!(" (at {})", seconds(at)));
    format!("{}'s append of {}{at}", append.process(), append.argument())
}

/// "p3's poll at 0.310 s".
fn call(object: &Object<Call>, at: u32) -> String {
    let call = operation(object, at);
    let when = ended(&call).map_or_else(String::new, |at| format!(" at {}", seconds(at)));
    format!("{}'s {}{when}", call.process(), call.f())
}

fn offset_of(object: &Object<Call>, append: u32) -> i64 {
    match object.ops[append as usize].call {
        Call::Append { offset, .. } => offset.unwrap_or_default(),
        _ => 0,
    }
}

/// The first and the last offset of a poll.
fn ends(object: &Object<Call>, poll: u32) -> (i64, i64) {
    match &object.ops[poll as usize].call {
        Call::Poll { entries, .. } => {
            let offsets = || entries.iter().map(|&(offset, _)| offset);
            (offsets().next().unwrap_or_default(), offsets().next_back().unwrap_or_default())
        }
        _ => (0, 0),
    }
}

/// What a poll found at an offset.
fn polled(object: &Object<Call>, poll: u32, offset: i64) -> Datum {
    match &object.ops[poll as usize].call {
        Call::Poll { entries, .. } => {
            let entry = entries.iter().find(|&&(there, _)| there == offset);
            entry.map_or(Datum::NOWHERE, |&(_, value)| value)
        }
        _ => Datum::NOWHERE,
    }
}

fn value(object: &Object<Call>, value: Datum) -> String {
    object.history.values().get(value).to_string()
}

/// An append of a value that failed.
fn failed<'h>(object: &Object<'h, Call>, value: Datum) -> Option<Operation<'h>> {
    let appends = object.failed.iter().map(|&number| object.operation(number));
    appends.into_iter().find(|append| {
        matches!(append.f(), "append" | "write") && append.argument().datum() == value
    })
}
