//! The keys of a local cluster, and the files that tell `ssh` about them.

use std::path::Path;
use std::process::{Command, Stdio};

use super::record::{Record, node_directory};
use crate::cluster::ClusterError;

/// Makes a key pair without a passphrase at `path` and `path`.pub.
pub(super) fn generate(path: &Path) -> Result<(), ClusterError> {
    let output = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "tribunal", "-f"])
        .arg(path)
        .stdin(Stdio::null())
        .output()
        .map_err(ClusterError::file(Path::new("ssh-keygen")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(ClusterError::file(path)(std::io::Error::other(format!("ssh-keygen: {said}"))))
}

/// Writes `known_hosts` and `ssh_config`. The nodes' host keys must be there.
pub(super) fn introduce(record: &Record, directory: &Path) -> Result<(), ClusterError> {
    let mut known_hosts = String::new();
    let mut config = String::from("# ssh -F THIS-FILE n1\n");
    for node in &record.nodes {
        let path = node_directory(directory, &node.id).join("host_key.pub");
        let key = std::fs::read_to_string(&path).map_err(ClusterError::file(&path))?;
        let ip6 = node.ip6.map_or(String::new(), |ip6| format!(",{ip6}"));
        known_hosts += &format!("{},{}{ip6} {}\n", node.id, node.ip, key.trim_end());
        config += &format!(
            "Host {id}\n  HostName {ip}\n  HostKeyAlias {id}\n",
            id = node.id,
            ip = node.ip
        );
    }
    config += &format!(
        "Host *
  User root
  IdentityFile \"{directory}/key\"
  IdentitiesOnly yes
  IdentityAgent none
  UserKnownHostsFile \"{directory}/known_hosts\"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  CheckHostIP no
  UpdateHostKeys no
  PreferredAuthentications publickey
  ConnectTimeout 10
",
        directory = directory.display()
    );
    for (name, text) in [("known_hosts", known_hosts), ("ssh_config", config)] {
        let path = directory.join(name);
        std::fs::write(&path, text).map_err(ClusterError::file(&path))?;
    }
    Ok(())
}
