//! What the reads of one key show: faults, and dependencies between transactions.

use tribunal_history::Datum;

use super::fault::{Fault, What};
use super::key::{Key, NOBODY};
use super::writers::UNREAD;
use crate::transactions::entries::Entry;
use crate::transactions::fan::Fan;
use crate::transactions::graph::{Builder, Kind};
use crate::transactions::{Fate, Transactions, TxnId};

/// What one key says.
#[derive(Debug, Default)]
pub struct Findings {
    /// Dependencies for certain, but those of the appends that no read shows.
    pub edges: Builder,
    /// What is wrong without any cycle.
    pub faults: Vec<Fault>,
    /// The end of what was read: who read all of it and appended nothing before, the last writer;
    /// and whose appends no read shows. Lists only grow, so these came after. With this the graph
    /// is complete: a history of lists is serializable exactly if it has no cycle.
    pub tail: Fan,
    /// One who read all and then appended, unread.
    pub updater: Option<TxnId>,
}

/// Looks through the steps on a key, transaction by transaction.
pub fn look(transactions: &Transactions, key: &mut Key, steps: &[Entry]) -> Findings {
    let mut findings = Findings::default();
    chain(transactions, key, &mut findings);
    let first_aborted = key.order.iter().position(|&writer| is_aborted(transactions, writer));
    let longest = key.list(transactions);
    let mut broken = key.broken;
    let beginnings = vec![Datum::NOWHERE; 1 + longest.data().len()];
    let mut scratch = Scratch { own: Vec::new(), beginnings };
    for steps in steps.chunk_by(|one, next| one.txn() == next.txn()) {
        let mut visit = Visit {
            transactions,
            key,
            longest: longest.data(),
            first_aborted: first_aborted.unwrap_or(usize::MAX),
            steps,
            broken: false,
            scratch: &mut scratch,
            findings: &mut findings,
        };
        visit.run();
        broken |= visit.broken;
    }
    if broken {
        key.broken = true;
        (findings.edges, findings.tail) = (Builder::default(), Fan::default());
    }
    findings
}

fn is_aborted(transactions: &Transactions, writer: TxnId) -> bool {
    writer != NOBODY && transactions.get(writer).fate == Fate::Aborted
}

/// From each writer to the next.
fn chain(transactions: &Transactions, key: &Key, findings: &mut Findings) {
    let mut before: Option<TxnId> = None;
    let mut dirty: Option<TxnId> = None;
    for &writer in key.order.iter().filter(|&&writer| writer != NOBODY) {
        if is_aborted(transactions, writer) {
            dirty = Some(writer);
            continue;
        }
        if let (Some(aborted), Some(read)) = (dirty.take(), key.longest_read) {
            let what = What::DirtyUpdate(aborted);
            findings.faults.push(Fault { key: key.id, txn: writer, at: read.at, what });
        }
        if let Some(before) = before {
            findings.edges.add(before, writer, Kind::WriteWrite);
        }
        before = Some(writer);
    }
    findings.tail.before.extend(before.map(|writer| (writer, Kind::WriteWrite)));
}

/// The steps of one transaction on one key.
struct Visit<'a, 'h> {
    transactions: &'a Transactions<'h>,
    key: &'a Key,
    longest: &'a [Datum],
    /// The first place in the order whose writer was aborted.
    first_aborted: usize,
    steps: &'a [Entry],
    /// Whether they show that the key has no one order.
    broken: bool,
    scratch: &'a mut Scratch,
    findings: &'a mut Findings,
}

/// What visits share.
struct Scratch {
    /// Room for what a transaction appended.
    own: Vec<Datum>,
    /// By length, a list that is known to be a beginning of the longest one.
    beginnings: Vec<Datum>,
}

impl Visit<'_, '_> {
    fn run(&mut self) {
        let (txn, steps) = (self.steps[0].txn(), self.steps);
        let committed = self.transactions.get(txn).fate == Fate::Committed;
        let mut own = std::mem::take(&mut self.scratch.own);
        // How much others had appended, as the last read shows.
        let mut seen: Option<usize> = None;
        // The last read, while nothing was appended after it.
        let mut fresh: Option<(&Entry, usize)> = None;
        let mut lost = false;
        for step in steps {
            if step.writes() {
                own.push(step.value);
                if let (true, Some((read, others))) = (committed && !lost, fresh.take()) {
                    lost = self.update(read, others);
                }
                continue;
            }
            let Some((others, sound)) = self.read(step, &own) else { continue };
            if seen != Some(others) {
                // One that shows something else than the one before is one more read of others.
                self.depend(step, others);
                if sound && seen.is_some() {
                    self.fault(step, What::Internal);
                }
            }
            seen = Some(others);
            fresh = Some((step, others));
        }
        if own.iter().any(|&element| self.place(element) == UNREAD) {
            self.findings.tail.after.push(txn);
        }
        own.clear();
        self.scratch.own = own;
    }

    fn place(&self, element: Datum) -> u32 {
        self.key.writers.get(element).map_or(UNREAD, |append| append.place)
    }

    fn fault(&mut self, step: &Entry, what: What) {
        self.findings.faults.push(Fault { key: self.key.id, txn: step.txn(), at: step.at, what });
    }

    /// How many elements of others a read shows before the transaction's own, and whether it shows
    /// just what it must of the latter. `None` where the key has no order.
    fn read(&mut self, step: &Entry, own: &[Datum]) -> Option<(usize, bool)> {
        let list = self.transactions.list(step.value);
        let list = list.data();
        if self.scratch.beginnings.get(list.len()) != Some(&step.value) {
            if list.len() > self.longest.len() || list != &self.longest[..list.len()] {
                self.stray(step, list);
                return None;
            }
            self.scratch.beginnings[list.len()] = step.value;
        }
        let mine = |&&writer: &&TxnId| writer == step.txn();
        let order = self.key.order.get(..list.len()).unwrap_or_default();
        let others = list.len() - order.iter().rev().take_while(mine).count();
        // An element that the transaction appends only later.
        let future = |it: &Entry| {
            it.at > step.at && it.writes() && (self.place(it.value) as usize) < list.len()
        };
        let future = self.steps.len() > 1 && self.steps.iter().any(future);
        let shown = |&element: &Datum| (self.place(element) as usize) < list.len();
        let sound = match future {
            true => own.iter().all(shown),
            false => list.ends_with(own),
        };
        if future {
            self.fault(step, What::Future);
        }
        if !sound {
            self.fault(step, What::Internal);
        }
        self.aborted_or_intermediate(step, others);
        Some((others, sound && !future))
    }

    /// A read that is no beginning of the longest one.
    fn stray(&mut self, step: &Entry, list: &[Datum]) {
        self.broken = true;
        let unknown = list.iter().find(|&&element| self.key.writers.get(element).is_none());
        let what = match (unknown, self.key.longest_read) {
            (Some(&element), _) => What::Garbage(element),
            (None, Some(longest)) => What::Incompatible(longest.txn()),
            (None, None) => unreachable!("a list that was read is no longer than the longest"),
        };
        self.fault(step, what);
    }

    fn aborted_or_intermediate(&mut self, step: &Entry, others: usize) {
        if others > self.first_aborted {
            let (element, writer) =
                (self.longest[self.first_aborted], self.key.order[self.first_aborted]);
            self.fault(step, What::Aborted(element, writer));
        }
        let Some(last) = others.checked_sub(1) else { return };
        let (element, writer) = (self.longest[last], self.key.order[last]);
        if self.key.writers.get(element).is_some_and(|append| append.middle) {
            self.fault(step, What::Intermediate(element, writer));
        }
    }

    /// What follows from a read: whom it is after, and whom before. Of its own appends it tells
    /// nothing, they are in the order of the writers themselves.
    fn depend(&mut self, step: &Entry, others: usize) {
        let txn = step.txn();
        if let Some(writer) = self.key.writer_before(self.transactions, others) {
            self.findings.edges.add(writer, txn, Kind::WriteRead);
        }
        match self.key.writer_from(self.transactions, others) {
            Some(writer) => self.findings.edges.add(txn, writer, Kind::ReadWrite),
            None => self.findings.tail.before.push((txn, Kind::ReadWrite)),
        }
    }

    /// An append to what was read last: nobody else's may have come in between. Whether one did.
    fn update(&mut self, read: &Entry, seen: usize) -> bool {
        let other = match self.key.writer_from(self.transactions, seen) {
            None => *self.findings.updater.get_or_insert(read.txn()),
            Some(writer) => writer,
        };
        if other != read.txn() {
            self.fault(read, What::LostUpdate(other));
        }
        other != read.txn()
    }
}
