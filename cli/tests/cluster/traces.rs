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
    /// The processes that are in them.
    holders: Vec<ProcessId>,
}

impl Traces {
    pub fn of(scene: &Scene, name: &str) -> Self {
        let record = scene.record(name);
        let first = record.nodes.iter().filter_map(|node| node.init).chain(record.wire);
        let own: BTreeSet<String> = namespaces(std::process::id()).collect();
        let theirs = first.flat_map(|holder| namespaces(holder.pid));
        let theirs: Vec<_> = theirs.filter(|namespace| !own.contains(namespace)).collect();
        let namespaces: BTreeSet<String> = theirs.into_iter().collect();
        let inside = |pid: &u32| self::namespaces(*pid).any(|held| namespaces.contains(&held));
        let holders = pids().filter(inside).filter_map(ProcessId::of).collect();
        Self { directory: scene.directory(name), namespaces, holders, record }
    }

    pub fn assert_gone(&self) {
        assert!(!self.directory.exists(), "{} is left", self.directory.display());
        assert_no_uplink(&self.record);
        // Who came later into a node's process namespace ended with its first process. The numbers
        // of namespaces come round again, so only those are asked who were there before.
        let there = |process: &ProcessId| {
            ProcessId::of(process.pid).is_some_and(|now| now == *process)
                && namespaces(process.pid).any(|held| self.namespaces.contains(&held))
        };
        // Who was killed with its namespace takes a moment to be gone.
        let patience = Instant::now() + Duration::from_secs(10);
        let mut left = self.holders.clone();
        left.retain(there);
        while !left.is_empty() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(20));
            left.retain(there);
        }
        assert!(left.is_empty(), "still in the nodes' namespaces: {left:?}");
        assert_nothing_names(&self.directory);
    }
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
