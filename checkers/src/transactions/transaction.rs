//! Transactions as the judges read them: columns of dense numbers.
//!
//! A [`Transactions`] is what [`parse`](super::parse) makes of a history; its
//! transactions have the numbers of the history's operations. Nothing is judged here.

use std::fmt;

use tribunal_history::{Datum, History, Operation, Value, ValueRef};

/// A transaction by number: that of its operation in the history.
pub type TxnId = u32;

/// A key by number, dense from 0.
pub type KeyId = u32;

/// An end that never comes: nobody knows when, or whether, the transaction took effect.
pub const NEVER: u32 = u32::MAX;

/// What became of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was acknowledged.
    Committed,
    /// It certainly did not happen.
    Aborted,
    /// Nobody knows.
    Unknown,
}

/// One transaction.
#[derive(Clone, Copy, Debug)]
pub struct Txn {
    /// Index of the event that began it.
    pub start: u32,
    /// Index of its acknowledgement, or [`NEVER`].
    pub end: u32,
    /// Who ran it, by number: the process, which runs one after the other.
    pub session: u32,
    /// What became of it.
    pub fate: Fate,
    /// Where its micro-operations end; they begin where those of the one before end.
    pub(super) ops_end: u32,
}

/// What a micro-operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Reads a key: the list of all that was appended to it, or the value that was written last.
    Read,
    /// Appends an element to a key's list.
    Append,
    /// Sets a key.
    Write,
}

/// A step of a transaction on one key.
#[derive(Clone, Copy, Debug)]
pub struct MicroOp {
    /// What it does.
    pub action: Action,
    /// On which key.
    pub key: KeyId,
    /// What it read, appended or wrote. Null where a read found nothing.
    pub value: Datum,
}

/// All transactions of a history, in the order of their invocations.
///
/// Reads of transactions that were not acknowledged are left out: nobody knows what they saw.
#[derive(Clone, Debug)]
pub struct Transactions<'h> {
    pub(super) history: &'h History,
    pub(super) table: Vec<Txn>,
    pub(super) ops: Vec<MicroOp>,
    pub(super) keys: Vec<Name>,
}

/// A key as the history has it: that of the whole transaction, if there is one ([`Datum::NOWHERE`] if not),
/// and that of the step. The same key of a step is another object under another key of the transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    /// The transaction's.
    pub of: Datum,
    /// The step's.
    pub key: Datum,
}

/// A key, to be told.
#[derive(Clone, Copy)]
pub struct Key<'h> {
    of: Option<ValueRef<'h>>,
    key: ValueRef<'h>,
}

impl Key<'_> {
    /// As a value: a pair, where transactions have keys.
    pub fn to_value(self) -> Value {
        match self.of {
            Some(of) => Value::from(vec![of.to_value(), self.key.to_value()]),
            None => self.key.to_value(),
        }
    }
}

impl fmt::Display for Key<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            Some(of) => write!(out, "{} (of {of})", self.key),
            None => write!(out, "{}", self.key),
        }
    }
}

impl<'h> Transactions<'h> {
    /// Where they come from.
    pub fn history(&self) -> &'h History {
        self.history
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.table.is_empty()
    }

    /// Their numbers.
    pub fn ids(&self) -> std::ops::Range<TxnId> {
        0..self.len() as TxnId
    }

    /// One of them.
    pub fn get(&self, id: TxnId) -> &Txn {
        &self.table[id as usize]
    }

    /// All of them, by number.
    pub fn all(&self) -> &[Txn] {
        &self.table
    }

    /// Where a transaction's micro-operations are among all.
    pub fn range(&self, id: TxnId) -> std::ops::Range<usize> {
        let from = id.checked_sub(1).map_or(0, |before| self.get(before).ops_end);
        from as usize..self.get(id).ops_end as usize
    }

    /// What a transaction does, in order.
    pub fn ops(&self, id: TxnId) -> &[MicroOp] {
        &self.ops[self.range(id)]
    }

    /// The micro-operations of all transactions.
    pub fn all_ops(&self) -> &[MicroOp] {
        &self.ops
    }

    /// How many keys there are.
    pub fn key_count(&self) -> usize {
        self.keys.len()
    }

    /// A key as the history has it.
    pub fn key(&self, key: KeyId) -> Key<'h> {
        let Name { of, key } = self.keys[key as usize];
        Key { of: (of != Datum::NOWHERE).then(|| self.value(of)), key: self.value(key) }
    }

    /// A value of the history.
    pub fn value(&self, datum: Datum) -> ValueRef<'h> {
        self.history.values().get(datum)
    }

    /// The elements of a list that was read; none where nothing was found.
    pub fn list(&self, datum: Datum) -> List<'h> {
        match self.value(datum).elements() {
            Some(elements) => List(Some(elements)),
            None => List(None),
        }
    }

    /// The call that a transaction was.
    pub fn operation(&self, id: TxnId) -> Operation<'h> {
        self.history.operation(id)
    }
}

/// A list that was read.
#[derive(Clone)]
pub struct List<'h>(Option<tribunal_history::Elements<'h>>);

impl List<'_> {
    /// Its elements, the oldest first.
    pub fn data(&self) -> &[Datum] {
        self.0.as_ref().map_or(&[], |elements| elements.data())
    }
}
