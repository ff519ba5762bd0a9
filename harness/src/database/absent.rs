//! No database at all, as the harness handles it: for nodes that somebody harms by hand, or measures.

use std::sync::Arc;

use async_trait::async_trait;
use tribunal_history::Name;

use super::{Daemon, Database, DatabaseError};
use crate::cluster::Session;

/// A database that nobody said how to start. Whatever asks for it to be started is told so; nobody
/// holds himself primary of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Absent;

impl Absent {
    fn refuse<T>() -> Result<T, DatabaseError> {
        let why = "nobody said how the database of these nodes is started: \
                   use this fault in a run";
        Err(DatabaseError::Setup(why.to_owned()))
    }
}

#[async_trait]
impl Database for Absent {
    async fn install(&self, _: &Session) -> Result<(), DatabaseError> {
        Self::refuse()
    }

    async fn start(&self, _: &Session) -> Result<Daemon, DatabaseError> {
        Self::refuse()
    }

    async fn ready(&self, _: &Session, _: &Daemon) -> Result<(), DatabaseError> {
        Self::refuse()
    }

    async fn stop(&self, _: &Session, _: &Daemon) -> Result<(), DatabaseError> {
        Self::refuse()
    }

    async fn wipe(&self, _: &Session) -> Result<(), DatabaseError> {
        Self::refuse()
    }

    async fn primaries(&self, _: &[Arc<Session>]) -> Result<Vec<Name>, DatabaseError> {
        Ok(Vec::new())
    }
}
