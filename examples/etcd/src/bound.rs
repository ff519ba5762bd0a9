//! A client's connection to its one node, whatever the workload.
//!
//! It is given up after every call that went wrong, so that an answer that comes
//! late finds nobody, and a connection that was idle when its node died serves one call at most.

use std::time::Duration;

use async_trait::async_trait;
use etcd_client::{Client as Etcd, ConnectOptions};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tribunal_client::{Call, Client, Failure, Node, Outcome, Value};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(1);

/// The calls of one workload.
#[async_trait]
pub trait Calls: Send {
    /// Performs one call.
    async fn perform(&mut self, link: &mut Link, call: &Call) -> Outcome;

    /// What comes from now on is another process's: of what the one before did nothing is left.
    fn forget(&mut self) {}
}

/// A connection, and whose.
pub struct Link {
    /// The node's name.
    pub node: String,
    /// Its address, with the port.
    pub address: String,
    /// The driver.
    pub etcd: Etcd,
}

impl Link {
    async fn to(node: &Node) -> Result<Self, Failure> {
        let address = format!("{}:{}", node.ip, node.ports.get("client").unwrap_or(&2379));
        let etcd = connect(&address).await?;
        Ok(Self { node: node.id.clone(), address, etcd })
    }
}

/// A client of one etcd node.
pub struct Bound {
    calls: Box<dyn Calls>,
    node: Option<Node>,
    link: Option<Link>,
}

impl Bound {
    /// One that is not connected yet.
    pub fn new(calls: Box<dyn Calls>) -> Self {
        Self { calls, node: None, link: None }
    }
}

#[async_trait]
impl Client for Bound {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        self.calls.forget();
        self.node = Some(node.clone());
        self.link = Some(Link::to(node).await?);
        Ok(())
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        // Taken out and given back only after an answer: whatever went wrong, the
        // next call gets a connection of its own.
        let mut link = match (self.link.take(), &self.node) {
            (Some(link), _) => link,
            (None, Some(node)) => Link::to(node).await?,
            (None, None) => return Err(Failure::fail("there was no `open`")),
        };
        let reply = self.calls.perform(&mut link, call).await?;
        self.link = Some(link);
        Ok(reply)
    }

    async fn close(&mut self) {
        self.calls.forget();
        self.link = None;
    }
}

/// A connection to `address`. The first one, which carries nothing, tells whether
/// anybody listens there; if not, no call was made for certain.
async fn connect(address: &str) -> Result<Etcd, Failure> {
    match timeout(CONNECT, TcpStream::connect(address)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => return Err(Failure::fail(format!("cannot reach {address}: {error}"))),
        Err(_) => {
            return Err(Failure::fail(format!("cannot reach {address}: no connection in time")));
        }
    }
    let options = ConnectOptions::new().with_connect_timeout(CONNECT);
    // Without a user and a password this sends nothing.
    Etcd::connect([address], Some(options)).await.map_err(Failure::fail)
}

/// Where a call's object lies.
pub fn place(call: &Call) -> String {
    format!("tribunal/{}", call.key.as_ref().unwrap_or(&Value::Null))
}

/// What no workload asks for.
pub fn unknown(call: &Call) -> Failure {
    Failure::fail(format!("there is no `{}` of {}", call.f, call.value))
}
