//! The first process of a node: `tribunal node-init DIRECTORY NODE`, PID 1 in
//! there. It builds the node's files, gives it its name, gives up the rights
//! that would reach beyond it, starts sshd, and reaps children for ever.
//! Killing it from outside ends the node: processes, mounts, network and all.

use std::fmt::Write as _;
use std::path::Path;

use rustix::fs::Mode;
use rustix::process::{Pid, Resource, WaitOptions, getrlimit, setrlimit};
use rustix::thread::CapabilitySet;

use super::cgroups;
use super::filesystem::{self, replace};
use super::holder::{Controller, READY};
use super::record::{NodeRecord, Record, node_directory};
use super::{sshd, wire};

/// The word that says that the node's interface is there.
pub(super) const ATTACHED: &str = "attached";

/// Runs the node until it is killed; returns only with an error.
pub fn run(directory: &Path, node: &str) -> Result<(), String> {
    let mut controller = Controller::of_this_process().map_err(|error| error.to_string())?;
    let sshd = match set_up(directory, node, &mut controller) {
        Ok(sshd) => sshd,
        Err(why) => {
            controller.say(&why)?;
            return Err(why);
        }
    };
    controller.say(READY)?;
    controller.await_stay()?;
    reap(sshd)
}

fn set_up(directory: &Path, node: &str, controller: &mut Controller) -> Result<Pid, String> {
    set_limits();
    let record = Record::read(directory).map_err(|error| error.to_string())?;
    let own = record.nodes.iter().find(|record| record.id == node);
    let own = own.ok_or_else(|| format!("cluster {} has no node {node}", record.name))?;
    for lacking in cgroups::enter(&own.cgroups) {
        eprintln!("{lacking}");
    }
    let home = node_directory(directory, node);
    let root = filesystem::build(&home, directory.parent().unwrap_or(directory));
    let root = root.and_then(|root| cgroups::show(&own.cgroups, &root).map(|()| root));
    let root = root.and_then(|root| identify(&root, &record, own).map(|()| root));
    // A node that has failed still waits for its interface: were it to die before,
    // the wire's failure to find it would be heard instead of its own words.
    if controller.hear()? != ATTACHED {
        return Err("unexpected word instead of its interface".to_owned());
    }
    let root = root?;
    let read = |path: &Path| std::fs::read(path).map_err(|e| format!("{}: {e}", path.display()));
    sshd::configure(&root, &read(&home.join("host_key"))?, &read(&directory.join("key.pub"))?)?;
    filesystem::enter(&root)?;
    bring_up(own)?;
    give_up_rights().map_err(|error| format!("cannot give up CAP_SYS_TIME: {error}"))?;
    sshd::start()
}

/// What a database gets must not hang on the shell that made the cluster.
fn set_limits() {
    rustix::process::umask(Mode::from_raw_mode(0o022));
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    // Lifting a soft limit to the hard one is anybody's right.
    let _ = setrlimit(Resource::Nofile, files);
}

/// Name, machine id, and the names of all others. A name means one address of one family: which of
/// two a database would take, and whether it would listen on both, is anybody's guess.
fn identify(root: &Path, record: &Record, node: &NodeRecord) -> Result<(), String> {
    rustix::system::sethostname(node.id.as_bytes()).map_err(|error| error.to_string())?;
    let etc = |name: &str| root.join("etc").join(name);
    let mut hosts = String::from("127.0.0.1 localhost\n::1 localhost ip6-localhost\n");
    for node in &record.nodes {
        let _ = writeln!(hosts, "{} {}", node.ip, node.id);
        if let Some(ip6) = node.ip6 {
            let _ = writeln!(hosts, "{ip6} {}-6", node.id);
        }
    }
    let _ = writeln!(hosts, "{} controller", record.subnet.controller());
    if let Some(ip6) = record.controller6() {
        let _ = writeln!(hosts, "{ip6} controller-6");
    }
    replace(&etc("hosts"), hosts.as_bytes(), 0o644)?;
    replace(&etc("hostname"), format!("{}\n", node.id).as_bytes(), 0o644)?;
    replace(&etc("machine-id"), machine_id(record, node).as_bytes(), 0o444)?;
    replace(&etc("resolv.conf"), b"", 0o644)?;
    unlock_root(&etc("shadow"))?;
    let _ = std::fs::remove_file(etc("nologin"));
    Ok(())
}

/// A version 4 UUID without dashes, as machine-id(5) wants it, from the two
/// things that no two nodes of a machine's history share.
fn machine_id(record: &Record, node: &NodeRecord) -> String {
    let text = format!("{}{}", record.made, node.ip);
    let fnv = |basis: u64| {
        text.bytes()
            .fold(basis, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3))
    };
    let (high, low) = (fnv(0xcbf2_9ce4_8422_2325), fnv(0x8422_2325_cbf2_9ce4));
    let (high, low) = (high & !0xf000 | 0x4000, low & !(3 << 62) | 1 << 63);
    format!("{high:016x}{low:016x}\n")
}

/// Without PAM, sshd refuses an account whose password is locked with a `!`,
/// even by key. A `*` lets nobody in by password either.
fn unlock_root(shadow: &Path) -> Result<(), String> {
    let Ok(text) = std::fs::read_to_string(shadow) else { return Ok(()) };
    if !text.starts_with("root:!") && !text.contains("\nroot:!") {
        return Ok(());
    }
    let unlock = |line: &str| match line.strip_prefix("root:!").and_then(|l| l.split_once(':')) {
        Some((_, rest)) => format!("root:*:{rest}\n"),
        None => format!("{line}\n"),
    };
    replace(shadow, text.lines().map(unlock).collect::<String>().as_bytes(), 0o600)
}

fn bring_up(node: &NodeRecord) -> Result<(), String> {
    let interface = wire::NODE_INTERFACE;
    let ip6 = match node.ip6 {
        Some(ip6) => wire::quiet_ipv6(interface, ip6)?,
        None => String::new(),
    };
    wire::ip_batch(&format!(
        "link set lo up\naddr add {}/24 dev {interface}\n{ip6}link set {interface} txqueuelen {} up\n",
        node.ip,
        wire::QUEUE
    ))
}

/// The wall clock and the kernel's modules are the whole machine's. With these
/// two out of the bounding set, nothing in the node can get them back.
fn give_up_rights() -> rustix::io::Result<()> {
    let given_up = CapabilitySet::SYS_TIME | CapabilitySet::SYS_MODULE;
    for right in given_up.iter() {
        rustix::thread::remove_capability_from_bounding_set(right)?;
    }
    rustix::thread::clear_ambient_capability_set()?;
    let mut sets = rustix::thread::capabilities(None)?;
    sets.effective.remove(given_up);
    sets.permitted.remove(given_up);
    sets.inheritable.remove(given_up);
    rustix::thread::set_capabilities(None, sets)
}

/// Buries the orphans, and starts sshd again when a fault has killed it: only
/// killing this process ends a node.
fn reap(mut sshd: Pid) -> Result<(), String> {
    loop {
        match rustix::process::wait(WaitOptions::empty()) {
            Ok(Some((pid, _))) if pid == sshd => sshd = sshd::start()?,
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(format!("nothing left to wait for: {error}")),
        }
    }
}
