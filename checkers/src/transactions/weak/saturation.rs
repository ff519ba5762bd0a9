//! Whether there is an order of all transactions that a rule allows.
//!
//! An order is guessed, and everybody's predecessors are pulled before it. What the
//! rule says against it is certain whatever the order is, so it is learned, and the order is
//! made again. It ends with an order that nothing speaks against, which is the proof that there is one; or with
//! a cycle of what is certain, which is the proof that there is none.

use super::super::transaction::{KeyId, TxnId};

use super::Rule;
use super::guess::guess;
use super::history_order::{Order, order};
use super::table::Table;
use super::{atomic, causal, committed};
use crate::transactions::register::reads::INITIAL;

/// Of two writers of a key one came first: because a reader of the other saw it, which is what rules
/// say; or because the order of the key's versions is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Learned {
    /// Who came first.
    pub before: TxnId,
    /// Whom the reader read; [`INITIAL`] where it found what was there before all writes.
    pub after: TxnId,
    /// Who read.
    pub reader: TxnId,
    /// The key.
    pub key: KeyId,
    /// What says so.
    pub source: Source,
}

/// What says that one writer came before another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The rule: the reader saw the one, and read what the other wrote.
    Rule,
    /// The versions of the key, as lists show them. The reader is the second writer.
    Versions,
}

/// What became of it.
pub enum Outcome {
    /// There is an order.
    Consistent,
    /// Somebody saw a writer of a key, and found what was there before all writes.
    Missed(Vec<Learned>),
    /// What is certain has a cycle.
    Cyclic(Vec<Learned>),
    /// Nobody knows, and why.
    Undecided(String),
}

/// Orders that are tried before everything that a rule says is learned at once.
const GUESSES: usize = 8;

/// Orders that are tried for causal consistency, of which not everything can be learned at once.
const TRIES: usize = 200;

/// Looks for an order that keeps what is known of the versions, sorted as [`sort`] does.
pub fn saturate(rule: Rule, table: &Table, known: Vec<Learned>) -> Outcome {
    let mut learned = known;
    let mut guess = guess(table);
    for tries in 0..TRIES {
        let Some(order) = with(table, &learned, &guess) else { return Outcome::Cyclic(learned) };
        let against = |before, after| !order.has(before, after);
        let everything = |_, _| true;
        let (found, open) = match (rule, tries < GUESSES) {
            (Rule::Committed, true) => (committed::infer(table, against), 0),
            (Rule::Committed, false) => (committed::infer(table, everything), 0),
            (Rule::Atomic, true) => (atomic::infer(table, against), 0),
            (Rule::Atomic, false) => (atomic::infer(table, everything), 0),
            (Rule::Causal, _) => causal::infer(table, &order),
        };
        let missed: Vec<Learned> = found.iter().copied().filter(|it| it.after == INITIAL).collect();
        if !missed.is_empty() {
            return Outcome::Missed(missed);
        }
        if !found.iter().any(|it| against(it.before, it.after)) {
            return match open {
                0 => Outcome::Consistent,
                _ => Outcome::Undecided(format!(
                    "{open} times nobody knows whether a reader saw a writer: the search ended at its budget"
                )),
            };
        }
        learned.extend(found);
        sort(&mut learned);
        guess = order.txns;
    }
    Outcome::Undecided(format!("no order was found among {TRIES}, and no cycle"))
}

/// By who comes after whom, each pair once.
pub fn sort(learned: &mut Vec<Learned>) {
    learned.sort_unstable_by_key(|it| (it.after, it.before));
    learned.dedup_by_key(|it| (it.after, it.before));
}

/// The order of a guess that keeps what is known.
fn with(table: &Table, learned: &[Learned], guess: &[TxnId]) -> Option<Order> {
    let before = |txn: TxnId| {
        let from = learned.partition_point(|it| it.after < txn);
        let those = learned[from..].iter().take_while(move |it| it.after == txn);
        table.saw(txn).chain(those.map(|it| it.before))
    };
    order(guess.iter().copied(), table.len(), before)
}
