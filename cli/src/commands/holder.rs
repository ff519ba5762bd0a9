//! The hidden commands under which local clusters start this executable again:
//! see [`tribunal_harness::cluster::local`].

use std::path::PathBuf;

use clap::Args;
use tribunal_harness::cluster::local;

use crate::Exit;

/// What the first process of a node is told.
#[derive(Args)]
pub struct NodeInit {
    /// The cluster's folder.
    directory: PathBuf,
    /// The node's name.
    node: String,
}

/// What the holder of a wire is told.
#[derive(Args)]
pub struct Wire {
    /// The cluster's folder.
    directory: PathBuf,
}

impl NodeInit {
    /// Runs until it is killed.
    pub fn run(self) -> anyhow::Result<Exit> {
        local::init::run(&self.directory, &self.node).map_err(anyhow::Error::msg)?;
        Ok(Exit::Valid)
    }
}

impl Wire {
    /// Runs until it is killed.
    pub fn run(self) -> anyhow::Result<Exit> {
        tracing::debug!("holding the wire of {}", self.directory.display());
        local::wire::hold(&self.directory).map_err(anyhow::Error::msg)?;
        Ok(Exit::Valid)
    }
}
