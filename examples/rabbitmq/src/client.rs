//! One worker's client: a connection to its node, and the queues that it has declared.
//! What a call does is not here but in `queue`.

use std::collections::HashSet;

use async_trait::async_trait;
use tokio::time::sleep;
use tribunal_client::{Call, Client, Failure, Node, Outcome};

use crate::connection::{Kind, Link};
use crate::queue;

/// A client of one node.
pub struct Rabbit {
    kind: Kind,
    node: Option<Node>,
    link: Option<Link>,
    /// Queues that were there once: they are durable.
    declared: HashSet<String>,
}

impl Rabbit {
    /// One that is not connected yet.
    pub fn new(kind: Kind) -> Self {
        Self { kind, node: None, link: None, declared: HashSet::new() }
    }

    /// The connection that there is, or a new one. It is given back only by a call that went
    /// well: what went wrong, the next one does not inherit, and what was in hand is back in the queue.
    async fn take(&mut self) -> Result<Link, Failure> {
        match (self.link.take(), &self.node) {
            (Some(link), _) => Ok(link),
            (None, Some(node)) => Link::to(node).await,
            (None, None) => Err(Failure::fail("there was no `open`")),
        }
    }
}

#[async_trait]
impl Client for Rabbit {
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        self.node = Some(node.clone());
        self.link = None;
        self.link = Some(Link::to(node).await?);
        Ok(())
    }

    /// Makes the queue.
    async fn setup(&mut self) -> Result<(), Failure> {
        loop {
            let mut link = self.take().await?;
            match link.declare(&queue::name(None), self.kind).await {
                Ok(()) => {
                    self.link = Some(link);
                    return Ok(());
                }
                Err(why) => eprintln!("the queue is not made yet: {why:?}"),
            }
            sleep(queue::PAUSE).await;
        }
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        let mut link = self.take().await?;
        let queue = queue::name(call.key.as_ref());
        if !self.declared.contains(&queue) {
            link.declare(&queue, self.kind).await?;
            self.declared.insert(queue.clone());
        }
        let reply = queue::call(&mut link, &queue, call).await?;
        self.link = Some(link);
        Ok(reply)
    }

    async fn close(&mut self) {
        self.link = None;
    }
}
