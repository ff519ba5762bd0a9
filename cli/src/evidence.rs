//! The demands on a run, from its record: so that a run is held to the same
//! ones when it is judged again.

use tribunal_checkers::Evidence;
use tribunal_harness::store::RunRecord;

/// Enough ok calls of each function, and every kind of fault that was asked for
/// seen to act at least once.
pub fn evidence(record: &RunRecord) -> Evidence {
    let required = record.required.iter().map(|(f, count)| (f.clone(), *count)).collect();
    let faults = record.faults.iter().map(|fault| (fault.clone(), 1)).collect();
    Evidence { required, faults }
}
