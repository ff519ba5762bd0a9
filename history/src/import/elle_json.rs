//! elle-cli's JSON: one array of objects that have the fields of Jepsen's operations.

use super::edn::unexpected;
use super::error::ImportError;
use super::json::{self, DEEPEST, another, start};
use super::record::Records;
use super::text::Text;

/// Reads all events.
pub(super) fn read(text: &mut Text) -> Result<Records, ImportError> {
    let mut records = Records::default();
    if start(text) != Some(b'[') {
        return Err(unexpected(text, "; an array of events is"));
    }
    let began = text.position();
    text.bump();
    events(text, &mut records).map_err(|error| match text.peek() {
        None => error.cut_off("the history", began),
        Some(_) => error,
    })?;
    text.begin_event();
    match start(text) {
        Some(_) => Err(unexpected(text, "; the history ended before it")),
        None => text.ended().map(|()| records),
    }
}

/// Reads to the closing bracket.
fn events(text: &mut Text, records: &mut Records) -> Result<(), ImportError> {
    if start(text) == Some(b']') {
        text.bump();
        return Ok(());
    }
    loop {
        text.begin_event();
        start(text);
        let at = text.position();
        let fields = json::value(text, DEEPEST)?;
        records.push(at, fields).map_err(|problem| text.error_at(at, problem))?;
        if !another(text, b']')? {
            return Ok(());
        }
    }
}
