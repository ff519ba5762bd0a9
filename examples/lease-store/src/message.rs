//! What clients and peers say to a node, and what it answers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use substrate::Member;

/// A reign, numbered upwards: the fencing token of everything its leader does.
pub type Term = u64;

/// The whole data, at one point of one leader's history of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The leader's term.
    pub term: Term,
    /// How many entries led here.
    pub seq: u64,
    /// The data.
    pub map: BTreeMap<String, Value>,
}

/// A change: this key has this value now.
pub type Entry = (String, Value);

/// A client's request.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ClientRequest {
    /// What does this node hold itself to be? Answered at once, confirmed by nobody.
    Role,
    /// Perform this.
    Perform(Operation),
}

/// What a leader performs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Operation {
    /// Who are you?
    Probe,
    /// The value of a key.
    Read { key: String },
    /// A new value for a key.
    Write { key: String, value: Value },
    /// A new value for a key that has this old one.
    Cas { key: String, old: Value, new: Value },
}

/// How a client's request ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ClientAnswer {
    /// To `Role`, and to a probe.
    Role { node: String, leader: bool, term: Term },
    /// The operation was performed by this node in this term. The value is what
    /// was read, or what a compare-and-set found instead of the old value.
    Done { node: String, term: Term, value: Value, swapped: bool },
    /// This node is not the leader and nothing happened; ask that one.
    NotLeader { leader: Option<Member> },
    /// It may have happened.
    Unknown(String),
}

/// A request between nodes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum PeerRequest {
    /// Make me the leader of this term; or, when it does not bind: would you?
    Vote { term: Term, candidate: String, binds: bool },
    /// Keep these entries, which come after that one; extend the lease.
    Append { term: Term, leader: String, after: u64, entries: Arc<Vec<Entry>> },
    /// Keep this state instead of yours; extend the lease.
    Install { leader: String, state: Arc<State> },
}

/// A replica's answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PeerAnswer {
    /// The vote is yours; this is what the voter has (nothing, when it does not bind).
    Granted(State),
    /// It is on disk, and the lease runs anew.
    Kept,
    /// Something is missing before these entries: install.
    Behind,
    /// No: this term was promised to somebody.
    Refused { promised: Term },
}
