//! What clients and peers say to a node, and what it answers.

use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, SnapshotResponse, VoteRequest, VoteResponse,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::types::{Command, NodeId, SnapshotMeta, Types, Vote};

/// What a client wants done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Request<C, Q> {
    /// This change, once.
    Change(C),
    /// An answer to this, as of now.
    Ask(Q),
}

/// A client's message.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ClientRequest<C, Q> {
    /// What does this node hold itself to be? Answered at once, confirmed by nobody.
    Role,
    /// Perform this; the number is that of the client's change.
    Perform { client: String, sequence: u64, request: Request<C, Q> },
}

/// The answer to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ClientAnswer<A> {
    /// To `Role`; `serves` when the node knows of a leader.
    Role { leader: bool, serves: bool },
    /// It happened, by this leader in this term.
    Done { answer: A, node: String, term: u64 },
    /// It certainly did not happen.
    Refused(String),
    /// It may have.
    Unknown(String),
}

/// What a node has to see to, itself or by way of the leader.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Order {
    /// A change.
    Change(Command),
    /// A question.
    Ask(Value),
}

/// How an order ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Performed {
    /// It happened, by this leader in this term.
    Done { answer: Value, node: String, term: u64 },
    /// This attempt certainly did nothing.
    Refused(String),
    /// It may have, or may yet.
    Unknown(String),
}

/// A request between nodes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum PeerRequest {
    /// Raft's AppendEntries.
    Append(AppendEntriesRequest<Types>),
    /// Raft's RequestVote.
    Vote(VoteRequest<NodeId>),
    /// Raft's InstallSnapshot, in one piece.
    Install { vote: Vote, meta: SnapshotMeta, data: Value },
    /// You are the leader: perform this.
    Perform(Order),
}

/// The answer to it.
#[derive(Debug, Serialize, Deserialize)]
pub enum PeerAnswer {
    /// To `Append`.
    Appended(AppendEntriesResponse<NodeId>),
    /// To `Vote`.
    Voted(VoteResponse<NodeId>),
    /// To `Install`.
    Installed(SnapshotResponse<NodeId>),
    /// To `Perform`.
    Performed(Performed),
    /// The node is about to end.
    Failed(String),
}
