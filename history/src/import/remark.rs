//! What a reader should know of an import that went well.

use std::fmt;

use crate::Nanos;

/// One thing that was decided or changed on the way in. Displays as a sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// The values are tuples of key and value.
    Tuples,
    /// So many reads of nil were taken as unanswered.
    ReadsOfNil(u64),
    /// So many events name no process.
    NoProcess(u64),
    /// So many processes called on after an info, and were renumbered.
    Retired(u64),
    /// The events' own indexes are not their positions.
    Renumbered,
    /// Times that ran backwards by little.
    TimesMoved {
        /// How many events.
        events: u64,
        /// By how much at most.
        furthest: Nanos,
    },
    /// So many lines of a log are no events.
    OtherLines(u64),
}

impl fmt::Display for Remark {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Remark::Tuples => out.write_str(
                "every value is a [key value] tuple and was split; --format edn-plain leaves them",
            ),
            Remark::ReadsOfNil(count) => write!(
                out,
                "reads of nil ({count}) were taken as unanswered, as Knossos takes them; \
                 --format edn takes them as reads of an absent value"
            ),
            Remark::NoProcess(count) => write!(
                out,
                "events that name no process ({count}) are no client's and were not judged"
            ),
            Remark::Retired(count) => write!(
                out,
                "processes that called on after an info ({count}) got a new number for what followed"
            ),
            Remark::Renumbered => out.write_str(
                "the events' own indexes are not their positions; verdicts count events from 0",
            ),
            Remark::TimesMoved { events, furthest } => write!(
                out,
                "times ran backwards ({events} events, by {:.9} s at most); \
                 the order of the file counts",
                *furthest as f64 / 1e9
            ),
            Remark::OtherLines(count) => {
                write!(out, "lines that are no events ({count}) were passed over")
            }
        }
    }
}
