//! What is left of a cluster, if anything is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tribunal_harness::cluster::local::{ProcessId, Record};

use crate::scene::{Scene, text};

/// What a cluster consists of, as the kernel numbers it.
pub struct Traces {
    pub directory: PathBuf,
    pub record: Record,
    pub namespaces: BTreeSet<String>,
}

impl Traces {
    pub fn of(scene: &Scene, name: &str) -> Self {
        let record = scene.record(name);
        let first = record.nodes.iter().filter_map(|node| node.init).chain(record.wire);
        let own: BTreeSet<String> = namespaces(std::process::id()).collect();
        let theirs = first.flat_map(|holder| namespaces(holder.pid));
        let namespaces = theirs.filter(|namespace| !own.contains(namespace)).collect();
        Self { directory: scene.directory(name), namespaces, record }
    }

    pub fn assert_gone(&self) {
        assert!(!self.directory.exists(), "{} is left", self.directory.display());
        assert_no_uplink(&self.record);
        let groups = self.record.nodes.iter().flat_map(|node| &node.cgroups);
        let left: Vec<_> = groups.filter(|group| group.exists()).collect();
        assert!(left.is_empty(), "control groups are left: {left:?}");
        // Who was killed with its namespace takes a moment to be gone.
        let patience = Instant::now() + Duration::from_secs(10);
        let mut left = self.inside();
        while !left.is_empty() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(20));
            left = self.inside();
        }
        assert!(left.is_empty(), "still in the nodes' namespaces: {left:?}");
        assert_nothing_names(&self.directory);
    }

    /// Every living process in a namespace with the number of one of this cluster's, with its
    /// command line and those of its ancestors. The kernel gives numbers out again, so those
    /// are left out that another cluster's first process or wire is among the ancestors of.
    fn inside(&self) -> Vec<(ProcessId, Vec<String>)> {
        let held = |pid: &u32| self::namespaces(*pid).any(|held| self.namespaces.contains(&held));
        let told = |process: ProcessId| (process, lineage(process.pid));
        let inside = pids().filter(held).filter_map(ProcessId::of).map(told);
        inside.filter(|(_, lineage)| !self.is_anothers(lineage)).collect()
    }

    fn is_anothers(&self, lineage: &[String]) -> bool {
        let directory = self.directory.to_str().unwrap();
        let holds = |line: &String| line.contains(" node-init ") || line.contains(" wire ");
        lineage.iter().any(|line| holds(line) && !line.contains(directory))
            && !lineage.iter().any(|line| line.contains(directory))
    }
}

/// The command lines of a process and its ancestors.
fn lineage(pid: u32) -> Vec<String> {
    let parent = |&pid: &u32| {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let parent = status.lines().find_map(|line| line.strip_prefix("PPid:"))?;
        parent.trim().parse().ok().filter(|&parent| parent > 1)
    };
    let line = |pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        text(&line).replace('\0', " ")
    };
    std::iter::successors(Some(pid), parent).map(line).collect()
}

/// This machine has no interface to a cluster's wire. Its name may be another
/// cluster's by now; its alias is not.
pub fn assert_no_uplink(record: &Record) {
    for interface in std::fs::read_dir("/sys/class/net").unwrap().flatten() {
        let alias = std::fs::read_to_string(interface.path().join("ifalias")).unwrap_or_default();
        assert!(!alias.contains(&record.made), "{:?} is left: {alias}", interface.file_name());
    }
}

/// No living process and no mount has to do with a folder.
pub fn assert_nothing_names(directory: &Path) {
    let directory = directory.to_str().unwrap();
    for pid in pids().filter(|&pid| ProcessId::of(pid).is_some()) {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        assert!(!text(&line).contains(directory), "process {pid}: {}", text(&line));
        let mounts = std::fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap_or_default();
        assert!(!mounts.contains(directory), "process {pid} has mounts in {directory}");
    }
}

pub fn pids() -> impl Iterator<Item = u32> {
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

pub fn namespaces(pid: u32) -> impl Iterator<Item = String> {
    ["net", "mnt", "pid", "uts", "ipc"].into_iter().filter_map(move |kind| {
        let link = std::fs::read_link(format!("/proc/{pid}/ns/{kind}")).ok()?;
        Some(link.to_string_lossy().into_owned())
    })
}
