//! The database under test, as the harness handles it.

mod absent;
mod declared;
mod membership;
mod scripts;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tribunal_history::Name;

use crate::cluster::{Session, SessionError};

pub use absent::Absent;
pub use declared::{Declared, OUTPUT};

/// What every process of a daemon has in its environment: the daemon's process id. Whoever starts a
/// daemon puts it there.
pub const MARK: &str = "TRIBUNAL_DAEMON";

/// A database's main process on one node, started in a session (setsid) of its
/// own and with [`MARK`], so that all its processes can be found: by the session, by the mark, or by
/// who started them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Daemon {
    /// The node it runs on.
    pub node: Name,
    /// Its process id there, which is also its session id.
    pub pid: u32,
}

/// The daemons of a cluster, as they are now: a fault may kill one, and start another.
#[derive(Debug, Default)]
pub struct Daemons(Mutex<BTreeMap<Name, Daemon>>);

impl Daemons {
    /// The daemon of a node; the last one, if it has died.
    pub fn get(&self, node: &Name) -> Option<Daemon> {
        self.0.lock().expect("nobody panics holding it").get(node).cloned()
    }

    /// Notes that a node has none any more, and is to have none.
    pub fn remove(&self, node: &Name) {
        self.0.lock().expect("nobody panics holding it").remove(node);
    }

    /// Notes that a node's daemon is this one from now on.
    pub fn set(&self, daemon: Daemon) {
        self.0.lock().expect("nobody panics holding it").insert(daemon.node.clone(), daemon);
    }
}

impl FromIterator<Daemon> for Daemons {
    fn from_iter<I: IntoIterator<Item = Daemon>>(daemons: I) -> Self {
        let by_node = daemons.into_iter().map(|daemon| (daemon.node.clone(), daemon));
        Self(Mutex::new(by_node.collect()))
    }
}

/// Why a database could not be set up. A set-up failure is never a verdict.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The node.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// The database itself: the message names the node and ends with its last log lines.
    #[error("{0}")]
    Setup(String),
}

impl DatabaseError {
    fn no_membership() -> Self {
        Self::Setup("nobody said how nodes leave and join this database".to_owned())
    }
}

/// How one database is installed, started, found out about and cleared away.
#[async_trait]
pub trait Database: Send + Sync {
    /// Puts it on a node.
    async fn install(&self, node: &Session) -> Result<(), DatabaseError>;
    /// Starts it on a node; it need not be ready yet.
    async fn start(&self, node: &Session) -> Result<Daemon, DatabaseError>;
    /// Waits until it serves on a node, within its own deadline.
    async fn ready(&self, node: &Session, daemon: &Daemon) -> Result<(), DatabaseError>;
    /// Ends it on a node and waits until it is gone, within its own deadline. It is ended also where the error
    /// says that its own command failed.
    async fn stop(&self, node: &Session, daemon: &Daemon) -> Result<(), DatabaseError>;
    /// Deletes its data on a node.
    async fn wipe(&self, node: &Session) -> Result<(), DatabaseError>;
    /// Deletes what it has stored on a node, where nothing of it runs.
    async fn forget(&self, _: &Session) -> Result<(), DatabaseError> {
        Err(DatabaseError::no_membership())
    }
    /// The ids of its members, by the word of a node.
    async fn members(&self, _: &Session) -> Result<Vec<Name>, DatabaseError> {
        Err(DatabaseError::no_membership())
    }
    /// Has a node take a member out.
    async fn leave(&self, _: &Session, _: &Name) -> Result<(), DatabaseError> {
        Err(DatabaseError::no_membership())
    }
    /// Has a node tell the cluster of a member, which is started next, as one that joins.
    async fn join(&self, _: &Session, _: &Name) -> Result<(), DatabaseError> {
        Err(DatabaseError::no_membership())
    }
    /// Puts the other version on a node, where nothing of it runs: it is what is started from now on.
    async fn upgrade(&self, _: &Session) -> Result<(), DatabaseError> {
        Err(DatabaseError::Setup("nobody said how this database is upgraded".to_owned()))
    }
    /// The nodes that hold themselves primary, now. Empty where nobody can say.
    async fn primaries(&self, nodes: &[Arc<Session>]) -> Result<Vec<Name>, DatabaseError>;
    /// The folder of its data on a node, where somebody knows it.
    fn data_dir(&self, _node: &Name) -> Option<String> {
        None
    }
}
