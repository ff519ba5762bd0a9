//! `write` and `read` of what a lock guards, beside the `acquire` and `release` of the lock itself.
//!
//! A write is one transaction: the value is put if the key of the writer's lock is still there, of
//! the revision that is its token. Whoever lost the lock is refused, whether he knows of it or not.

use async_trait::async_trait;
use clap::ValueEnum;
use etcd_client::{Compare, CompareOp, Txn, TxnOp};
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::bound::{Calls, Link, place, unknown};
use crate::failure::{of_change, revised};
use crate::lock::Locks;
use crate::register::{Reads, read};

/// What a write depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Fencing {
    /// The writer's lock being there still, of the same revision.
    Revision,
    /// Nothing: the writer takes his own word for it.
    None,
}

/// A store of one value for each lock.
pub struct FencedStore {
    locks: Locks,
    fencing: Fencing,
}

impl FencedStore {
    /// A store that these locks guard.
    pub fn new(locks: Locks, fencing: Fencing) -> Self {
        Self { locks, fencing }
    }

    async fn write(&self, link: &mut Link, call: &Call) -> Outcome {
        let (Some(token), Some(value)) = (call.value.get("token"), call.value.get("value")) else {
            return Err(unknown(call));
        };
        let held = self.locks.held(&place(call)).filter(|held| token.as_i64() == Some(held.token));
        let held = held.ok_or_else(|| Failure::fail(format!("no lock under {token} is held")))?;
        let guards = match self.fencing {
            Fencing::Revision => {
                vec![Compare::create_revision(held.key.clone(), CompareOp::Equal, held.token)]
            }
            Fencing::None => Vec::new(),
        };
        let put = TxnOp::put(store(call), value.to_string(), None);
        let done = link.etcd.txn(Txn::new().when(guards).and_then([put])).await;
        let done = done.map_err(of_change)?;
        let reply = if done.succeeded() { call.value.clone() } else { Value::Bool(false) };
        Ok(revised(Reply::of(reply), done.header()))
    }
}

#[async_trait]
impl Calls for FencedStore {
    async fn perform(&mut self, link: &mut Link, call: &Call) -> Outcome {
        match &*call.f {
            "write" => self.write(link, call).await,
            "read" => read(&mut link.etcd, store(call), Reads::Linearizable).await,
            _ => self.locks.perform(link, call).await,
        }
    }

    fn forget(&mut self) {
        self.locks.forget();
    }
}

/// Where the value lies; not below the lock's own name, under which etcd queues who wants it.
fn store(call: &Call) -> String {
    format!("stored/{}", place(call))
}
