//! `tribunal heal`: undoes what a killed controller or agent left on nodes.

use clap::Args;
use tribunal_harness::cluster::{Cluster, local};

use super::{explain, runtime};
use crate::Exit;
use crate::hosts::Hosts;

/// Undoes every fault that is still being done, on the nodes named or else on
/// every local cluster. Does no harm where there is nothing to undo.
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
        let clusters = self.clusters()?;
        if clusters.is_empty() {
            println!("no local cluster, and no --nodes: nothing to heal");
        }
        runtime()?.block_on(async {
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

    fn clusters(&self) -> anyhow::Result<Vec<Cluster>> {
        if self.hosts.are_given() {
            return Ok(vec![self.hosts.cluster().map_err(explain)?]);
        }
        let names = match &self.cluster {
            Some(name) => vec![name.clone()],
            None => local::list().map_err(explain)?.into_iter().map(|found| found.name).collect(),
        };
        names.iter().map(|name| local::open(name).map_err(explain)).collect()
    }
}

/// What could not be undone, a sentence a node.
async fn heal(cluster: &Cluster) -> anyhow::Result<Vec<String>> {
    let sessions = cluster.connect().await?;
    Ok(tribunal_nemesis::heal(&sessions, &std::env::current_exe()?).await)
}
