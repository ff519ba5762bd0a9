//! Jepsen's `history.edn`: one map an event, one after the other or in one vector or list.
//!
//! What the events mean beside that (tuples of key and value, reads of nil) is told in
//! [`tuples`](super::tuples) and [`knossos`](super::knossos).

use super::edn::{self, DEEPEST, cut_off, unexpected};
use super::error::{Excerpt, ImportError, Problem};
use super::record::Records;
use super::text::{Position, Text};

/// Reads all events.
pub(super) fn read(text: &mut Text) -> Result<Records, ImportError> {
    let mut records = Records::default();
    let mut enclosing: Option<(u8, Position)> = None;
    loop {
        text.begin_event();
        let Some(byte) = edn::start(text, DEEPEST)? else { break };
        let at = text.position();
        match (byte, enclosing) {
            (b'[' | b'(', None) if records.list.is_empty() => {
                text.bump();
                enclosing = Some((if byte == b'[' { b']' } else { b')' }, at));
            }
            (_, Some((close, _))) if byte == close => {
                text.bump();
                return nothing_more(text).map(|()| records);
            }
            _ => event(text, at, &mut records)?,
        }
    }
    text.ended()?;
    match enclosing {
        Some((_, began)) => Err(cut_off(text, "the history", began)),
        None => Ok(records),
    }
}

fn event(text: &mut Text, at: Position, records: &mut Records) -> Result<(), ImportError> {
    let fields = edn::value(text, DEEPEST).map_err(|error| match text.peek() {
        None => error.cut_off("an event", at),
        Some(_) => error,
    })?;
    if !fields.is_object() {
        return Err(text.error_at(at, Problem::NotAnEvent(Excerpt::from(&fields))));
    }
    records.push(at, fields).map_err(|problem| text.error_at(at, problem))
}

fn nothing_more(text: &mut Text) -> Result<(), ImportError> {
    match edn::start(text, DEEPEST)? {
        Some(_) => Err(unexpected(text, "; the history ended before it")),
        None => text.ended(),
    }
}
