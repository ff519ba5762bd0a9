//! What a node does by itself: it drops transactions whose coordinators are gone, asks
//! what became of those that it has promised, and hears of others' commits.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use crate::cluster::Cluster;
use crate::message::{PeerAnswer, PeerRequest, TxnId};
use crate::site::Site;

/// How often it looks.
const EVERY: Duration = Duration::from_millis(100);

/// How long a transaction that has promised nothing may be idle; longer than it is attempted.
const IDLE: Duration = Duration::from_secs(1);

/// How long after a promise its coordinator is asked; longer than it needs to tell.
const DOUBT: Duration = Duration::from_millis(500);

/// Settles what is open here, for ever.
pub async fn settle(cluster: Arc<Cluster>, site: Arc<Site>) {
    loop {
        sleep(EVERY).await;
        site.participant.drop_idle(IDLE);
        let doubts = site.participant.in_doubt(DOUBT);
        let asked = doubts.into_iter().map(|txn| ask(cluster.clone(), site.clone(), txn));
        let mut asked: tokio::task::JoinSet<()> = asked.collect();
        while asked.join_next().await.is_some() {}
    }
}

async fn ask(cluster: Arc<Cluster>, site: Arc<Site>, txn: TxnId) {
    let inquiry = PeerRequest::Inquire { txn: txn.clone() };
    if let Some(PeerAnswer::Outcome(Some(outcome))) = cluster.ask(&txn.node, inquiry).await {
        site.participant.finish(&txn, outcome).await;
    }
}

/// Hears how far the others are, for ever.
pub async fn hear_of_others(cluster: Arc<Cluster>, site: Arc<Site>) {
    loop {
        sleep(EVERY).await;
        for node in cluster.others() {
            if let Some(PeerAnswer::Horizons(known)) =
                cluster.ask(node, PeerRequest::Horizons).await
            {
                site.horizons.merge(known);
            }
        }
    }
}
