//! What one key alone shows: faults that need no cycle.

use tribunal_history::Datum;

use crate::transactions::{KeyId, TxnId};

/// A broken promise that one read, or two transactions on one key, show by themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// On which key.
    pub key: KeyId,
    /// Who saw it, or suffered it.
    pub txn: TxnId,
    /// The step that did, among the micro-operations of all.
    pub at: u32,
    /// What is wrong.
    pub what: What,
}

/// The kinds of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// A read of an element that nobody appended.
    Garbage(Datum),
    /// A read of an element of a transaction that was aborted (G1a).
    Aborted(Datum, TxnId),
    /// A read that ends in the middle of another's appends (G1b).
    Intermediate(Datum, TxnId),
    /// A read that disagrees with what its own transaction read or appended before.
    Internal,
    /// A read of an element that its own transaction appends only later.
    Future,
    /// A read with the same element twice.
    Duplicate(Datum),
    /// Two reads, of which neither goes on from the other: this one, and another's longer one.
    Incompatible(TxnId),
    /// A read with the second of two elements that one transaction appended, and not with the first
    /// before it.
    Displaced {
        /// Who appended them.
        writer: TxnId,
        /// The first and the second.
        elements: [Datum; 2],
    },
    /// A committed append after an aborted one, in the one order of the key.
    DirtyUpdate(TxnId),
    /// An append to what was read, though another's came in between (P4).
    LostUpdate(TxnId),
}
