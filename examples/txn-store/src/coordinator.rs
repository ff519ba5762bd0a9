//! What a node does for its clients: it attempts their transactions until one attempt goes
//! through, and knows of each how it ended.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use crate::attempt::{Attempt, Stop};
use crate::bug::Bug;
use crate::cluster::Cluster;
use crate::journal::Journal;
use crate::message::{Age, ClientAnswer, ClientRequest, Timestamp, TxnId};
use crate::program::Program;
use crate::site::Site;

/// How long a transaction is attempted; shorter than a client waits.
const PATIENCE: Duration = Duration::from_millis(800);

/// Attempts are as far apart as this.
const PAUSE: Duration = Duration::from_millis(10);

/// The part of a node that clients talk to.
pub struct Coordinator {
    id: String,
    bug: Bug,
    /// The node itself.
    pub site: Arc<Site>,
    /// All nodes.
    pub cluster: Arc<Cluster>,
    /// Where its decisions are kept.
    pub journal: Arc<Journal>,
    /// The number of its next attempt.
    next: AtomicU64,
}

impl Coordinator {
    /// The coordinator of node `id`, which was started `starts` times before.
    pub fn new(
        id: String,
        bug: Bug,
        starts: u64,
        site: Arc<Site>,
        cluster: Arc<Cluster>,
        journal: Arc<Journal>,
    ) -> Self {
        // No life of a node makes as many attempts as there are between two of them.
        Self { id, bug, site, cluster, journal, next: AtomicU64::new(starts << 32) }
    }

    /// Answers a client.
    pub async fn answer(&self, request: ClientRequest) -> ClientAnswer {
        match request {
            ClientRequest::Ping => ClientAnswer::Done(Vec::new()),
            ClientRequest::Perform(program) => self.perform(&program).await,
        }
    }

    async fn perform(&self, program: &Program) -> ClientAnswer {
        let limit = Instant::now() + PATIENCE;
        let age = Age { begun: self.site.clock.tick(), node: self.id.clone() };
        loop {
            let view = self.bug.view(program.reads_only(), &self.site.clock, &self.site.horizons);
            let mut attempt = Attempt::begin(self, self.name(), age.clone(), view);
            let late = |_| Err(Stop::Refused(format!("not done within {PATIENCE:?}")));
            let promised = timeout_at(limit, promised(program, &mut attempt)).await;
            match promised.unwrap_or_else(late) {
                Ok((found, after)) => {
                    attempt.commit(after).await;
                    return ClientAnswer::Done(found);
                }
                Err(Stop::Refused(why)) => {
                    attempt.abort();
                    return ClientAnswer::Refused(why);
                }
                Err(Stop::Conflict) => attempt.abort(),
            }
            sleep(jitter()).await;
        }
    }

    fn name(&self) -> TxnId {
        TxnId { node: self.id.clone(), number: self.next.fetch_add(1, Ordering::SeqCst) }
    }
}

/// Runs a program and has it promised: what its reads found, and after which time it may be
/// committed.
async fn promised(
    program: &Program,
    attempt: &mut Attempt<'_>,
) -> Result<(Vec<Value>, Timestamp), Stop> {
    let found = program.run(attempt).await?;
    Ok((found, attempt.vote().await?))
}

fn jitter() -> Duration {
    let random = RandomState::new().hash_one(());
    PAUSE * (random % 1000) as u32 / 1000
}
