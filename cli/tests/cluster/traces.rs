//! What is left of a cluster, if anything is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

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
        let holders = record.nodes.iter().filter_map(|node| node.init).chain(record.wire);
        let own: BTreeSet<String> = namespaces(std::process::id()).collect();
        let theirs = holders.flat_map(|holder| namespaces(holder.pid));
        Self {
            directory: scene.directory(name),
            namespaces: theirs.filter(|namespace| !own.contains(namespace)).collect(),
            record,
        }
    }

    pub fn assert_gone(&self) {
        assert!(!self.directory.exists(), "{} is left", self.directory.display());
        assert_no_uplink(&self.record);
        // What is dead already only waits for this machine's first process to notice.
        for pid in pids().filter(|&pid| ProcessId::of(pid).is_some()) {
            let held: Vec<_> = namespaces(pid).filter(|n| self.namespaces.contains(n)).collect();
            assert!(held.is_empty(), "process {pid} holds {held:?}");
        }
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

/// The living processes of a program that a process has started.
pub fn children(of: u32, program: &str) -> Vec<ProcessId> {
    let runs = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        text(&line).split('\0').next().is_some_and(|path| Path::new(path).ends_with(program))
    };
    let parent = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next()?.split_ascii_whitespace().nth(1)?.parse().ok()
    };
    pids().filter(|pid| parent(pid) == Some(of) && runs(pid)).filter_map(ProcessId::of).collect()
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
