//! What Knossos takes otherwise than Jepsen's clients mean it: a read of nil.
//!
//! Knossos' registers accept a read of nil in every state: nil stands for "the answer is not
//! known". In Jepsen's own histories nil is mostly what a client says of an absent key, and a
//! lost write may show in nothing else. So the rule depends on where a file comes from, and
//! nothing in it says so. It is told from what Knossos' files lack and Jepsen's have: a history
//! of reads, writes and compare-and-sets without a single time or index is taken as Knossos'.
//! A wrong guess can only miss a broken promise, never accuse of one.

use serde_json::Value;

use super::record::Record;
use crate::Kind;

/// Whether the events are more likely to be Knossos' than Jepsen's.
pub(super) fn is_told(records: &[Record]) -> bool {
    let fits = |record: &Record| {
        record.time.is_none()
            && record.index.is_none()
            && (record.client().is_none() || matches!(&*record.event.f, "read" | "write" | "cas"))
    };
    records.iter().any(Record::is_call) && records.iter().all(fits)
}

/// Takes every read of nil as one that was not answered, and counts them.
///
/// Such a read becomes a `fail`: it changed nothing and says nothing. An `info` would say
/// the same, but retires its process.
pub(super) fn forget_reads_of_nil(records: &mut [Record]) -> u64 {
    let mut forgotten = 0;
    for record in records {
        let is_ok = record.client().is_some() && record.event.kind == Kind::Ok;
        if is_ok && &*record.event.f == "read" && record.event.value.is_null() {
            record.event.kind = Kind::Fail;
            record.event.error = Value::from("the history does not say what was read");
            forgotten += 1;
        }
    }
    forgotten
}
