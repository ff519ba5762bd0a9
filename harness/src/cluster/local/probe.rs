//! Whether local nodes are possible here, found out by trying. Each attempt is
//! made in a thread whose namespaces end with it, so nothing stays.

use std::path::{Path, PathBuf};

use super::record::clusters_directory;
use super::{NAMESPACES, filesystem, subnet};
use crate::cluster::ClusterError;
use crate::cluster::cgroup::{Controller, Version};

/// Makes a node's namespaces.
pub fn namespaces() -> Result<(), String> {
    in_namespaces(|| Ok(()))
}

/// Mounts a node's root, in the folder where clusters are kept.
pub fn overlay() -> Result<(), String> {
    let folder = nearest_folder(&clusters_directory());
    let scratch = folder.join(format!(".tribunal-probe-{}", std::process::id()));
    for part in ["upper", "work", "merged"] {
        let part = scratch.join(part);
        std::fs::create_dir_all(&part).map_err(|error| format!("{}: {error}", part.display()))?;
    }
    let mounts = scratch.clone();
    let tried = in_namespaces(move || filesystem::try_overlay(&mounts));
    let _ = std::fs::remove_dir_all(&scratch);
    tried
}

/// Looks whether the kernel has IPv6.
pub fn ipv6() -> bool {
    subnet::has_ipv6()
}

/// Makes an interface whose frames a program carries.
pub fn tun() -> Result<(), String> {
    in_namespaces(|| super::wire::try_tap().map_err(|error| error.to_string()))
}

/// Finds a subnet for a cluster.
pub fn subnet() -> Result<String, ClusterError> {
    Ok(subnet::Choice::begin()?.first_free(&[])?.to_string())
}

/// What a node's control groups could do here, and by which version of them.
pub fn control_groups() -> Vec<(Controller, Option<Version>)> {
    super::cgroups::offered()
}

/// Bytes free where nodes write.
pub fn disk_room() -> Result<u64, String> {
    let folder = nearest_folder(&clusters_directory());
    let room = rustix::fs::statvfs(&folder);
    let room = room.map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(room.f_bavail * room.f_frsize)
}

/// The folder itself, or the first of its parents that exists.
fn nearest_folder(path: &Path) -> PathBuf {
    path.ancestors().find(|folder| folder.is_dir()).unwrap_or(Path::new("/")).to_owned()
}

fn in_namespaces(work: impl FnOnce() -> Result<(), String> + Send + 'static) -> Result<(), String> {
    let attempt = std::thread::spawn(move || {
        // SAFETY: no file descriptors are unshared, and the thread ends with `work`.
        unsafe { rustix::thread::unshare_unsafe(NAMESPACES) }.map_err(|error| error.to_string())?;
        work()
    });
    attempt.join().unwrap_or_else(|_| Err("the attempt panicked".to_owned()))
}
