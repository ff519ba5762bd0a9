//! One client: a route to a server, and the calls of one workload. What the calls are is not here.

use async_trait::async_trait;
use tribunal_client::{Call, Client, Failure, Node, Outcome};

use crate::leader;
use crate::lock::Locks;
use crate::register;
use crate::route::{Asks, Route};
use crate::set;

/// All that this program serves.
pub const WORKLOADS: &[&str] = &["set", "set-full", "register", "lww", "lock", "leader"];

/// The calls of a workload.
enum Calls {
    Set,
    /// Of `register` and of `lww`.
    Register,
    Lock(Locks),
    /// On the node itself, whoever is primary.
    Leader,
}

impl Calls {
    /// The harness asks for none but [`WORKLOADS`].
    fn of(workload: &str) -> Self {
        match workload {
            "set" | "set-full" => Calls::Set,
            "lock" => Calls::Lock(Locks::default()),
            "leader" => Calls::Leader,
            _ => Calls::Register,
        }
    }
}

/// A client of one node.
pub struct Program {
    calls: Calls,
    asks: Asks,
    route: Option<Route>,
}

impl Program {
    /// A client that is bound to no node yet.
    pub fn new(workload: &str, asks: Asks) -> Self {
        Self { calls: Calls::of(workload), asks, route: None }
    }
}

#[async_trait]
impl Client for Program {
    /// Nothing is connected to: a node that is down is found out by the calls.
    async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        self.route = Some(match self.calls {
            Calls::Leader => Route::to(node),
            _ => Route::by_sentinel(node, self.asks),
        });
        Ok(())
    }

    async fn invoke(&mut self, call: &Call) -> Outcome {
        let route = self.route.as_mut().ok_or_else(|| Failure::fail("bound to no node"))?;
        // Given back only after an answer: whatever went wrong, the next call gets a connection of its own.
        let mut link = route.link().await?;
        let reply = match &mut self.calls {
            Calls::Set => set::perform(&mut link.redis, call).await,
            Calls::Register => register::perform(&mut link.redis, call).await,
            Calls::Lock(locks) => locks.perform(&mut link.redis, call).await,
            Calls::Leader => leader::perform(&mut link.redis, &route.node.id, call).await,
        }?;
        let reply = reply.with("server", link.address.clone());
        route.give_back(link);
        Ok(reply)
    }

    async fn close(&mut self) {
        self.route = None;
    }
}
