//! One key: the order of its elements, and who appended them.
//!
//! The longest list that was read is the order: lists only grow, so every other read must be
//! a beginning of it (Kingsbury and Alvaro, "Elle", VLDB 2020, section 4).

use tribunal_history::Datum;

use super::fault::{Fault, What};
use super::writers::{Append, UNREAD, Writers};
use crate::transactions::entries::Entry;
use crate::transactions::{Fate, KeyId, List, Transactions, TxnId, words};

/// Nobody, as the writer of an element.
pub const NOBODY: TxnId = TxnId::MAX;

/// What is known of a key.
#[derive(Debug)]
pub struct Key {
    /// Its number.
    pub id: KeyId,
    /// The longest list that was read; null where nothing was.
    pub longest: Datum,
    /// Whose read that was.
    pub longest_read: Option<Entry>,
    /// The writer of each element of it.
    pub order: Vec<TxnId>,
    /// Who appended what.
    pub writers: Writers,
    /// Whether no order can be told: nothing follows from the reads of such a key.
    pub broken: bool,
}

/// Two transactions that both append the same element, which leaves open who read from whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Twice {
    /// To which key.
    pub key: KeyId,
    /// Which element.
    pub element: Datum,
    /// The one and the other.
    pub txns: [TxnId; 2],
}

impl Twice {
    /// What it is, and what to do.
    pub fn sentence(&self, transactions: &Transactions) -> String {
        let [one, other] = self.txns.map(|txn| transactions.get(txn).start);
        let element = transactions.value(self.element);
        let place = match one == other {
            true => format!("event {one} appends {element} twice"),
            false => format!("event {other} appends {element} again, as event {one} did"),
        };
        let key = words::key(transactions, self.key);
        format!(
            "{place}, to {key}; every element must be new to its key, or nobody can tell who was read"
        )
    }
}

impl Key {
    /// Learns a key from the steps on it.
    pub fn learn(
        transactions: &Transactions,
        id: KeyId,
        steps: &[Entry],
        faults: &mut Vec<Fault>,
    ) -> Result<Self, Twice> {
        let writers = writers(transactions, id, steps)?;
        let mut key = Self {
            id,
            longest: Datum::NULL,
            longest_read: None,
            order: Vec::new(),
            writers,
            broken: false,
        };
        key.choose(transactions, steps);
        key.arrange(transactions, faults);
        key.compare(steps, faults);
        Ok(key)
    }

    /// Finds the longest read.
    fn choose(&mut self, transactions: &Transactions, steps: &[Entry]) {
        let mut most = 0;
        for step in steps {
            if step.writes() || step.value == self.longest {
                continue;
            }
            let length = transactions.list(step.value).data().len();
            if length > most {
                (most, self.longest, self.longest_read) = (length, step.value, Some(*step));
            }
        }
    }

    /// Gives every element of the longest read its place.
    fn arrange(&mut self, transactions: &Transactions, faults: &mut Vec<Fault>) {
        let Some(read) = self.longest_read else { return };
        let list = transactions.list(self.longest);
        self.order.reserve_exact(list.data().len());
        for (place, &element) in (0..).zip(list.data()) {
            let what = match self.writers.get_mut(element) {
                None => Some(What::Garbage(element)),
                Some(append) if append.place != UNREAD => Some(What::Duplicate(element)),
                Some(append) => {
                    append.place = place;
                    self.order.push(append.txn);
                    continue;
                }
            };
            self.order.push(NOBODY);
            self.broken = true;
            faults.extend(what.map(|what| Fault {
                key: self.id,
                txn: read.txn(),
                at: read.at,
                what,
            }));
        }
    }

    /// Compares the order of the longest read with that in which each transaction appended its
    /// own elements.
    fn compare(&mut self, steps: &[Entry], faults: &mut Vec<Fault>) {
        let Some(read) = self.longest_read else { return };
        // Nowhere is after all.
        let place = |step: &Entry| self.writers.get(step.value).map_or(UNREAD, |it| it.place);
        let happened = appends(steps).filter(|step| step.fate() != Fate::Aborted);
        for (one, next) in happened.clone().zip(happened.skip(1)) {
            if one.txn() == next.txn() && place(next) < place(one) {
                let what = What::Displaced { writer: one.txn(), elements: [one.value, next.value] };
                faults.push(Fault { key: self.id, txn: read.txn(), at: read.at, what });
                self.broken = true;
            }
        }
    }

    /// The order, as the history has it.
    pub fn list<'h>(&self, transactions: &Transactions<'h>) -> List<'h> {
        transactions.list(self.longest)
    }

    /// The next writer from a place on that was not aborted.
    pub fn writer_from(&self, transactions: &Transactions, place: usize) -> Option<TxnId> {
        let real = |&&txn: &&TxnId| txn != NOBODY && transactions.get(txn).fate != Fate::Aborted;
        self.order[place..].iter().find(real).copied()
    }

    /// The last writer before a place that was not aborted.
    pub fn writer_before(&self, transactions: &Transactions, place: usize) -> Option<TxnId> {
        let real = |&&txn: &&TxnId| txn != NOBODY && transactions.get(txn).fate != Fate::Aborted;
        self.order[..place].iter().rev().find(real).copied()
    }
}

fn appends(steps: &[Entry]) -> impl Iterator<Item = &Entry> + Clone {
    steps.iter().filter(|step| step.writes())
}

/// Who appended which element. An aborted append counts only where nobody else made the same.
fn writers(transactions: &Transactions, key: KeyId, steps: &[Entry]) -> Result<Writers, Twice> {
    let appended = appends(steps).map(|step| step.value);
    let mut writers = Writers::with_room(appended);
    let aborted = |txn: TxnId| transactions.get(txn).fate == Fate::Aborted;
    let mut before: Option<(TxnId, Datum)> = None;
    for step in appends(steps) {
        let element = step.value;
        let own = before.replace((step.txn(), element)).filter(|&(txn, _)| txn == step.txn());
        if let Some(append) = own.and_then(|(_, element)| writers.get_mut(element)) {
            append.middle = append.txn == step.txn();
        }
        match writers.get(element) {
            Some(_) if aborted(step.txn()) => continue,
            Some(other) if !aborted(other.txn) => {
                return Err(Twice { key, element, txns: [other.txn, step.txn()] });
            }
            _ => writers.set(element, Append { txn: step.txn(), place: UNREAD, middle: false }),
        }
    }
    Ok(writers)
}
