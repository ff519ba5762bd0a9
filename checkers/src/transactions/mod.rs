//! Judges transactions: which isolation level a history keeps, and which phenomenon breaks it.
//!
//! From a history to a verdict: [`Transactions`] are the calls in columns (`parse`); `append`
//! (lists) and `register` tell the order of every key's versions, the faults that need no cycle, and
//! the edges by the data; `dependencies` adds sessions and real time (`precedence`); `graph` finds
//! what is on cycles; `cycles` says which [`Phenomenon`] each is, `level` which [`Level`] that breaks,
//! `findings` sets one against the other, and `report` says it in words. What is open for
//! blind writes of registers, `blind` asks the `solver`, and `refusal` says why there is no order.
//! The weak levels of registers, and causal consistency of lists, have a way of their own, in `weak`.

mod append;
mod blind;
mod completion;
mod cycles;
mod dependencies;
mod drawing;
mod entries;
mod example;
mod explanation;
mod fan;
mod findings;
pub(crate) mod graph;
mod isolation;
mod joined;
mod level;
mod parse;
mod phenomenon;
mod precedence;
mod refusal;
mod register;
mod report;
mod solver;
mod transaction;
mod weak;
mod words;

pub use explanation::page;
pub use isolation::{ListAppend, RwRegister};
pub use level::Level;
pub use parse::{BadTransaction, Problem, Shape};
pub use phenomenon::{Cycle, Phenomenon, Scope};
pub use transaction::{Action, Fate, Key, KeyId, List, MicroOp, NEVER, Transactions, Txn, TxnId};
pub use weak::Weak;
