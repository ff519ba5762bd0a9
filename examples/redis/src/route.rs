//! How a client finds the server that a call goes to: it is the node itself, or the one that the
//! node's sentinel names. Sentinel is asked before every call, for a primary that was deposed keeps its
//! connections. An answer that does not come is a certain failure: no server has heard of the call.

use std::time::Duration;

use redis::Value;
use redis::aio::MultiplexedConnection;
use tokio::time::timeout;
use tribunal_client::{Failure, Node};

use crate::link::Link;

/// The name of the group of servers that the sentinels watch.
const GROUP: &str = "tribunal";

/// How long a sentinel may take to answer.
const ASKED: Duration = Duration::from_millis(500);

/// The way from a node to a server.
pub struct Route {
    /// Whom the client is bound to.
    pub node: Node,
    /// Whether the node's sentinel is asked.
    by_sentinel: bool,
    sentinel: Option<Link>,
    server: Option<Link>,
}

impl Route {
    /// To the node's own server.
    pub fn to(node: &Node) -> Self {
        Self { node: node.clone(), by_sentinel: false, sentinel: None, server: None }
    }

    /// To the primary that the node's sentinel names.
    pub fn by_sentinel(node: &Node) -> Self {
        Self { by_sentinel: true, ..Self::to(node) }
    }

    /// A connection to the server, to be given back after an answer.
    pub async fn link(&mut self) -> Result<Link, Failure> {
        let (ip, port) = match self.by_sentinel {
            true => self.primary().await?,
            false => (self.node.ip.clone(), self.port("client", 6379)),
        };
        let address = format!("{ip}:{port}");
        match self.server.take().filter(|link| link.address == address) {
            Some(link) => Ok(link),
            None => Link::to(&ip, port).await,
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
    let answer = timeout(ASKED, question.query_async::<Value>(sentinel)).await;
    let answer = answer.map_err(|_| Failure::fail("the sentinel did not answer in time"))?;
    let answer = answer.map_err(|error| Failure::fail(format!("the sentinel said: {error}")))?;
    redis::from_redis_value(answer)
        .map_err(|error| Failure::fail(format!("the sentinel names no primary: {error}")))
}
