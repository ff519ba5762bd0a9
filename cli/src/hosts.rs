//! The options that say where the hosts are, shared by the commands that talk to them.

use std::path::PathBuf;

use clap::Args;

/// Hosts that exist already, and how to reach them.
#[derive(Args, Clone, Default)]
pub struct Hosts {
    /// Hosts to use, with commas: names, addresses, user@host.
    #[arg(long, value_delimiter = ',', value_name = "HOST,..")]
    pub nodes: Vec<String>,
    /// A file with one host a line.
    #[arg(long, value_name = "FILE", conflicts_with = "nodes")]
    pub nodes_file: Option<PathBuf>,
    /// The configuration that ssh reads instead of ~/.ssh/config.
    #[arg(long, value_name = "FILE")]
    pub ssh_config: Option<PathBuf>,
    /// The key that ssh logs in with.
    #[arg(long, value_name = "FILE")]
    pub identity: Option<PathBuf>,
    /// Where ssh looks up host keys instead of ~/.ssh/known_hosts.
    #[arg(long, value_name = "FILE")]
    pub known_hosts: Option<PathBuf>,
}

impl Hosts {
    /// Whether any host was named.
    pub fn are_given(&self) -> bool {
        !self.nodes.is_empty() || self.nodes_file.is_some()
    }
}
