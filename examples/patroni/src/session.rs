//! A connection to PostgreSQL. It is made before a call is sent: one that cannot be made is a certain failure of the call.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::{Client, Config, NoTls};
use tribunal_client::Failure;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(1);

/// A connection, and to whom.
pub struct Session {
    /// `10.1.1.1:5432`
    pub address: String,
    /// The driver neither repeats a statement nor connects again by itself.
    pub postgres: Client,
    /// Carries the bytes; ended with the session, for a server that stands would keep it for ever.
    carrier: JoinHandle<()>,
}

impl Session {
    /// Connects.
    pub async fn open(host: &str, port: u16) -> Result<Self, Failure> {
        let address = format!("{host}:{port}");
        let mut config = Config::new();
        config.host(host).port(port).user("postgres").dbname("postgres");
        // A leader that was deposed meanwhile is none to talk to; one that is deposed ends its connections.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite);
        let cannot =
            |why: &dyn std::fmt::Display| Failure::fail(format!("cannot reach {address}: {why}"));
        let connected = timeout(CONNECT, config.connect(NoTls)).await;
        let connected = connected.map_err(|_| cannot(&"no connection in time"))?;
        let (postgres, connection) =
            connected.map_err(|error| cannot(&crate::errors::told(&error)))?;
        let carrier = tokio::spawn(async move {
            // Its end is told to whoever waits for an answer.
            let _ = connection.await;
        });
        Ok(Self { address, postgres, carrier })
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.carrier.abort();
    }
}
