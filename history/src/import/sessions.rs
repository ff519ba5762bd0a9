//! Makes a history of sessions of transactions that nobody recorded the times of.
//!
//! Each transaction is an invocation and its completion, one right after the other; a session is
//! a process. The formats that come without times say nothing of the order of
//! different sessions' transactions, and neither does the history: it is
//! [without real time](History::has_real_time).

use rayon::prelude::*;

use super::error::{ImportError, Problem};
use super::steps::Step;
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

/// The words for a read and for a write, as some values have them.
#[derive(Clone, Copy)]
pub(super) struct Words {
    read: Datum,
    write: Datum,
}

impl Words {
    pub(super) fn of(values: &mut Values) -> Self {
        Self { read: values.text("r"), write: values.text("w") }
    }

    /// A step as a list of those values, which then hold it as it was asked for, too.
    #[inline]
    pub(super) fn step(self, values: &mut Values, step: Step) -> Datum {
        let word = if step.reads { self.read } else { self.write };
        let list = [word, step.key, step.value.unwrap_or(Datum::NULL)];
        if let Some(alone) = Datum::list(&list) {
            return alone;
        }
        if step.reads {
            values.list(&[word, step.key, Datum::NULL]);
        }
        values.list(&list)
    }

    /// A step before its transaction ran: what a read finds is not known.
    fn ask(self, values: &Values, step: Datum) -> Datum {
        if let Some(asked) = step.asked() {
            return asked;
        }
        let elements = values.get(step).elements().expect("a step is a list");
        match *elements.data() {
            [word, key, found] if word == self.read && !found.is_null() => {
                let asked = values.find_list(&[word, key, Datum::NULL]);
                asked.expect("a step is added with what was asked for")
            }
            _ => step,
        }
    }
}

/// Sessions that are becoming a history.
#[derive(Default)]
pub(super) struct Sessions {
    steps: Vec<Datum>,
    transactions: Vec<Transaction>,
}

/// A transaction of a session.
struct Transaction {
    session: u32,
    fate: Fate,
    /// Where its steps end among all; they begin where those of the one before end.
    steps_end: usize,
    /// The line of the file on which it begins, from 1; 0 where nobody knows.
    line: u32,
}

/// Transactions that are given to the history together.
const CHUNK: usize = 1 << 12;

/// Chunks that are made at once.
const TURN: usize = 16;

impl Sessions {
    /// Sessions of which all steps are known.
    pub(super) fn of(steps: Vec<Datum>) -> Self {
        Self { steps, transactions: Vec::new() }
    }

    /// Adds a transaction whose steps end at a place among all, and begin where those of the one before end; on
    /// which line of the file it begins, from 1, or 0.
    pub(super) fn push(&mut self, session: u32, fate: Fate, steps_end: usize, line: u32) {
        self.transactions.push(Transaction { session, fate, steps_end, line });
    }

    /// Adds steps to the transaction that is under way.
    pub(super) fn extend(&mut self, steps: &[Datum]) {
        self.steps.extend_from_slice(steps);
    }

    /// How many steps the transaction that is under way has.
    pub(super) fn under_way(&self) -> usize {
        self.steps.len() - self.transactions.last().map_or(0, |last| last.steps_end)
    }

    /// Ends the transaction that is under way, and began on a line, from 1, or 0.
    pub(super) fn end(&mut self, session: u32, fate: Fate, line: u32) {
        self.push(session, fate, self.steps.len(), line);
    }

    /// The history of all transactions; `values` holds their [steps](Words::step).
    pub(super) fn finish(self, mut values: Values) -> History {
        let words = Words::of(&mut values);
        let (mut columns, mut from) = (Columns::default(), 0);
        let txn = columns.names.place("txn");
        columns.reserve(2 * self.transactions.len());
        for turn in self.transactions.chunks(CHUNK * TURN) {
            let calls = calls(&mut values, words, &self.steps, from, turn);
            for (transaction, call) in turn.iter().zip(calls) {
                transaction.tell(&mut columns, txn, call);
            }
            from = turn.last().map_or(from, |last| last.steps_end);
        }
        columns.values = values;
        let history = History::of(columns).expect("calls that are completed at once");
        let has_lines = self.transactions.iter().all(|transaction| transaction.line > 0);
        let lines = self.transactions.iter().filter(|_| has_lines);
        history.without_real_time().on_lines(lines.map(|transaction| transaction.line).collect())
    }
}

/// For each transaction the list that was called, and that which came back; the first one's steps begin
/// at `from`.
fn calls(
    values: &mut Values,
    words: Words,
    steps: &[Datum],
    from: usize,
    transactions: &[Transaction],
) -> Vec<[Datum; 2]> {
    let home: &Values = values;
    let begin = |at: usize| at.checked_sub(1).map_or(from, |last| transactions[last].steps_end);
    let chunks = transactions.par_chunks(CHUNK).enumerate().map(|(at, transactions)| {
        let (lists, calls) = (Values::draft(0), Vec::with_capacity(CHUNK));
        let mut chunk = Chunk { values: home, words, lists, calls };
        chunk.add(steps, begin(at * CHUNK), transactions);
        (chunk.lists, chunk.calls)
    });
    let (lists, mut calls): (Vec<_>, Vec<Vec<[Datum; 2]>>) = chunks.unzip();
    let translations = values.adopt_lists(lists);
    calls.par_iter_mut().zip(translations).for_each(|(calls, translation)| {
        calls.iter_mut().flatten().for_each(|list| *list = translation.of(*list));
    });
    calls.concat()
}

impl Transaction {
    /// Adds its invocation and its completion.
    fn tell(&self, columns: &mut Columns, f: u32, [called, answer]: [Datum; 2]) {
        let kind = match self.fate {
            Fate::Committed => Kind::Ok,
            Fate::Aborted => Kind::Fail,
        };
        for (kind, value) in [(Kind::Invoke, called), (kind, answer)] {
            let (time, process) = (columns.len() as Nanos, self.session);
            columns.push(Row { time, process, kind, f, key: NONE, value, node: NONE });
        }
    }
}

/// Transactions next to each other, on their way into the history.
struct Chunk<'v> {
    /// What the steps are of.
    values: &'v Values,
    words: Words,
    /// Lists of steps.
    lists: Values,
    /// For each transaction the list that was called, and that which came back.
    calls: Vec<[Datum; 2]>,
}

impl Chunk<'_> {
    fn add(&mut self, steps: &[Datum], mut from: usize, transactions: &[Transaction]) {
        let mut asked: Vec<Datum> = Vec::new();
        for transaction in transactions {
            let steps = &steps[from..transaction.steps_end];
            from = transaction.steps_end;
            asked.clear();
            asked.extend(steps.iter().map(|&step| self.words.ask(self.values, step)));
            let called = self.lists.list(&asked);
            let reads = transaction.fate == Fate::Committed && asked != steps;
            self.calls.push([called, if reads { self.lists.list(steps) } else { called }]);
        }
    }
}

/// A session's number as a process'.
pub(super) fn process(session: u64, at: Position) -> Result<u32, ImportError> {
    let number = u32::try_from(session).ok().filter(|&number| number != NEMESIS);
    let too_large = || ImportError::at(at, Problem::History(Reason::ProcessTooLarge));
    number.ok_or_else(too_large)
}
