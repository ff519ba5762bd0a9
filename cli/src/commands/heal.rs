//! `tribunal heal`: undoes what a killed controller or agent left on nodes. One node, or one
//! cluster, that cannot be reached does not keep the others from being healed.

use clap::Args;
use tribunal_harness::cluster::local::Listing;
use tribunal_harness::cluster::{Cluster, ClusterError, local, sweep};

use super::{explain, runtime};
use crate::Exit;
use crate::hosts::Hosts;

/// Undoes every fault that is still being done, on the nodes named or else on every local cluster that
/// no living run uses. Sessions that killed controllers left open to hosts are
/// closed. Does no harm where there is nothing to undo.
#[derive(Args)]
pub struct Heal {
    /// A local cluster, whoever uses it; by default all that no living run uses.
    cluster: Option<String>,
    #[command(flatten)]
    hosts: Hosts,
}

/// A cluster by its name, or why it cannot be found.
type Found = (String, Result<Cluster, ClusterError>);

impl Heal {
    /// Heals, and says what could not be undone.
    pub fn run(self) -> anyhow::Result<Exit> {
        runtime()?.block_on(async {
            if let killed @ 1.. = sweep() {
                println!("closed the sessions to hosts of {killed} killed controllers");
            }
            let mut exit = Exit::Valid;
            for (name, cluster) in self.clusters().await.map_err(explain)? {
                let left = match cluster {
                    Ok(cluster) => heal(&cluster).await?,
                    Err(error) => vec![error.to_string()],
                };
                for sentence in left {
                    eprintln!("tribunal: {name}: {sentence}");
                    exit = Exit::Harness;
                }
            }
            Ok(exit)
        })
    }

    /// Whose harm is to be undone. What was asked for by name must be there.
    async fn clusters(&self) -> Result<Vec<Found>, ClusterError> {
        if let Some(hosts) = self.hosts.cluster().await? {
            return Ok(vec![(hosts.name.clone(), Ok(hosts))]);
        }
        if let Some(name) = &self.cluster {
            return Ok(vec![(name.clone(), Ok(local::find(Some(name))?))]);
        }
        let listed = local::list()?;
        if listed.is_empty() {
            println!("no local cluster, and no --nodes: nothing to heal");
        }
        let mut to_heal = Vec::new();
        for found in listed {
            match left_alone(&found) {
                Some(sentence) => println!("{sentence}"),
                None => to_heal.push((found.name.clone(), local::find(Some(&found.name)))),
            }
        }
        Ok(to_heal)
    }
}

/// Why a cluster that nobody asked for by name is not healed. A run that lives undoes its faults itself, and
/// would lose its agents, and the ground under its database, to whoever heals in its place. Dead nodes
/// took all harm with them.
fn left_alone(found: &Listing) -> Option<String> {
    let name = &found.name;
    if let Some(pid) = found.user() {
        return Some(format!(
            "cluster {name} is in use by process {pid} and stays as it is; \
             `tribunal heal {name}` heals it nevertheless"
        ));
    }
    // Of one whose record cannot be read nobody knows.
    let dead = found.record.is_some() && found.nodes_alive() == 0;
    dead.then(|| {
        format!(
            "no node of cluster {name} is alive, so there is nothing to heal; \
             `tribunal cluster down {name}` takes away what is left of it"
        )
    })
}

/// Heals the nodes that can be reached; what could not be undone comes back, a sentence a node.
async fn heal(cluster: &Cluster) -> anyhow::Result<Vec<String>> {
    let (mut sessions, mut left) = (Vec::new(), Vec::new());
    for attempt in cluster.connect_each().await {
        match attempt {
            Ok(session) => sessions.push(session),
            Err(refused) => left.push(refused.to_string()),
        }
    }
    left.extend(tribunal_nemesis::heal(&sessions, &std::env::current_exe()?).await);
    if left.is_empty() {
        println!("{}: {} nodes healed", cluster.name, cluster.nodes.len());
    }
    Ok(left)
}
