//! Where the database runs: nodes, and the sessions that reach them.
//!
//! Providers differ only in where the hosts come from; past that point a local
//! namespace and a machine across the sea are the same [`Node`], reached over
//! SSH and in no other way.

mod session;

use std::net::IpAddr;

use tribunal_history::Name;

pub use session::{Output, Session, SessionError, SshOptions};

/// A host with sshd.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its name in histories and reports: `n1`.
    pub id: Name,
    /// Its place in the cluster, from 0.
    pub index: usize,
    /// Its address, as the other nodes and the clients reach it.
    pub ip: IpAddr,
    /// What `ssh` is told to connect to: a name, an address, `user@host`.
    pub destination: String,
}
