//! A client's door to the node that it is bound to: one connection, taken anew after whatever went wrong
//! on it.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tribunal_client::{Failure, Node};

use crate::{Link, LinkError};

/// Longer than the harness waits for a call; it ends a connection that is dead.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a node may take to say how it is.
const KNOCK: Duration = Duration::from_secs(1);

/// The door to one node. It is closed at first.
pub struct Door<Q, A> {
    address: String,
    link: Option<Link<Q, A>>,
}

impl<Q, A> Default for Door<Q, A> {
    fn default() -> Self {
        Self { address: String::new(), link: None }
    }
}

impl<Q, A> Door<Q, A>
where
    Q: Serialize + Send + 'static,
    A: DeserializeOwned + Send + 'static,
{
    /// Binds it to `node`, whose clients' port is `port` unless the node says another.
    ///
    /// # Errors
    /// Where it cannot be reached.
    pub async fn open(&mut self, node: &Node, port: u16) -> Result<(), Failure> {
        let port = node.ports.get("client").copied().unwrap_or(port);
        self.address = format!("{}:{port}", node.ip);
        let link = Link::new(&self.address, PATIENCE);
        link.connect().await.map_err(Failure::fail)?;
        self.link = Some(link);
        Ok(())
    }

    /// Asks the node. `changes` tells whether the request changes anything where it arrives.
    ///
    /// # Errors
    /// As [`LinkError::failure`] has it.
    pub async fn ask(&mut self, request: Q, changes: bool) -> Result<A, Failure> {
        // Taken out, so that a call cut off by its deadline leaves no connection
        // behind on which its answer is still to come.
        let link = self.link.take().unwrap_or_else(|| Link::new(&self.address, PATIENCE));
        let answer = link.ask(request).await.map_err(|error| error.failure(changes))?;
        self.link = Some(link);
        Ok(answer)
    }

    /// Gives the connection up.
    pub fn close(&mut self) {
        self.link = None;
    }
}

impl LinkError {
    /// What it means for a call: it fails where nothing was sent, and where a request that
    /// `changes` nothing was not answered. Else nobody knows.
    pub fn failure(self, changes: bool) -> Failure {
        match self {
            Self::Unanswered { .. } if changes => Failure::info(self),
            _ => Failure::fail(self),
        }
    }
}

/// Asks the node at `address` how it is.
///
/// # Errors
/// Where it does not say so within a second.
pub async fn knock<Q, A>(address: &str, request: Q) -> Result<A, LinkError>
where
    Q: Serialize + Send + 'static,
    A: DeserializeOwned + Send + 'static,
{
    Link::new(address, KNOCK).ask(request).await
}
