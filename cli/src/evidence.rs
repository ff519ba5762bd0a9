//! The demands on a run, from its record: so that a run is held to the same
//! ones when it is judged again.

use tribunal_checkers::Evidence;
use tribunal_harness::store::RunRecord;

/// Enough ok calls of each function, every fault of the schedule seen to act, and
/// an orderly end.
pub fn evidence(record: &RunRecord) -> Evidence {
    let required = record.required.iter().map(|(f, count)| (f.clone(), *count)).collect();
    let scheduled = |fault: &String| record.scheduled.get(fault).copied().unwrap_or(1);
    let faults = record.faults.iter().map(|fault| (fault.clone(), scheduled(fault))).collect();
    Evidence { required, faults, doubts: record.doubts() }
}
