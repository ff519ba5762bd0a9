//! The end of a run that was broken off. Local nodes go with all that is on them; hosts stay, and the
//! database would go on there, in the way of whoever comes next.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;
use tribunal_harness::cluster::{Cluster, Kind, Node, Session, SshOptions};
use tribunal_harness::database::{DatabaseError, Declared};

use super::Plan;

/// Enough for a session and for a database that has to be killed; who breaks a run off waits for no more.
const LONGEST: Duration = Duration::from_secs(15);

impl Plan {
    /// Ends the database on hosts that a run was broken off on, and tells of those where it may still run.
    pub async fn end_on_hosts(&self, cluster: &Cluster) {
        if !matches!(cluster.kind, Kind::Hosts) {
            return;
        }
        let database = self
            .templates(&cluster.nodes)
            .and_then(|templates| self.database(&cluster.nodes, &templates));
        match database {
            Ok(database) => end(cluster, Arc::new(database)).await,
            Err(error) => eprintln!("tribunal: the database may still run: {error}"),
        }
    }
}

async fn end(cluster: &Cluster, database: Arc<Declared>) {
    let mut ending = JoinSet::new();
    for node in cluster.nodes.clone() {
        let (ssh, database) = (cluster.ssh.clone(), database.clone());
        ending.spawn(async move {
            match timeout(LONGEST, end_on(&node, &ssh, &database)).await {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(format!("{error}; the database may still run there")),
                Err(_) => Some(format!(
                    "node {}: the database was not ended within {} s, and may still run",
                    node.id,
                    LONGEST.as_secs()
                )),
            }
        });
    }
    for left in ending.join_all().await.into_iter().flatten() {
        eprintln!("tribunal: {left}");
    }
}

async fn end_on(node: &Node, ssh: &SshOptions, database: &Declared) -> Result<(), DatabaseError> {
    // The run's own sessions went with it.
    let session = Session::connect(node, ssh).await?;
    database.end_left_behind(&session).await
}
