//! The demands on a run and its promises, from its record: so that a run is held to the same
//! ones when it is judged again.

use tribunal_checkers::{Compose, Evidence};
use tribunal_harness::store::RunRecord;

/// A workload's judges, and those that every run has: of its evidence, and of liveness where that was
/// promised.
pub fn judged_as_run(workload: Compose, record: &RunRecord) -> Compose {
    let judges = workload.with("evidence", evidence(record));
    match record.liveness {
        Some(liveness) => judges.with("liveness", liveness),
        None => judges,
    }
}

/// Enough ok calls of each function, every fault of the schedule seen to act, and
/// an orderly end.
fn evidence(record: &RunRecord) -> Evidence {
    let required = record.required.iter().map(|(f, count)| (f.clone(), *count)).collect();
    let scheduled = |fault: &String| record.scheduled.get(fault).copied().unwrap_or(1);
    let faults = record.faults.iter().map(|fault| (fault.clone(), scheduled(fault))).collect();
    Evidence { required, faults, doubts: record.doubts() }
}
