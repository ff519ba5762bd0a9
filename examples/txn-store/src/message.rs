//! What clients and peers say to a node, and what it answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::program::Program;
use crate::versions::Snapshot;

/// A point in the order of commits, near nanoseconds since 1970.
pub type Timestamp = u64;

/// One attempt at a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TxnId {
    /// Its coordinator.
    pub node: String,
    /// Never used twice by that node, restarts included.
    pub number: u64,
}

/// When a transaction was first attempted: the smaller, the older.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Age {
    /// By its coordinator's clock.
    pub begun: Timestamp,
    /// Its coordinator, which decides between equals.
    pub node: String,
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Outcome {
    /// With all its writes, at this time.
    Committed(Timestamp),
    /// Without a trace.
    Aborted,
}

/// A client's request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ClientRequest {
    /// Are you there?
    Ping,
    /// Coordinate this transaction.
    Perform(Program),
}

/// How a client's request ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ClientAnswer {
    /// It is committed; what its reads found, in their order.
    Done(Vec<Value>),
    /// It is aborted.
    Refused(String),
}

/// How the reads of a transaction read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum View {
    /// What is committed, under a lock that is held until the transaction has ended.
    Locked,
    /// What is committed, under a lock that is let go at once.
    Briefly,
    /// What was written last, whether it will be committed or not.
    Dirty,
    /// What the snapshot has; and nothing may be written over that it has not.
    Snapshot(Snapshot),
}

/// A read or a write of one key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Operation {
    /// The key.
    pub key: String,
    /// What is done to it.
    pub action: Action,
    /// How its transaction reads.
    pub view: View,
}

/// What is done to a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Action {
    /// Tell its value.
    Read,
    /// It has this value now.
    Write(Value),
    /// Its value is a list, and this is its last element now.
    Append(Value),
}

/// A coordinator's request to a participant, or a participant's to a coordinator.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum PeerRequest {
    /// Perform this for the transaction; `first`, when it is the first here.
    Perform { txn: TxnId, age: Age, first: bool, operation: Operation },
    /// Promise to end this transaction as you will be told.
    Prepare { txn: TxnId },
    /// It has ended like this.
    Finish { txn: TxnId, outcome: Outcome },
    /// How did it end, which you coordinated?
    Inquire { txn: TxnId },
    /// How far do you know of each node's commits?
    Horizons,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PeerAnswer {
    /// To an operation: what was read; null, where nothing was.
    Performed(Value),
    /// To an operation: another transaction is in the way; begin again.
    Conflict,
    /// To `Prepare`: it is promised, and the commit must be later than this; or it is not.
    Vote(Option<Timestamp>),
    /// To `Finish`.
    Finished,
    /// To `Inquire`; nothing as long as it is not decided.
    Outcome(Option<Outcome>),
    /// To `Horizons`.
    Horizons(BTreeMap<String, Timestamp>),
}
