//! `write` of a key, and `watch` of it by a stream of etcd's, from the very first revision.
//!
//! One stream a key, which is kept from call to call. Where it breaks, the next one goes on
//! after the last revision that was told. That there is nothing new is said only after a
//! linearizable read that found nothing newer; what that read shows and the stream does not
//! bring in time makes the call a `fail`, which tells nothing.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use etcd_client::{Client as Etcd, Error, WatchOptions, WatchResponse, WatchStream};
use serde_json::json;
use tokio::time::{Instant, timeout_at};
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::bound::{Calls, Link, place, unknown};
use crate::failure::{of_change, parse, revised};

/// How long a change may take to arrive that a read has shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// The watches of one process.
#[derive(Default)]
pub struct Watch {
    watchers: BTreeMap<String, Watcher>,
}

/// Where a process is in a key's changes.
#[derive(Default)]
struct Watcher {
    /// The last revision that was told.
    told: i64,
    stream: Option<WatchStream>,
}

#[async_trait]
impl Calls for Watch {
    async fn perform(&mut self, link: &mut Link, call: &Call) -> Outcome {
        let key = place(call);
        match &*call.f {
            "write" => write(&mut link.etcd, key, &call.value).await,
            "watch" => {
                let watcher = self.watchers.entry(key.clone()).or_default();
                watcher.watch(&mut link.etcd, key).await
            }
            _ => Err(unknown(call)),
        }
    }

    /// Every process watches from the beginning.
    fn forget(&mut self) {
        self.watchers.clear();
    }
}

async fn write(etcd: &mut Etcd, key: String, value: &Value) -> Outcome {
    let put = etcd.put(key, value.to_string(), None).await.map_err(of_change)?;
    let header = put.header().ok_or_else(|| Failure::info("etcd told no revision"))?;
    Ok(revised(Reply::of(header.revision()), Some(header)))
}

impl Watcher {
    /// The changes since the last time. A watch changes nothing, so whatever goes wrong is a `fail`.
    async fn watch(&mut self, etcd: &mut Etcd, key: String) -> Outcome {
        let got = etcd.get(key.clone(), None).await.map_err(Failure::fail)?;
        let newest = got.kvs().first().map_or(0, |pair| pair.mod_revision());
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let options = WatchOptions::new().with_start_revision(self.told + 1);
                etcd.watch(key, Some(options)).await.map_err(Failure::fail)?
            }
        };
        let mut changes = Changes { last: self.told, all: Vec::new() };
        let deadline = Instant::now() + PATIENCE;
        let mut why = None;
        while changes.last < newest && why.is_none() {
            why = match timeout_at(deadline, stream.message()).await {
                Err(_) => Some(format!("revision {newest} did not come within {PATIENCE:?}")),
                Ok(message) => changes.take(message)?.err(),
            };
        }
        // A stream that ended, or from which more may come late, is not read any more.
        self.stream = why.is_none().then_some(stream);
        match why {
            Some(why) if changes.all.is_empty() => Err(Failure::fail(why)),
            _ => {
                self.told = changes.last;
                Ok(revised(Reply::of(changes.all), got.header()))
            }
        }
    }
}

/// What a call has seen so far.
struct Changes {
    /// The last revision.
    last: i64,
    /// `[revision, value]` of each.
    all: Vec<Value>,
}

impl Changes {
    /// Adds those of a message as they come; `Err` within where none will follow.
    fn take(
        &mut self,
        message: Result<Option<WatchResponse>, Error>,
    ) -> Result<Result<(), String>, Failure> {
        let message = match message {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(Err("the stream ended".to_owned())),
            Err(error) => return Ok(Err(error.to_string())),
        };
        if message.canceled() {
            return Ok(Err(format!("etcd ended the watch: {}", message.cancel_reason())));
        }
        for pair in message.events().iter().filter_map(|event| event.kv()) {
            self.all.push(json!([pair.mod_revision(), parse(pair)?]));
            self.last = self.last.max(pair.mod_revision());
        }
        Ok(Ok(()))
    }
}
