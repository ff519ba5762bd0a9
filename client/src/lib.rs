//! Clients perform calls against one node of a database.
//!
//! This crate is what a client program needs and no more: the [`Client`] trait,
//! the client protocol (JSON lines on standard input and output) and the loop
//! that serves it. It brings no runtime: the trait is async so that drivers may be, and
//! `serve` is awaited on whatever runtime the program has.

mod deadline;
pub mod protocol;
mod serve;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

pub use serve::{serve, serve_on};
pub use tribunal_history::{Call, Map, Value};

/// A node of the cluster, as a client sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its name: `n1`.
    pub id: String,
    /// Its address.
    pub ip: String,
    /// Its ports by name, from the test file: `{"client": 2379}`.
    #[serde(default)]
    pub ports: BTreeMap<String, u16>,
}

/// What came back from a call that happened.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reply {
    /// The result, in the workload's shape.
    pub value: Value,
    /// What the database exposes beside it: `{"timestamp": ns}`, `{"term": 3}`.
    pub ext: Map<String, Value>,
}

impl Reply {
    /// A reply of just a value.
    pub fn of(value: impl Into<Value>) -> Self {
        Self { value: value.into(), ext: Map::new() }
    }

    /// The same reply with one more thing that the database exposes.
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.ext.insert(name.to_owned(), value.into());
        self
    }
}

/// Why a call did not come back with a reply; it answers one question: can it have happened?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// It certainly did not happen, and never will.
    Fail(String),
    /// Nobody knows.
    Info(String),
}

impl Failure {
    /// A certain failure.
    pub fn fail(why: impl ToString) -> Self {
        Failure::Fail(why.to_string())
    }

    /// An uncertain one.
    pub fn info(why: impl ToString) -> Self {
        Failure::Info(why.to_string())
    }
}

/// Any error that a client passes up with `?` is an `info`: only who knows better says `fail`.
impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Info(error.to_string())
    }
}

/// How a call ended.
pub type Outcome = Result<Reply, Failure>;

/// Performs calls against one node. One call at a time.
#[async_trait]
pub trait Client: Send {
    /// Makes ready what the client itself needs, before a node is asked for anything. Called before each
    /// [`open`](Self::open): what is ready already stays as it is. It has a time of its own, which is not a call's.
    async fn start(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Connects to a node. Called again after a failure, on the same value.
    async fn open(&mut self, node: &Node) -> Result<(), Failure>;

    /// Makes what the workload needs before its first call (a table, a stream). Called once a run, on one client.
    async fn setup(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    /// Performs one call. Whoever calls enforces the deadline.
    async fn invoke(&mut self, call: &Call) -> Outcome;

    /// Whether its last failure was its own, and says nothing of the database: a client that is a program and has
    /// crashed, say.
    fn is_broken(&self) -> bool {
        false
    }

    /// Lets go of the connection.
    async fn close(&mut self) {}

    /// No call will come any more: ends what the client runs beside its connection.
    async fn quit(&mut self) {
        self.close().await;
    }
}
