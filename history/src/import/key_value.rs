//! Porcupine's key-value files: EDN maps with a `:key`, calls get, put and append.
//!
//! A read of a missing key answers `""` there: that is the checker's initial value, not a rule of
//! reading. What this adds to the reading of EDN is that nothing else may be in the file.

use super::error::{Excerpt, ImportError, Problem};
use super::record::Record;

/// Whether every client's event is one of such a file.
pub(super) fn is_told(records: &[Record]) -> bool {
    records.iter().any(Record::is_call) && require(records).is_ok()
}

/// Refuses the first event that is none of such a file's.
pub(super) fn require(records: &[Record]) -> Result<(), ImportError> {
    let fits = |record: &&Record| {
        record.client().is_none()
            || (record.event.key.is_some() && matches!(&*record.event.f, "get" | "put" | "append"))
    };
    match records.iter().find(|record| !fits(record)) {
        None => Ok(()),
        Some(other) => {
            Err(ImportError::at(other.at, Problem::NotKeyValue(Excerpt::of(&other.event.f))))
        }
    }
}
