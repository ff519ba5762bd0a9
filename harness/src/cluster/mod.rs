//! Where the database runs: nodes, and the sessions that reach them.
//!
//! Providers differ only in where the hosts come from ([`hosts`] that are there
//! already, or [`local`] ones made for the occasion); past that point a local
//! namespace and a machine across the sea are the same [`Node`], reached over
//! SSH and in no other way.

pub mod cgroup;
mod control;
mod error;
pub mod hosts;
pub mod local;
mod process;
mod session;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tribunal_history::Name;

use control::ControlFolder;

pub use control::sweep;
pub use error::ClusterError;
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

/// All nodes of one run, and how to reach them.
#[derive(Debug)]
pub struct Cluster {
    /// What it is called: a local cluster's own name, `hosts` otherwise.
    pub name: String,
    /// The nodes, in order.
    pub nodes: Vec<Node>,
    /// How `ssh` is called for each of them.
    pub ssh: SshOptions,
    /// Where they came from.
    pub kind: Kind,
    /// Where the wire between them listens, if it is one of ours.
    pub wire: Option<PathBuf>,
    /// Where the sessions to hosts have their sockets; ended with the cluster.
    control: Option<ControlFolder>,
}

/// Where the nodes of a cluster came from, and so who takes them down.
#[derive(Debug)]
pub enum Kind {
    /// They were there before and stay.
    Hosts,
    /// Made on this machine.
    Local(local::Tenancy),
}

impl Cluster {
    /// The node with this name.
    pub fn node(&self, id: &str) -> Result<&Node, ClusterError> {
        self.nodes.iter().find(|node| *node.id == *id).ok_or_else(|| {
            let names: Vec<&str> = self.nodes.iter().map(|node| &*node.id).collect();
            ClusterError::NoSuchNode {
                cluster: self.name.clone(),
                node: id.to_owned(),
                nodes: names.join(", "),
            }
        })
    }

    /// Opens a session to every node, all at the same time. The first node that
    /// refuses, in their order, is the error.
    pub async fn connect(&self) -> Result<Vec<Arc<Session>>, SessionError> {
        self.connect_each().await.into_iter().collect()
    }

    /// The same for who can do with some of the nodes: each one's session, or
    /// why there is none, in their order.
    pub async fn connect_each(&self) -> Vec<Result<Arc<Session>, SessionError>> {
        let attempts: Vec<_> = self
            .nodes
            .iter()
            .map(|node| {
                let (node, ssh) = (node.clone(), self.ssh.clone());
                tokio::spawn(async move { Session::connect(&node, &ssh).await })
            })
            .collect();
        let mut sessions = Vec::with_capacity(attempts.len());
        for (attempt, node) in attempts.into_iter().zip(&self.nodes) {
            sessions.push(match attempt.await {
                Ok(session) => session.map(Arc::new),
                Err(panic) => Err(SessionError::aborted(node, &panic)),
            });
        }
        sessions
    }

    /// Takes the nodes down if they were made for this process alone; hosts and
    /// kept clusters stay, and sessions to hosts are closed. Dropping the cluster does the same, without a word.
    pub async fn down(mut self) -> Result<(), ClusterError> {
        match std::mem::replace(&mut self.kind, Kind::Hosts) {
            Kind::Hosts => {
                drop(self.control.take());
                Ok(())
            }
            Kind::Local(tenancy) => tokio::task::spawn_blocking(move || tenancy.end())
                .await
                .unwrap_or_else(|panic| Err(ClusterError::Wire(panic.to_string()))),
        }
    }
}
