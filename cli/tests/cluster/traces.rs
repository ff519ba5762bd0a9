//! What is left of a cluster, if anything is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

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
        let gone = ticks_at(last_change(&self.directory));
        // What is dead already only waits for this machine's first process to notice. And
        // the numbers of namespaces come round again: who began later holds another's.
        let old = |pid: &u32| ProcessId::of(*pid).is_some_and(|process| process.start < gone);
        let holds = |pid: &u32| namespaces(*pid).any(|held| self.namespaces.contains(&held));
        // Who was killed with its namespace takes a moment to be gone.
        let patience = Instant::now() + Duration::from_secs(10);
        let mut left: Vec<u32> = pids().filter(old).filter(holds).collect();
        while !left.is_empty() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(20));
            left.retain(holds);
        }
        assert!(left.is_empty(), "processes {left:?} are still in the nodes' namespaces");
        assert_nothing_names(&self.directory);
    }
}

/// When an entry was last made or removed in the folder that `path` was in, or in
/// the nearest one that is left.
fn last_change(path: &Path) -> SystemTime {
    let left = path.ancestors().skip(1).find_map(|folder| folder.metadata().ok());
    left.and_then(|folder| folder.modified().ok()).expect("the root is left")
}

/// A time as the kernel tells when a process began: in hundredths since the boot.
fn ticks_at(time: SystemTime) -> u64 {
    let uptime = std::fs::read_to_string("/proc/uptime").unwrap();
    let now: f64 = uptime.split(' ').next().unwrap().parse().unwrap();
    ((now - time.elapsed().unwrap_or_default().as_secs_f64()) * 100.0) as u64
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
