//! What is said over the wire's socket: JSON, one message a line. Whoever connects may
//! impose rules, and holds a lease on them: they are lifted when the connection closes,
//! or when nothing is heard for longer than the lease.
//!
//! ```text
//! -> {"id":1,"request":"impose","fault":3,"seed":9,"links":[{"from":"n1","to":"n2","rule":{"loss":0.1}}]}
//! <- {"id":1,"reply":"done"}
//! ```

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::layer::Tally;
use super::rule::Rule;

/// How the controller's own port is called; no node has this name.
pub const CONTROLLER: &str = "controller";

/// A request and the number that its reply will carry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// Chosen by whoever asks.
    pub id: u64,
    /// What is wanted.
    #[serde(flatten)]
    pub request: Request,
}

/// What may be asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum Request {
    /// Says how long the silence may be before everything is lifted, in milliseconds.
    Lease {
        /// From now on.
        milliseconds: u64,
    },
    /// Renews the lease, as every request does.
    Ping,
    /// Puts rules on links, until they are lifted.
    Impose {
        /// The fault that they belong to.
        fault: u64,
        /// What chance is drawn from, for each link in a stream of its own.
        seed: u64,
        /// The links; one may be named by several faults, but by each only once.
        links: Vec<Ruled>,
    },
    /// Tells what the rules of a fault did so far.
    Look {
        /// Which.
        fault: u64,
    },
    /// Takes the rules of a fault away, and tells what they did. Frames that it held come now.
    Lift {
        /// Which; one that there is not is no error.
        fault: u64,
    },
    /// Writes all frames to a file from now on, until the connection closes.
    Capture {
        /// Which.
        path: PathBuf,
    },
}

/// A directed link, and what happens to its frames.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ruled {
    /// The node that sends.
    pub from: String,
    /// The node that receives.
    pub to: String,
    /// What happens.
    pub rule: Rule,
}

/// A directed link, and what happened to its frames.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tallied {
    /// The node that sends.
    pub from: String,
    /// The node that receives.
    pub to: String,
    /// What happened.
    pub tally: Tally,
}

/// A reply and the number of its request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answered {
    /// The request's.
    pub id: u64,
    /// What came of it.
    #[serde(flatten)]
    pub reply: Reply,
}

/// What comes back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum Reply {
    /// It is done.
    Done,
    /// What rules did, link by link.
    Seen {
        /// In the order in which they were imposed.
        links: Vec<Tallied>,
    },
    /// It could not be done.
    Failed {
        /// Why.
        why: String,
    },
}
