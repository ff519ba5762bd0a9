//! Where the sessions to hosts have their control sockets.
//!
//! An `ssh` master outlives a controller that was killed, and goes on holding
//! its connection. So every controller has a folder for its sockets that names
//! it, and whoever comes next ends the masters of those that are dead. Local
//! clusters have a folder of their own for this, and are not looked at here.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::{Signal, geteuid};

use super::ClusterError;
use super::process::{self, ProcessId};

/// How long a master gets to take leave.
const PATIENCE: Duration = Duration::from_secs(2);

/// The folder of this controller. What is still connected through it when it is
/// dropped is ended.
#[derive(Debug)]
pub(super) struct ControlFolder {
    path: PathBuf,
}

impl ControlFolder {
    /// Clears up after controllers that were killed, and makes a folder for this one.
    pub fn make() -> Result<Self, ClusterError> {
        sweep();
        let all = folder_of_all();
        let own = ProcessId::current().map_err(ClusterError::file(&all))?;
        let path = all.join(format!("{}-{}", own.pid, own.start));
        loop {
            private(&all).map_err(ClusterError::file(&all))?;
            match private(&path) {
                // Another controller's end has just removed the empty parent.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                made => break made.map_err(ClusterError::file(&path))?,
            }
        }
        Ok(Self { path })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for ControlFolder {
    fn drop(&mut self) {
        end(&self.path);
        // Fails where another controller is at work.
        let _ = fs::remove_dir(folder_of_all());
    }
}

/// Ends the sessions to hosts that killed controllers of this user left open;
/// how many controllers those were.
pub fn sweep() -> usize {
    let all = folder_of_all();
    let entries = fs::read_dir(&all).into_iter().flatten().flatten();
    let mut swept = 0;
    for entry in entries.filter(|entry| !of_the_living(&entry.file_name().to_string_lossy())) {
        end(&entry.path());
        swept += 1;
    }
    let _ = fs::remove_dir(&all);
    swept
}

fn of_the_living(name: &str) -> bool {
    let Some((pid, start)) = name.split_once('-') else { return false };
    let (Ok(pid), Ok(start)) = (pid.parse(), start.parse()) else { return false };
    ProcessId { pid, start }.alive()
}

/// Ends the masters with sockets in there. One that cannot be told is no reason
/// to keep the folder: it is found by nobody then, as it would be without us.
fn end(folder: &Path) {
    let _ = process::end(&process::ssh_masters(folder), Signal::TERM, PATIENCE);
    let _ = fs::remove_dir_all(folder);
}

/// Short, for a socket's path has at most 107 bytes.
fn folder_of_all() -> PathBuf {
    std::env::temp_dir().join(format!("tribunal-ssh-{}", geteuid().as_raw()))
}

/// Makes a folder that nobody else can enter. One that is there already must be
/// just that: others may write beside it, and whose sockets it holds matters.
fn private(path: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let found = fs::symlink_metadata(path)?;
    if found.is_dir() && found.uid() == geteuid().as_raw() && found.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(io::Error::other("it is there and not a private folder of this user; remove it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_of_the_dead_is_told_from_one_of_the_living() {
        let own = ProcessId::current().unwrap();
        assert!(of_the_living(&format!("{}-{}", own.pid, own.start)));
        // The number came round again.
        assert!(!of_the_living(&format!("{}-{}", own.pid, own.start + 1)));
        assert!(!of_the_living("something else"));
    }

    #[test]
    fn a_folder_that_others_may_enter_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("sockets");
        private(&path).unwrap();
        private(&path).unwrap();
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        assert!(private(&path).is_err());
        let link = parent.path().join("link");
        std::os::unix::fs::symlink(parent.path(), &link).unwrap();
        assert!(private(&link).is_err());
    }
}
