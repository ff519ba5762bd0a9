//! `tribunal doctor`: what this machine lacks for local nodes and their faults; or what hosts lack.

mod hosts;

use std::io::Write as _;
use std::path::Path;

use clap::Args;
use tribunal_harness::cluster::cgroup::{Controller, Version};
use tribunal_harness::cluster::local::{PROGRAMS, find_program, probe};
use tribunal_nemesis::disk;
use tribunal_nemesis::faults::Place;

use super::explain;
use crate::Exit;
use crate::hosts::Hosts;

/// Says what this machine lacks for local nodes and faults, and the remedy; or what hosts lack.
#[derive(Args)]
pub struct Doctor {
    #[command(flatten)]
    hosts: Hosts,
}

/// One thing looked at.
struct Finding {
    what: &'static str,
    /// What stops working without it.
    needed_for: &'static str,
    /// Without it there are no local nodes at all.
    vital: bool,
    /// What was found, or what to do about its absence.
    found: Result<String, String>,
}

/// What local nodes cannot do without.
const NODES: &str = "local nodes";
/// The least room for a few nodes with a small database each.
const ROOM: u64 = 1 << 30;

impl Doctor {
    /// Does it.
    pub fn run(self) -> anyhow::Result<Exit> {
        if self.hosts.place() == Place::Hosts {
            return tokio::runtime::Runtime::new()?.block_on(self.look_at_hosts());
        }
        let mut findings = machine();
        findings.extend(programs());
        findings.extend(faults());
        let mut out = std::io::stdout().lock();
        for finding in &findings {
            writeln!(out, "{finding}")?;
        }
        let lacking = findings.iter().filter(|finding| finding.vital && finding.found.is_err());
        match lacking.count() {
            0 => writeln!(out, "\nlocal nodes can run here")?,
            count => writeln!(out, "\nlocal nodes cannot run here: {count} things are missing")?,
        }
        let vital = |finding: &Finding| finding.vital && finding.found.is_err();
        Ok(if findings.iter().any(vital) { Exit::Harness } else { Exit::Valid })
    }
}

impl Doctor {
    /// The same of hosts, whom nothing is done to.
    async fn look_at_hosts(&self) -> anyhow::Result<Exit> {
        let Some(cluster) = self.hosts.cluster().await.map_err(explain)? else {
            return Ok(Exit::Valid);
        };
        let findings = hosts::findings(&cluster).await?;
        let mut out = std::io::stdout().lock();
        for (node, finding) in &findings {
            writeln!(out, "{node:<9} {finding}")?;
        }
        let lacks = |(_, finding): &(String, Finding)| finding.vital && finding.found.is_err();
        Ok(if findings.iter().any(lacks) { Exit::Harness } else { Exit::Valid })
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (mark, detail) = match &self.found {
            Ok(found) => ("ok", found.clone()),
            Err(remedy) => ("missing", format!("no {}: {remedy}", self.needed_for)),
        };
        write!(out, "{mark:<9}{:<14}{detail}", self.what)
    }
}

fn vital(what: &'static str, found: Result<String, String>) -> Finding {
    Finding { what, needed_for: NODES, vital: true, found }
}

fn machine() -> Vec<Finding> {
    let root = Path::new("/proc/self").metadata().is_ok_and(|of_process| is_root(&of_process));
    let by_trying = |tried: fn() -> Result<(), String>, remedy: &str| match tried {
        _ if !root => Err("not tried without root".to_owned()),
        tried => tried().map(|()| "by trying".to_owned()).map_err(|why| format!("{why}; {remedy}")),
    };
    let room = probe::disk_room().and_then(|room| {
        let free = format!("{:.1} GiB free", room as f64 / (1u64 << 30) as f64);
        let advice = "; set TRIBUNAL_STATE to a folder with at least 1 GiB";
        if room >= ROOM { Ok(free) } else { Err(free + advice) }
    });
    vec![
        vital("root", if root { Ok("yes".to_owned()) } else { Err("run it with sudo".to_owned()) }),
        vital(
            "namespaces",
            by_trying(probe::namespaces, "in a container, start it with --privileged"),
        ),
        vital(
            "overlay",
            by_trying(
                probe::overlay,
                "load the module (modprobe overlay), or set TRIBUNAL_STATE to a folder on ext4 or xfs",
            ),
        ),
        vital("tun", by_trying(probe::tun, "modprobe tun, or give the container /dev/net/tun")),
        vital("subnet", probe::subnet().map_err(|error| error.to_string())),
        vital("disk room", room),
    ]
}

fn is_root(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(metadata) == 0
}

fn programs() -> Vec<Finding> {
    let finding =
        |&(program, package): &(&'static str, &str)| vital(program, find(program, package));
    PROGRAMS.iter().map(finding).collect()
}

fn find(program: &str, package: &str) -> Result<String, String> {
    let found = find_program(program).map(|path| path.display().to_string());
    found.ok_or_else(|| format!("apt-get install {package}"))
}

fn faults() -> Vec<Finding> {
    let fault = |what, needed_for, found| Finding { what, needed_for, vital: false, found };
    let x86 = if cfg!(target_arch = "x86_64") {
        Ok("x86_64".to_owned())
    } else {
        Err("the vDSO is patched on x86_64 only; use real hosts".to_owned())
    };
    let ipv6 = match probe::ipv6() {
        true => Ok("in the kernel".to_owned()),
        false => Err("modprobe ipv6, or boot without ipv6.disable=1".to_owned()),
    };
    vec![
        fault("nft", "partitions", find("nft", "nftables")),
        fault("IPv6", "addresses of that family on local nodes", ipv6),
        fault("cgroups", "freezing or limits", control_groups()),
        fault("mkfs.ext4", "power loss, full and hung disks", find("mkfs.ext4", "e2fsprogs")),
        fault("loop", "power loss, full and hung disks", loop_devices()),
        fault("fuse", "failing, slow, torn and lying disks", fuse()),
        fault("vDSO clock", "clock jumps on local nodes", x86),
    ]
}

fn fuse() -> Result<String, String> {
    match disk::available() {
        Ok(()) => Ok(disk::DEVICE.to_owned()),
        Err(why) => Err(format!("{why}; modprobe fuse")),
    }
}

fn loop_devices() -> Result<String, String> {
    let control = Path::new("/dev/loop-control");
    match std::fs::File::open(control) {
        Ok(_) => Ok(control.display().to_string()),
        Err(error) => Err(format!("{}: {error}; modprobe loop", control.display())),
    }
}

/// Every controller that a fault needs, with the version that has it.
fn control_groups() -> Result<String, String> {
    let all = probe::control_groups();
    let lacking: Vec<&str> =
        all.iter().filter(|(_, found)| found.is_none()).map(|(it, _)| it.name()).collect();
    if !lacking.is_empty() {
        return Err(format!(
            "no group here can have {}; mount -t cgroup2 none /sys/fs/cgroup, or start the container \
             with --privileged",
            lacking.join(", ")
        ));
    }
    let told = |(it, found): &(Controller, Option<Version>)| {
        found.map(|version| format!("{} by version {version}", it.name()))
    };
    Ok(all.iter().filter_map(told).collect::<Vec<_>>().join(", "))
}
