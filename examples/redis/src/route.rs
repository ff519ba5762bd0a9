//! How a client finds the server that a call goes to: it is the node itself, or the one that the
//! node's sentinel names, as Redis' guide for clients of Sentinel has it: the sentinel is asked before
//! a connection is made, and the server then is asked whether it is a primary. A client that also
//! listens to the sentinel's messages learns of a failover while its connection lasts; it is one that
//! asks before every call. What goes wrong here is a certain failure: no server has heard of the call.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value};
use tokio::time::timeout;
use tribunal_client::{Failure, Node};

use crate::link::Link;

/// The name of the group of servers that the sentinels watch.
const GROUP: &str = "tribunal";

/// How long the answer to a question may take.
const ASKED: Duration = Duration::from_millis(500);

/// When a client asks its sentinel who the primary is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Before every call.
    EachCall,
    /// When it has no connection; a primary that was deposed keeps those it has until it is told.
    EachConnection,
}

/// The way from a node to a server.
pub struct Route {
    /// Whom the client is bound to.
    pub node: Node,
    /// `None`: never, the server is the node's own.
    asks: Option<Asks>,
    sentinel: Option<Link>,
    server: Option<Link>,
}

impl Route {
    /// To the node's own server.
    pub fn to(node: &Node) -> Self {
        Self { node: node.clone(), asks: None, sentinel: None, server: None }
    }

    /// To the primary that the node's sentinel names.
    pub fn by_sentinel(node: &Node, asks: Asks) -> Self {
        Self { asks: Some(asks), ..Self::to(node) }
    }

    /// A connection to the server, to be given back after an answer.
    pub async fn link(&mut self) -> Result<Link, Failure> {
        match (self.asks, self.server.take()) {
            (None | Some(Asks::EachConnection), Some(link)) => Ok(link),
            (None, None) => Link::to(&self.node.ip, self.port("client", 6379)).await,
            (Some(_), held) => self.primary_link(held).await,
        }
    }

    async fn primary_link(&mut self, held: Option<Link>) -> Result<Link, Failure> {
        let (ip, port) = self.primary().await?;
        let address = format!("{ip}:{port}");
        if let Some(link) = held.filter(|link| link.address == address) {
            return Ok(link);
        }
        let mut link = Link::to(&ip, port).await?;
        match role(&mut link.redis).await?.as_str() {
            "master" => Ok(link),
            other => Err(Failure::fail(format!("{address} is no primary but a {other}"))),
        }
    }

    /// Keeps a connection for the next call.
    pub fn give_back(&mut self, link: Link) {
        self.server = Some(link);
    }

    async fn primary(&mut self) -> Result<(String, u16), Failure> {
        let mut sentinel = match self.sentinel.take() {
            Some(sentinel) => sentinel,
            None => Link::to(&self.node.ip, self.port("sentinel", 26379)).await?,
        };
        let named = named(&mut sentinel.redis).await?;
        self.sentinel = Some(sentinel);
        Ok(named)
    }

    fn port(&self, name: &str, usual: u16) -> u16 {
        *self.node.ports.get(name).unwrap_or(&usual)
    }
}

/// Whom a sentinel names.
async fn named(sentinel: &mut MultiplexedConnection) -> Result<(String, u16), Failure> {
    let mut question = redis::cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(GROUP);
    let answer = answered("the sentinel", &question, sentinel).await?;
    redis::from_redis_value(answer)
        .map_err(|error| Failure::fail(format!("the sentinel names no primary: {error}")))
}

/// What a server is: `master`, `slave` or `sentinel`.
async fn role(server: &mut MultiplexedConnection) -> Result<String, Failure> {
    let role = match answered("the server", &redis::cmd("ROLE"), server).await? {
        Value::Array(parts) => parts.into_iter().next().unwrap_or(Value::Nil),
        other => other,
    };
    redis::from_redis_value(role)
        .map_err(|error| Failure::fail(format!("the server does not say what it is: {error}")))
}

/// The answer to a question that changes nothing.
async fn answered(
    whom: &str,
    question: &Cmd,
    connection: &mut MultiplexedConnection,
) -> Result<Value, Failure> {
    match timeout(ASKED, question.query_async(connection)).await {
        Ok(answer) => answer.map_err(|error| Failure::fail(format!("{whom} said: {error}"))),
        Err(_) => Err(Failure::fail(format!("{whom} did not answer in time"))),
    }
}
