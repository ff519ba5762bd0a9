//! elle-cli's JSON: one array of objects that have the fields of Jepsen's operations.

use super::error::{ImportError, Problem};
use super::json::{self, DEEPEST, another, start};
use super::record::Records;
use super::text::Text;

/// Reads all events.
pub(super) fn read(text: &mut Text) -> Result<Records, ImportError> {
    let mut records = Records::default();
    if start(text) != Some(b'[') {
        return Err(super::edn::unexpected(text, "; an array of events is"));
    }
    let began = text.position();
    text.bump();
    if start(text) == Some(b']') {
        text.bump();
    } else {
        loop {
            text.begin_event();
            if start(text).is_none() {
                return Err(text.error(Problem::CutOff { what: "the history", began }));
            }
            let at = text.position();
            let fields = json::value(text, DEEPEST)?;
            records.push(at, fields).map_err(|problem| text.error_at(at, problem))?;
            if start(text).is_none() {
                return Err(text.error(Problem::CutOff { what: "the history", began }));
            }
            if !another(text, b']')? {
                break;
            }
        }
    }
    text.begin_event();
    match start(text) {
        Some(_) => Err(super::edn::unexpected(text, "; the history ended before it")),
        None => text.ended().map(|()| records),
    }
}
