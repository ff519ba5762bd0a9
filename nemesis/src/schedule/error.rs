//! Why there is no schedule, each in one sentence.

use std::time::Duration;

use tribunal_history::Name;

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
    /// Two faults that harm the same at the same time.
    #[error(
        "these two harm the same {what} at once, and each would undo or hide the other: {one}; and {other}"
    )]
    Contradiction {
        /// What both harm.
        what: &'static str,
        /// The earlier one.
        one: String,
        /// The later one.
        other: String,
    },
    /// A fault that takes more nodes down than may be.
    #[error(
        "the fault `{fault}`, as it is asked for, takes at least {least} of {of} nodes down, and \
         `max_down` is {most}"
    )]
    TooManyDown {
        /// Which.
        fault: String,
        /// How many it takes at least.
        least: usize,
        /// Of how many.
        of: usize,
        /// How many may be down.
        most: usize,
    },
    /// Two faults of a script that together take more nodes down than may be.
    #[error(
        "these two together take more than {most} of {of} nodes down, which is `max_down`: {one}; and {other}"
    )]
    TogetherDown {
        /// One.
        one: String,
        /// The other.
        other: String,
        /// Of how many nodes.
        of: usize,
        /// How many may be down.
        most: usize,
    },
    /// A kind of fault that is never to happen.
    #[error(
        "the fault `{fault}` never fits beside the others with at most {most} of {of} nodes down: \
         ask for fewer at once, or let `max_down` be more"
    )]
    NeverFits {
        /// Which.
        fault: String,
        /// Of how many nodes.
        of: usize,
        /// How many may be down.
        most: usize,
    },
    /// A recorded fault of a node that is no more.
    #[error(
        "the recorded fault {fault} is one of node {node}, and there is no such node now; there are {there}"
    )]
    Gone {
        /// Which fault.
        fault: String,
        /// Whose.
        node: Name,
        /// The nodes that there are.
        there: String,
    },
    /// Next to no time from one to the next.
    #[error("more than {MOST} faults in one run: let them last longer, or lie farther apart")]
    TooMany,
}
