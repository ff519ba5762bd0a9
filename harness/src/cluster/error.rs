//! Why there is no cluster: one clear sentence each.

use std::path::{Path, PathBuf};

use super::SessionError;

/// Why nodes could not be found, made or taken down.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// Namespaces and mounts need it.
    #[error("local nodes need root: run it with sudo, or name hosts with --nodes")]
    NotRoot,
    /// A program that a local node needs.
    #[error("there is no `{program}` on this machine: apt-get install {package}")]
    MissingProgram {
        /// Its name.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// A name that cannot be a folder's or a host's.
    #[error(
        "`{0}` cannot name a cluster: use 1 to 24 letters, digits and dashes, beginning with a letter"
    )]
    BadName(String),
    /// More nodes than addresses, or none.
    #[error("a local cluster has 1 to 200 nodes, not {0}")]
    BadCount(usize),
    /// Someone has it.
    #[error("a cluster named {0} exists already: `tribunal cluster down {0}` ends it")]
    NameTaken(String),
    /// Nobody has it.
    #[error("there is no cluster named {0}: `tribunal cluster ps` lists them")]
    NoSuchCluster(String),
    /// No such node in the cluster.
    #[error("cluster {cluster} has no node {node}: it has {nodes}")]
    NoSuchNode {
        /// The cluster.
        cluster: String,
        /// The name that was asked for.
        node: String,
        /// The names that it has.
        nodes: String,
    },
    /// Every candidate overlaps a route.
    #[error("no free /24 for the nodes: the routes of this machine cover all of 10.0.0.0/8")]
    NoSubnet,
    /// The host list is at fault.
    #[error("{0}")]
    Hosts(String),
    /// The network between the nodes.
    #[error("the wire between the nodes could not be made: {0}")]
    Wire(String),
    /// One node did not come up.
    #[error("node {node} did not come up: {why}")]
    Node {
        /// Which.
        node: String,
        /// What its first process said.
        why: String,
    },
    /// Nobody waited for it any longer.
    #[error("the cluster was given up while it was being made")]
    GivenUp,
    /// Something of the cluster would not go away.
    #[error("cluster {cluster} could not be taken down: {why}")]
    Stuck {
        /// Which.
        cluster: String,
        /// What is left.
        why: String,
    },
    /// A file of the cluster's.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A node that refuses SSH.
    #[error(transparent)]
    Session(#[from] SessionError),
}

impl ClusterError {
    /// For `map_err`: the file that an I/O error was about.
    pub(super) fn file(path: &Path) -> impl FnOnce(std::io::Error) -> Self + '_ {
        move |source| Self::File { path: path.to_owned(), source }
    }

    /// Whether what was asked for is at fault, not the machine.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Self::BadName(_)
                | Self::BadCount(_)
                | Self::NoSuchCluster(_)
                | Self::NoSuchNode { .. }
                | Self::Hosts(_)
        )
    }
}
