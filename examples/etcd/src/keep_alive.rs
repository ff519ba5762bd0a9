//! The keep-alive of a lease: a task of its own, which ends with the value that stands for it.

use std::time::Duration;

use etcd_client::{Client as Etcd, Error};
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// Renews a lease three times in its life, until it is dropped.
pub struct KeepAlive(JoinHandle<()>);

impl KeepAlive {
    /// Begins to renew `lease`, which lives for `ttl` seconds.
    pub fn start(etcd: Etcd, lease: i64, ttl: i64) -> Self {
        let every = Duration::from_secs(ttl.unsigned_abs().max(1)) / 3;
        Self(tokio::spawn(renew(etcd, lease, every)))
    }
}

impl Drop for KeepAlive {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Begins anew where a stream ends, as etcd's own clients do.
async fn renew(mut etcd: Etcd, lease: i64, every: Duration) {
    loop {
        match stream(&mut etcd, lease, every).await {
            // It has run out: there is nothing left to keep.
            Err(Error::LeaseKeepAliveError(_)) => return,
            Ok(()) | Err(_) => sleep(every).await,
        }
    }
}

/// Renews it by one stream until that ends.
async fn stream(etcd: &mut Etcd, lease: i64, every: Duration) -> Result<(), Error> {
    let (mut keeper, mut answers) = etcd.lease_keep_alive(lease).await?;
    loop {
        sleep(every).await;
        keeper.keep_alive().await?;
        match answers.message().await? {
            Some(answer) if answer.ttl() > 0 => {}
            Some(_) => return Err(Error::LeaseKeepAliveError("lease not found".into())),
            None => return Ok(()),
        }
    }
}
