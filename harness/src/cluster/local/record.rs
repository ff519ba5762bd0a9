//! A local cluster's folder, and the record in it: what there is to find again,
//! written before it is made.
//!
//! ```text
//! /var/lib/tribunal/clusters/NAME/     (TRIBUNAL_STATE replaces /var/lib/tribunal)
//!   cluster.json                       the record
//!   key key.pub known_hosts ssh_config for `ssh -F …/ssh_config n1`
//!   control/                           the control sockets of our sessions
//!   wire.log
//!   nodes/n1/{upper,work,merged}       the overlay: what the node wrote is in upper
//!   nodes/n1/{home,tmp,host_key,log}
//! ```

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::cgroups;
use super::subnet::{self, Subnet};
use crate::cluster::process::ProcessId;
use crate::cluster::{ClusterError, Node, SshOptions};

/// Everything that is known of one local cluster.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Its name, which is its folder's.
    pub name: String,
    /// Its addresses.
    pub subnet: Subnet,
    /// When it was made, RFC 3339.
    pub made: String,
    /// Whose it is.
    pub owner: Owner,
    /// The process that holds the network between the nodes, once there is one.
    #[serde(default)]
    pub wire: Option<ProcessId>,
    /// The nodes.
    pub nodes: Vec<NodeRecord>,
}

/// One node of a [`Record`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeRecord {
    /// Its name: `n1`.
    pub id: String,
    /// Its address.
    pub ip: Ipv4Addr,
    /// The same in IPv6, if the kernel has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip6: Option<Ipv6Addr>,
    /// The first process of its PID namespace, once there is one.
    #[serde(default)]
    pub init: Option<ProcessId>,
    /// Its control groups, whether or not they are there yet.
    #[serde(default)]
    pub cgroups: Vec<PathBuf>,
}

/// Whose a cluster is, and so who may take it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Owner {
    /// The user's, who said `cluster up`: it stays until she says `cluster down`.
    Kept,
    /// A process', and nobody's when that is dead.
    Process(ProcessId),
}

impl Record {
    /// A plan for `count` nodes.
    pub fn plan(name: &str, subnet: Subnet, count: usize, owner: ProcessId) -> Self {
        let made = jiff::Timestamp::now();
        // Two clusters may have one name, in different states.
        let unique = format!("{}-{}", owner.pid, made.as_nanosecond());
        let ipv6 = subnet::has_ipv6();
        let node = |index: usize| {
            let id = format!("n{}", index + 1);
            let cgroups = cgroups::plan(&format!("tribunal-{name}-{id}-{unique}"));
            let (ip, ip6) = (subnet.node(index), ipv6.then(|| subnet.node6(index)));
            NodeRecord { id, ip, ip6, init: None, cgroups }
        };
        Self {
            name: name.to_owned(),
            subnet,
            made: made.to_string(),
            owner: Owner::Process(owner),
            wire: None,
            nodes: (0..count).map(node).collect(),
        }
    }

    /// Reads the record in a cluster's folder.
    pub fn read(directory: &Path) -> Result<Self, ClusterError> {
        let path = directory.join("cluster.json");
        let text = std::fs::read_to_string(&path).map_err(ClusterError::file(&path))?;
        serde_json::from_str(&text).map_err(|error| ClusterError::file(&path)(error.into()))
    }

    /// Writes it, all or nothing.
    pub fn write(&self, directory: &Path) -> Result<(), ClusterError> {
        let (path, new) = (directory.join("cluster.json"), directory.join("cluster.json.new"));
        let text = serde_json::to_string_pretty(self).expect("a record is plain data");
        std::fs::write(&new, text + "\n").map_err(ClusterError::file(&new))?;
        std::fs::rename(&new, &path).map_err(ClusterError::file(&path))
    }

    /// Takes the name: makes the folder and its record in one step, or not at all.
    pub fn claim(&self) -> Result<PathBuf, ClusterError> {
        let (clusters, directory) = (clusters_directory(), directory(&self.name));
        let draft = clusters.join(format!(".new-{}-{}", self.name, std::process::id()));
        loop {
            std::fs::create_dir_all(&draft).map_err(ClusterError::file(&draft))?;
            match self.write(&draft) {
                // Another cluster's end has just removed the empty parent.
                Err(ClusterError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {}
                outcome => break outcome?,
            }
        }
        // A folder is never renamed onto one that holds something.
        if std::fs::rename(&draft, &directory).is_ok() {
            return Ok(directory);
        }
        let _ = std::fs::remove_dir_all(&draft);
        Err(ClusterError::NameTaken(self.name.clone()))
    }

    /// The nodes, as the rest of the harness knows them.
    pub fn nodes(&self) -> Vec<Node> {
        let node = |(index, node): (usize, &NodeRecord)| Node {
            id: node.id.as_str().into(),
            index,
            ip: node.ip.into(),
            destination: node.id.clone(),
        };
        self.nodes.iter().enumerate().map(node).collect()
    }

    /// This machine's IPv6 address on the wire, if nodes have any.
    pub(super) fn controller6(&self) -> Option<Ipv6Addr> {
        let any = self.nodes.iter().any(|node| node.ip6.is_some());
        any.then(|| self.subnet.controller6())
    }

    /// How to reach them.
    pub fn ssh(&self) -> SshOptions {
        let directory = directory(&self.name);
        SshOptions {
            config: Some(directory.join("ssh_config")),
            control_directory: Some(directory.join("control")),
            ..SshOptions::default()
        }
    }
}

/// The folder of all local clusters.
pub fn clusters_directory() -> PathBuf {
    let root = std::env::var_os("TRIBUNAL_STATE").map_or("/var/lib/tribunal".into(), PathBuf::from);
    std::path::absolute(&root).unwrap_or(root).join("clusters")
}

/// The folder of the cluster `name`.
pub fn directory(name: &str) -> PathBuf {
    clusters_directory().join(name)
}

/// The folder of one of its nodes.
pub(super) fn node_directory(cluster: &Path, node: &str) -> PathBuf {
    cluster.join("nodes").join(node)
}

/// A name is part of paths, of a host's name and of a socket's.
pub(super) fn check_name(name: &str) -> Result<(), ClusterError> {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if letters && first && name.len() <= 24 {
        return Ok(());
    }
    Err(ClusterError::BadName(name.to_owned()))
}
