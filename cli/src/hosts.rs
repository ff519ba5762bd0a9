//! The options that say where the hosts are, shared by the commands that talk to them.

use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use tribunal_harness::cluster::{Cluster, ClusterError, SshOptions, hosts};
use tribunal_nemesis::faults::{Fault, Options, Place};

/// Where the help lists what says which nodes.
pub const NODES: &str = "Nodes";

/// Hosts that exist already, and how to reach them.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub struct Hosts {
    /// Hosts to use, with commas: names, addresses, user@host:port.
    #[arg(long, value_name = "HOST,..", help_heading = NODES)]
    pub nodes: Option<String>,
    /// A file with one host a line.
    #[arg(long, value_name = "FILE", conflicts_with = "nodes", help_heading = NODES)]
    pub nodes_file: Option<PathBuf>,
    /// The configuration that ssh reads instead of ~/.ssh/config.
    #[arg(long, value_name = "FILE", help_heading = NODES)]
    pub ssh_config: Option<PathBuf>,
    /// The key that ssh logs in with.
    #[arg(long, value_name = "FILE", help_heading = NODES)]
    pub identity: Option<PathBuf>,
    /// Where ssh looks up host keys instead of ~/.ssh/known_hosts.
    #[arg(long, value_name = "FILE", help_heading = NODES)]
    pub known_hosts: Option<PathBuf>,
}

impl Hosts {
    /// Where the nodes are: on this machine, unless hosts were named.
    pub fn place(&self) -> Place {
        if self.are_named() { Place::Hosts } else { Place::Local }
    }

    /// Whether any were named.
    pub fn are_named(&self) -> bool {
        self.nodes.is_some() || self.nodes_file.is_some()
    }

    /// The names of the nodes that were named, before anybody has looked for them.
    pub fn names(&self) -> Result<Option<Vec<String>>, ClusterError> {
        match (&self.nodes, &self.nodes_file) {
            (Some(list), _) => hosts::names_in_list(list).map(Some),
            (None, Some(file)) => hosts::names_in_file(file).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The cluster of the hosts that were named; `None` where none were.
    pub async fn cluster(&self) -> Result<Option<Cluster>, ClusterError> {
        let ssh = SshOptions {
            config: self.ssh_config.clone(),
            identity: self.identity.clone(),
            known_hosts: self.known_hosts.clone(),
            ..SshOptions::default()
        };
        match (&self.nodes, &self.nodes_file) {
            (Some(list), _) => hosts::from_list(list, ssh).await.map(Some),
            (None, Some(file)) => hosts::from_file(file, ssh).await.map(Some),
            (None, None) => Ok(None),
        }
    }
}

/// Refuses a fault that certainly cannot be injected there.
pub fn may_be_injected(fault: &dyn Fault, options: &Options, place: Place) -> anyhow::Result<()> {
    match fault.refuses(options, place) {
        Some(why) => bail!("the fault `{}`: {why}", fault.name()),
        None => Ok(()),
    }
}
