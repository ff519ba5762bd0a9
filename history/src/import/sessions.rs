//! Makes a history of sessions of transactions that nobody recorded the times of.
//!
//! Each transaction is an invocation and its completion, one right after the other; a session is
//! a process. The formats that come without times say nothing of the order of
//! different sessions' transactions, and neither does the history: it is
//! [without real time](History::has_real_time).

use super::error::{ImportError, Problem};
use super::text::Position;
use crate::columns::{Columns, NEMESIS, NONE, Row};
use crate::{Datum, History, Kind, Nanos, Reason, Values};

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It happened, and its reads are known.
    Committed,
    /// It did not happen.
    Aborted,
}

/// A history in the making.
pub(super) struct Sessions {
    columns: Columns,
    /// The place of the name `txn`.
    txn: u32,
    read: Datum,
    /// The steps of the transaction that is being added, as its invocation has them.
    asked: Vec<Datum>,
}

impl Sessions {
    pub(super) fn new() -> Self {
        let mut columns = Columns::default();
        let (txn, read) = (columns.names.place("txn"), columns.values.text("r"));
        Self { columns, txn, read, asked: Vec::new() }
    }

    /// The values that the steps' data are of.
    pub(super) fn values(&mut self) -> &mut Values {
        &mut self.columns.values
    }

    /// Adds a transaction: `["r", key, value]` and `["w", key, value]`, in order.
    pub(super) fn push(&mut self, session: u32, steps: &[Datum], fate: Fate) {
        let Self { columns, asked, read, .. } = self;
        asked.clear();
        let mut reads = false;
        for &step in steps {
            let asks = ask(&mut columns.values, step, *read);
            reads |= asks != step;
            asked.push(asks);
        }
        let called = columns.values.list(asked);
        let (kind, answer) = match fate {
            Fate::Committed if reads => (Kind::Ok, columns.values.list(steps)),
            Fate::Committed => (Kind::Ok, called),
            Fate::Aborted => (Kind::Fail, called),
        };
        for (kind, value) in [(Kind::Invoke, called), (kind, answer)] {
            let time = columns.len() as Nanos;
            let row =
                Row { time, process: session, kind, f: self.txn, key: NONE, value, node: NONE };
            columns.push(row);
        }
    }

    /// The history of all that was added.
    pub(super) fn finish(self) -> History {
        let history = History::of(self.columns).expect("calls that are completed at once");
        history.without_real_time()
    }
}

/// A step before its transaction ran: what a read finds is not known.
fn ask(values: &mut Values, step: Datum, read: Datum) -> Datum {
    let elements = values.get(step).elements().expect("a step is a list");
    match *elements.data() {
        [word, key, found] if word == read && !found.is_null() => {
            values.list(&[word, key, Datum::NULL])
        }
        _ => step,
    }
}

/// A session's number as a process'.
pub(super) fn process(session: u64, at: Position) -> Result<u32, ImportError> {
    let number = u32::try_from(session).ok().filter(|&number| number != NEMESIS);
    let too_large = || ImportError::at(at, Problem::History(Reason::ProcessTooLarge));
    number.ok_or_else(too_large)
}
