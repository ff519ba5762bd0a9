//! Judges transactions: which isolation level a history keeps, and which phenomenon breaks it.
//!
//! [`Transactions`] are the calls in columns.

mod parse;
mod transaction;

pub use parse::{BadTransaction, Problem, Shape};
pub use transaction::{Action, Fate, KeyId, List, MicroOp, NEVER, Transactions, Txn, TxnId};
