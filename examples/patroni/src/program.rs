//! One client: a connection to the leader, and the calls of one workload. What the calls are is not here.

use async_trait::async_trait;
use tokio_postgres::IsolationLevel;
use tribunal_client::{Call, Client, Failure, Node, Outcome};

use crate::session::Session;
use crate::{bank, leader, list_append, set};

/// All that this program serves.
pub const WORKLOADS: &[&str] = &["list-append", "bank", "set", "set-full"];

/// The tables of all workloads.
const TABLES: &str = include_str!("tables.sql");

/// A client of one node.
pub struct Program {
    workload: String,
    isolation: IsolationLevel,
    node: Option<Node>,
    session: Option<Session>,
}

impl Program {
    /// A client that is bound to no node yet.
    pub fn new(workload: &str, isolation: IsolationLevel) -> Self {
        Self { workload: workload.to_owned(), isolation, node: None, session: None }
    }

    /// The connection that there is, or a new one to whom the node's Patroni names.
    async fn session(&mut self) -> Result<Session, Failure> {
        if let Some(session) = self.session.take() {
            return Ok(session);
        }
        let node = self.node.as_ref().ok_or_else(|| Failure::fail("bound to no node"))?;
        let (host, port) = leader::named(node).await?;
        Session::open(&host, port).await
    }
}

#[async_trait]
impl Client for Program {
    /// Nothing is connected to: a node that is down is found out by the calls.
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        self.session = None;
        self.node = Some(node.clone());
        Ok(())
    }

    async fn setup(&mut self) -> Result<(), Failure> {
        let session = self.session().await?;
        session.postgres.batch_execute(TABLES).await?;
        self.session = Some(session);
        Ok(())
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        let mut session = self.session().await?;
        let postgres = &mut session.postgres;
        let outcome = match self.workload.as_str() {
            "list-append" => list_append::perform(postgres, self.isolation, call).await,
            "bank" => bank::perform(postgres, self.isolation, call).await,
            _ => set::perform(postgres, call).await,
        };
        let address = session.address.clone();
        // After what nobody knows the next call gets a connection of its own.
        let known = !matches!(outcome, Err(Failure::Info(_)));
        self.session = Some(session).filter(|session| known && !session.postgres.is_closed());
        outcome.map(|reply| reply.with("server", address))
    }

    async fn close(&mut self) {
        self.session = None;
    }
}
