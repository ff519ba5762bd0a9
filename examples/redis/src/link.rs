//! Connections to a server or a sentinel. They are made without a word: until a call is
//! sent nothing was, so a connection that could not be made is a certain failure of the call.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ConnectionAddr, IntoConnectionInfo, RedisConnectionInfo};
use tokio::time::timeout;
use tribunal_client::Failure;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_millis(500);

/// A connection, and to whom.
pub struct Link {
    /// `10.1.1.1:6379`
    pub address: String,
    /// One call at a time; the driver neither repeats a call nor connects again by itself.
    pub redis: MultiplexedConnection,
}

impl Link {
    /// Connects.
    pub async fn to(ip: &str, port: u16) -> Result<Self, Failure> {
        let address = format!("{ip}:{port}");
        let cannot =
            |why: &dyn std::fmt::Display| Failure::fail(format!("cannot reach {address}: {why}"));
        let redis = match timeout(CONNECT, connect(ip, port)).await {
            Ok(connected) => connected.map_err(|error| cannot(&error))?,
            Err(_) => return Err(cannot(&"no connection in time")),
        };
        Ok(Self { address, redis })
    }
}

async fn connect(ip: &str, port: u16) -> redis::RedisResult<MultiplexedConnection> {
    let silent = RedisConnectionInfo::default().set_skip_set_lib_name();
    let info = ConnectionAddr::Tcp(ip.to_owned(), port).into_connection_info()?;
    let client = redis::Client::open(info.set_redis_settings(silent))?;
    // How long an answer may take is the harness's to say.
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(CONNECT))
        .set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await
}
