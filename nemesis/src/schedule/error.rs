//! Why there is no schedule, each in one sentence.

use std::time::Duration;

use super::{MOST, Timing};
use crate::faults::PlanError;

/// Why there is no schedule.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScheduleError {
    /// A fault that cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Not enough time.
    #[error(
        "{faults} faults of {} s each, {} s apart, end {} s after the start, \
         but faults must be over after {} s: run longer or ask for fewer",
        .timing.duration.as_secs_f64(), .timing.interval.as_secs_f64(),
        .ends.as_secs_f64(), .timing.until.as_secs_f64()
    )]
    NoTime {
        /// How many kinds were asked for.
        faults: usize,
        /// When the last of them would be over.
        ends: Duration,
        /// What was asked for.
        timing: Timing,
    },
    /// A script's fault that would outlast the run.
    #[error(
        "the script's `{fault}` ends {} s after the start, but faults must be over after {} s",
        .ends.as_secs_f64(), .until.as_secs_f64()
    )]
    TooLate {
        /// Which.
        fault: String,
        /// When it would be over.
        ends: Duration,
        /// When it must be.
        until: Duration,
    },
    /// Two faults that harm the same processes at the same time.
    #[error(
        "these two harm the same processes at once, and each would undo or hide the other: {0}; and {1}"
    )]
    Contradiction(String, String),
    /// Next to no time from one to the next.
    #[error("more than {MOST} faults in one run: let them last longer, or lie farther apart")]
    TooMany,
}
