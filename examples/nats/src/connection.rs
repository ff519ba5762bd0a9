//! A connection to one server, and never to another: the driver would follow the
//! cluster's hints to any of them. What is sent over it is not here.

use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::Context;
use async_nats::jetstream::context::ContextBuilder;
use async_nats::{Client, ConnectOptions};
use tribunal_client::{Failure, Node};

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(1);
/// How long the servers have for one request: an acknowledgement, a consumer.
pub const ANSWER: Duration = Duration::from_secs(2);
/// Between two tries of the same.
pub const PAUSE: Duration = Duration::from_millis(200);

/// Where a client is bound to, and its connection while there is one.
#[derive(Default)]
pub struct Connection {
    address: String,
    client: Option<Client>,
}

impl Connection {
    /// Binds to `node`, with a new connection.
    pub async fn open(&mut self, node: &Node) -> Result<(), Failure> {
        self.address = format!("{}:{}", node.ip, node.ports.get("client").unwrap_or(&4222));
        self.client = Some(connect(&self.address).await?);
        Ok(())
    }

    /// JetStream over a connection that holds, or over a new one: what the driver
    /// would say while it is without a server, it would say when it has one again.
    pub async fn jetstream(&mut self) -> Result<Context, Failure> {
        let client = match self.client.take() {
            Some(client) if client.connection_state() == State::Connected => client,
            _ => connect(&self.address).await?,
        };
        self.client = Some(client.clone());
        Ok(ContextBuilder::new().timeout(ANSWER).build(client))
    }

    /// Lets go of it.
    pub fn drop(&mut self) {
        self.client = None;
    }
}

/// The driver greets the server and waits for its answer. Nothing else was said
/// before that, so that a call whose connection fails certainly did not happen.
async fn connect(address: &str) -> Result<Client, Failure> {
    ConnectOptions::new()
        .ignore_discovered_servers()
        .max_reconnects(1)
        .connection_timeout(CONNECT)
        .request_timeout(Some(ANSWER))
        .connect(format!("nats://{address}"))
        .await
        .map_err(|error| Failure::fail(format!("cannot reach {address}: {error}")))
}
