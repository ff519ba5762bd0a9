//! `tribunal heal`: undoes what a killed controller or agent left on nodes.

use clap::Args;
use tribunal_harness::cluster::{Cluster, ClusterError, local, sweep};

use super::{explain, runtime};
use crate::Exit;
use crate::hosts::Hosts;

/// Undoes every fault that is still being done, on the nodes named or else on
/// every local cluster. Sessions that killed controllers left open to hosts are
/// closed. Does no harm where there is nothing to undo.
#[derive(Args)]
pub struct Heal {
    /// A local cluster; all of them by default.
    cluster: Option<String>,
    #[command(flatten)]
    hosts: Hosts,
}

impl Heal {
    /// Heals, and says what could not be undone.
    pub fn run(self) -> anyhow::Result<Exit> {
        runtime()?.block_on(async {
            if let killed @ 1.. = sweep() {
                println!("closed the sessions to hosts of {killed} killed controllers");
            }
            let clusters = self.clusters().await.map_err(explain)?;
            if clusters.is_empty() {
                println!("no local cluster, and no --nodes: nothing to heal");
            }
            let mut exit = Exit::Valid;
            for cluster in &clusters {
                let left = heal(cluster).await?;
                for sentence in &left {
                    eprintln!("tribunal: {sentence}");
                    exit = Exit::Harness;
                }
                if left.is_empty() {
                    println!("{}: {} nodes healed", cluster.name, cluster.nodes.len());
                }
            }
            Ok(exit)
        })
    }

    async fn clusters(&self) -> Result<Vec<Cluster>, ClusterError> {
        if let Some(hosts) = self.hosts.cluster().await? {
            return Ok(vec![hosts]);
        }
        let names = match &self.cluster {
            Some(name) => vec![name.clone()],
            None => local::list()?.into_iter().map(|found| found.name).collect(),
        };
        names.iter().map(|name| local::find(Some(name))).collect()
    }
}

/// What could not be undone, a sentence a node.
async fn heal(cluster: &Cluster) -> anyhow::Result<Vec<String>> {
    let sessions = cluster.connect().await?;
    Ok(tribunal_nemesis::heal(&sessions, &std::env::current_exe()?).await)
}
