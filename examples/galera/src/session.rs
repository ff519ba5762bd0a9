//! A client's session on its one node, its transactions, and which errors are definite.
//!
//! Until COMMIT is sent nothing has happened: whatever goes wrong before is a `fail`, for the
//! session is let go of, and the node rolls back. Of a COMMIT only that is definite which says
//! that the transaction was rolled back. A session that had an error is never used again.

use std::time::Duration;

use async_trait::async_trait;
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Error, OptsBuilder, Row};
use tokio::time::timeout;
use tribunal_client::{Call, Client, Failure, Node, Outcome};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(2);

/// ER_LOCK_DEADLOCK: the certification of Galera found a conflict, and every node did so.
const DEADLOCK: u16 = 1213;

/// The calls of one workload.
#[async_trait]
pub trait Calls: Send {
    /// What there has to be first: statements.
    fn tables(&self) -> Vec<String>;

    /// Performs one call in a transaction that has begun; what it comes to if that is committed.
    async fn perform(&mut self, session: &mut Session, call: &Call) -> Outcome;
}

/// A connection within a transaction.
pub struct Session(Conn);

impl Session {
    async fn to(node: &Node) -> Result<Self, Failure> {
        let port = *node.ports.get("client").unwrap_or(&3306);
        let options = OptsBuilder::default()
            .ip_or_hostname(node.ip.clone())
            .tcp_port(port)
            .user(Some("root"))
            .prefer_socket(Some(false));
        match timeout(CONNECT, Conn::new(options)).await {
            Ok(Ok(connection)) => Ok(Self(connection)),
            Ok(Err(error)) => Err(Failure::fail(format!("cannot reach {}: {error}", node.ip))),
            Err(_) => {
                Err(Failure::fail(format!("cannot reach {}: no connection in time", node.ip)))
            }
        }
    }

    /// Does something. What goes wrong is definite: it was not committed.
    pub async fn run(
        &mut self,
        statement: &str,
        values: impl Into<mysql_async::Params> + Send,
    ) -> Result<(), Failure> {
        self.0.exec_drop(statement, values).await.map_err(Failure::fail)
    }

    /// The rows of a query.
    pub async fn rows(
        &mut self,
        query: &str,
        values: impl Into<mysql_async::Params> + Send,
    ) -> Result<Vec<Row>, Failure> {
        self.0.exec(query, values).await.map_err(Failure::fail)
    }

    async fn transaction(&mut self, calls: &mut dyn Calls, call: &Call) -> Outcome {
        self.0.query_drop("START TRANSACTION").await.map_err(Failure::fail)?;
        let reply = calls.perform(self, call).await?;
        self.0.query_drop("COMMIT").await.map_err(of_commit)?;
        Ok(reply)
    }
}

/// What an error says of the COMMIT it answers.
fn of_commit(error: Error) -> Failure {
    match &error {
        Error::Server(server) if server.code == DEADLOCK => Failure::fail(error),
        _ => Failure::info(error),
    }
}

/// A column, as what it is taken for.
pub fn column<T: mysql_async::prelude::FromValue>(row: &mut Row, at: usize) -> Result<T, Failure> {
    let value = row.take_opt(at).ok_or_else(|| Failure::info("a column is missing"))?;
    value.map_err(|error| Failure::info(format!("{error}, which no call wrote")))
}

/// What no workload asks for.
pub fn unknown(call: &Call) -> Failure {
    Failure::fail(format!("there is no `{}` of {}", call.f, call.value))
}

/// A client of one node.
pub struct Bound {
    calls: Box<dyn Calls>,
    node: Option<Node>,
    session: Option<Session>,
}

impl Bound {
    /// One that is not connected yet.
    pub fn new(calls: Box<dyn Calls>) -> Self {
        Self { calls, node: None, session: None }
    }
}

#[async_trait]
impl Client for Bound {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        self.node = Some(node.clone());
        self.session = Some(Session::to(node).await?);
        Ok(())
    }

    async fn setup(&mut self) -> Result<(), Failure> {
        let session = self.session.as_mut().ok_or_else(|| Failure::fail("there was no `open`"))?;
        session.0.query_drop("CREATE DATABASE IF NOT EXISTS tribunal").await?;
        for statement in self.calls.tables() {
            session.0.query_drop(statement).await?;
        }
        Ok(())
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        // Taken out and given back only after an answer: what went wrong leaves nothing behind.
        let mut session = match (self.session.take(), &self.node) {
            (Some(session), _) => session,
            (None, Some(node)) => Session::to(node).await?,
            (None, None) => return Err(Failure::fail("there was no `open`")),
        };
        let reply = session.transaction(&mut *self.calls, call).await?;
        self.session = Some(session);
        Ok(reply)
    }

    async fn close(&mut self) {
        self.session = None;
    }
}

#[cfg(test)]
mod tests {
    use mysql_async::{DriverError, ServerError};

    use super::*;

    fn said(code: u16, message: &str) -> Error {
        let state = "HY000".to_owned();
        Error::Server(ServerError { code, message: message.to_owned(), state })
    }

    #[test]
    fn of_a_commit_only_a_rollback_is_definite() {
        let deadlock = said(DEADLOCK, "Deadlock found when trying to get lock");
        assert!(matches!(of_commit(deadlock), Failure::Fail(_)));
        let unknown = [
            said(1047, "WSREP has not yet prepared node for application use"),
            said(1180, "Got error 6 during COMMIT"),
            said(1205, "Lock wait timeout exceeded"),
            Error::Driver(DriverError::ConnectionClosed),
        ];
        for error in unknown {
            assert!(matches!(of_commit(error), Failure::Info(_)));
        }
    }
}
