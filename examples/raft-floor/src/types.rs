//! openraft's types, as this floor fills them in. Commands and answers are JSON here: what they
//! mean is known where they are made and where they are applied.

use serde::{Deserialize, Serialize};
use serde_json::Value;

openraft::declare_raft_types!(
    /// The types of a node.
    pub Types:
        D = Command,
        R = Value,
        NodeId = u64,
        Node = openraft::EmptyNode,
        Entry = openraft::Entry<Types>,
        SnapshotData = Value,
);

/// A node's number: its place among the members, from 1.
pub type NodeId = u64;
/// A place in the log.
pub type LogId = openraft::LogId<NodeId>;
/// A term, and who was voted for.
pub type Vote = openraft::Vote<NodeId>;
/// An entry of the log.
pub type Entry = openraft::Entry<Types>;
/// Who the members are, and since which entry.
pub type Membership = openraft::StoredMembership<NodeId, openraft::EmptyNode>;
/// What a snapshot covers.
pub type SnapshotMeta = openraft::SnapshotMeta<NodeId, openraft::EmptyNode>;
/// A snapshot.
pub type Snapshot = openraft::Snapshot<Types>;
/// What goes wrong with storage.
pub type StorageError = openraft::StorageError<NodeId>;

/// A change on its way through the log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Who asked for it.
    pub client: String,
    /// Which of the client's changes it is; a change that is sent again keeps its number.
    pub sequence: u64,
    /// The change itself.
    pub change: Value,
}
