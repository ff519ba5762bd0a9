//! The hidden commands under which local clusters and agents start this executable again:
//! see [`tribunal_harness::cluster::local`] and [`tribunal_nemesis::disk`].

use std::path::PathBuf;

use clap::Args;
use tribunal_harness::cluster::local;
use tribunal_nemesis::disk;

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

/// What the server of a bad disk is told.
#[derive(Args)]
pub struct Disk {
    /// The folder that it covers, and serves from then on.
    folder: PathBuf,
    /// Where it listens to agents.
    socket: PathBuf,
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

impl Disk {
    /// Runs until the folder is unmounted.
    pub fn run(self) -> anyhow::Result<Exit> {
        disk::serve(&self.folder, &self.socket)?;
        Ok(Exit::Valid)
    }
}
