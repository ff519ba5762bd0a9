//! Why calls have no order that a set allows.

use tribunal_history::Datum;

use super::At;

/// A contradiction. Calls are positions among those that were judged.
///
/// By themselves the calls of a case have no order, if a read of the whole set
/// is taken to speak only of the elements that some `add` among them adds, and of the unexpected one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clash {
    /// An element was seen that was never added.
    Unexpected {
        /// The element.
        value: Datum,
        /// The call that saw it.
        seen: At,
    },
    /// An element was seen before it was added.
    Future {
        /// The element.
        value: Datum,
        /// The first call that added it.
        add: At,
        /// The call that saw it.
        seen: At,
    },
    /// An element was not seen, though it must have been there.
    Missing {
        /// The element.
        value: Datum,
        /// The call that added it.
        add: At,
        /// The call by whose end it was there: an `add`, or one that saw it.
        known: At,
        /// The call that did not see it.
        lacking: At,
        /// What shows that this call did look after that, if its own beginning does not.
        since: Option<Since>,
    },
    /// Of two reads, each lacks what the other has.
    Fork {
        /// One read, and an element of it that the other lacks, with the call that added it.
        one: (At, Datum, At),
        /// The other way around.
        other: (At, Datum, At),
    },
    /// The calls on one element contradict each other.
    Element {
        /// The element.
        value: Datum,
        /// The calls.
        calls: Vec<At>,
    },
}

/// An element that a read saw, and that was not there before some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Since {
    /// The element.
    pub value: Datum,
    /// The call that added it.
    pub add: At,
    /// The call at whose beginning it was not there yet: its `add`, or one that did not see it.
    pub after: At,
}

impl Clash {
    /// What kind it is, for machines.
    pub fn kind(&self) -> &'static str {
        match self {
            Clash::Unexpected { .. } => "unexpected",
            Clash::Future { .. } => "from-the-future",
            Clash::Missing { .. } => "missing",
            Clash::Fork { .. } => "fork",
            Clash::Element { .. } => "contradiction",
        }
    }

    /// The calls that show it.
    pub fn calls(&self) -> Vec<At> {
        let mut calls = match self {
            Clash::Unexpected { seen, .. } => vec![*seen],
            Clash::Future { add, seen, .. } => vec![*add, *seen],
            Clash::Missing { add, known, lacking, since, .. } => {
                let since = since.iter().flat_map(|since| [since.add, since.after]);
                [*add, *known, *lacking].into_iter().chain(since).collect()
            }
            Clash::Fork { one, other } => vec![one.0, one.2, other.0, other.2],
            Clash::Element { calls, .. } => calls.clone(),
        };
        calls.sort_unstable();
        calls.dedup();
        calls
    }
}
