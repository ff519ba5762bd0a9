//! What clients and peers say to a node, and what it answers.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::stamp::Stamp;

/// A value and its write's stamp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Versioned {
    /// The value.
    pub value: Value,
    /// The write's stamp.
    pub stamp: Stamp,
}

/// A client's request, to the node that coordinates it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ClientRequest {
    /// Are you there?
    Ping,
    /// The value of a key.
    Read { key: String },
    /// A new value for a key.
    Write { key: String, value: Value },
}

/// How a client's request ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ClientAnswer {
    /// It happened; the value that was read or written, if there is one.
    Done(Option<Versioned>),
    /// It certainly did not happen.
    Refused(String),
    /// It may have.
    Unknown(String),
}

/// A coordinator's request to a replica, or to one that stands in for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum PeerRequest {
    /// What do you have?
    Query { key: String },
    /// Keep this, unless you have a newer one.
    Store { key: String, version: Versioned },
    /// Keep this for that member, which is out of reach, and give it to it when it is not.
    Hint { member: String, key: String, version: Versioned },
}

/// A replica's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum PeerAnswer {
    /// To a query.
    Has(Option<Versioned>),
    /// This or a newer one is on disk.
    Stored,
}
