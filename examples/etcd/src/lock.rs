//! `acquire` and `release` of etcd's own locks (its v3 lock service), each on a lease of its own.
//!
//! A lock lasts as long as its lease, and a client renews that in the background, as
//! etcd's libraries do. What its holder does meanwhile, etcd cannot know: a holder that is
//! stopped for longer than its lease, or cut off from its keep-alives, goes on as if it had the
//! lock. Such a pause is what `stall` is: the holder's keep-alives cease, and it learns nothing of it.
//!
//! The token of a grant is the revision at which the lock's key was made, which grows from
//! grant to grant: what else would be decided under the lock can be guarded by it (see `fenced_store`).

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use etcd_client::{Client as Etcd, LockOptions};
use serde_json::json;
use tokio::time::timeout;
use tribunal_client::{Call, Failure, Outcome, Reply};

use crate::bound::{Calls, Link, place, unknown};
use crate::failure::{lease_is_gone, of_change};
use crate::keep_alive::KeepAlive;

/// How long a client stands in line for a lock. Less than a lease, which is not renewed meanwhile.
const PATIENCE: Duration = Duration::from_secs(1);

/// How locks are held.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Of a lease, in seconds.
    pub ttl: i64,
    /// Every so many-th hold is not kept alive; 0: each is.
    pub stall: u64,
}

/// A lock that was granted, and not given back since.
pub struct Held {
    /// The key that is there for as long as the lock is held.
    pub key: Vec<u8>,
    /// The revision at which it was made.
    pub token: i64,
    lease: i64,
    /// `None` where it stands still.
    _keep_alive: Option<KeepAlive>,
}

/// The locks of one process.
pub struct Locks {
    terms: Terms,
    /// How many were granted.
    granted: u64,
    held: BTreeMap<String, Held>,
}

#[async_trait]
impl Calls for Locks {
    async fn perform(&mut self, link: &mut Link, call: &Call) -> Outcome {
        match &*call.f {
            "acquire" => self.acquire(&mut link.etcd, place(call)).await,
            "release" => self.release(&mut link.etcd, &place(call)).await,
            _ => Err(unknown(call)),
        }
    }

    /// The leases run out by themselves.
    fn forget(&mut self) {
        self.held.clear();
    }
}

impl Locks {
    /// None are held.
    pub fn new(terms: Terms) -> Self {
        Self { terms, granted: 0, held: BTreeMap::new() }
    }

    /// What is held of this lock, as far as the client knows.
    pub fn held(&self, lock: &str) -> Option<&Held> {
        self.held.get(lock)
    }

    async fn acquire(&mut self, etcd: &mut Etcd, lock: String) -> Outcome {
        // A lease holds nothing yet.
        let granted = etcd.lease_grant(self.terms.ttl, None).await.map_err(Failure::fail)?;
        let lease = granted.id();
        let options = LockOptions::new().with_lease(lease);
        let key = match timeout(PATIENCE, etcd.lock(lock.clone(), Some(options))).await {
            Ok(Ok(locked)) => locked.key().to_vec(),
            Ok(Err(error)) => return Err(of_change(error)),
            Err(_) => return Err(leave_the_line(etcd, lease).await),
        };
        // It may be held from here on: whoever does not learn the token leaves it to the lease.
        let found = etcd.get(key.clone(), None).await?;
        let Some(token) = found.kvs().first().map(|pair| pair.create_revision()) else {
            return Err(Failure::fail("the lease ran out before the lock was told of"));
        };
        self.granted += 1;
        let stalls = self.terms.stall > 0 && self.granted.is_multiple_of(self.terms.stall);
        let keep_alive = || KeepAlive::start(etcd.clone(), lease, granted.ttl());
        let _keep_alive = (!stalls).then(keep_alive);
        self.held.insert(lock, Held { key, token, lease, _keep_alive });
        let reply = Reply::of(json!({ "token": token }));
        Ok(if stalls { reply.with("keep_alive", "stalled") } else { reply })
    }

    /// Gives up the lease, and with it the lock. Never a `fail`: it is not kept alive any more,
    /// so it will be free, and nobody knows when.
    async fn release(&mut self, etcd: &mut Etcd, lock: &str) -> Outcome {
        let held = self.held.remove(lock);
        let held = held.ok_or_else(|| Failure::fail("this client does not hold it"))?;
        match etcd.lease_revoke(held.lease).await {
            Ok(_) => Ok(Reply::default()),
            Err(error) if lease_is_gone(&error) => Ok(Reply::default().with("expired", true)),
            Err(error) => Err(Failure::info(error)),
        }
    }
}

/// Without its lease nothing of the request is left, nor comes into being.
async fn leave_the_line(etcd: &mut Etcd, lease: i64) -> Failure {
    match etcd.lease_revoke(lease).await {
        Err(error) if !lease_is_gone(&error) => Failure::info(error),
        _ => Failure::fail(format!("others held it for {PATIENCE:?}")),
    }
}
