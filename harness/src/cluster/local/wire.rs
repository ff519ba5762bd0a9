//! The network between the nodes: a namespace of its own, held by a process of
//! its own, so that no firewall of this machine ever sees a frame between two
//! nodes (docker's drops them on a bridge in the root namespace).
//!
//! This one is a bridge in the kernel. What the rest knows of it is [`Wire`]'s
//! three methods: whatever carries frames inside the holder may change.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::thread::UnshareFlags;

use super::holder::{Controller, Holder, READY, STAY};
use super::record::Record;
use super::subnet;
use crate::cluster::ClusterError;
use crate::cluster::process::ProcessId;

/// The name of a node's interface to the wire.
pub(super) const NODE_INTERFACE: &str = "eth0";

/// The controller's end of the wire's holder.
pub(super) struct Wire(Holder);

impl Wire {
    /// Starts the holder and leads one link from it to this machine, on which
    /// the controller has the subnet's address 254.
    pub fn start(directory: &Path, record: &Record) -> Result<Self, ClusterError> {
        let log = directory.join("wire.log");
        let holder = Holder::start(UnshareFlags::NEWNET, "wire", directory, None, &log);
        let mut holder = holder.map_err(|error| ClusterError::Wire(error.to_string()))?;
        let (uplink, address) = (record.subnet.uplink(), record.subnet.controller());
        let linked = ip_batch(&format!(
            "link add name {uplink} type veth peer name uplink netns {}\n\
             link set {uplink} addrgenmode none alias {} up\n\
             addr add {address}/24 dev {uplink}\n",
            holder.pid(),
            alias(record)
        ));
        // A dead holder is the better reason than a link that does not find it.
        let told = holder.say("uplink").map_err(|error| error.to_string());
        told.or_else(|_| holder.await_ready())
            .and(linked)
            .and_then(|()| holder.await_ready())
            .map_err(ClusterError::Wire)?;
        Ok(Self(holder))
    }

    /// The holder, unless it is dead already.
    pub fn id(&self) -> Option<ProcessId> {
        self.0.id()
    }

    /// Gives each node, named by the pid of its first process, its interface.
    pub fn attach(&mut self, nodes: impl Iterator<Item = u32>) -> Result<(), ClusterError> {
        let pids: Vec<String> = nodes.map(|pid| pid.to_string()).collect();
        let asked = self.0.say(&format!("attach {}", pids.join(" ")));
        asked
            .map_err(|error| error.to_string())
            .and_then(|()| self.0.await_ready())
            .map_err(ClusterError::Wire)
    }

    /// Makes the wire outlive this process.
    pub fn stay(mut self) -> Result<(), ClusterError> {
        self.0.say(STAY).map_err(|error| ClusterError::Wire(error.to_string()))
    }
}

/// Removes this machine's link to the wire of a dead cluster. The kernel does so
/// by itself when it comes to clear the namespace at the other end; here it is
/// certain, unless the name belongs to another cluster by now.
pub(super) fn remove_uplink(record: &Record) -> Result<(), String> {
    // While nobody else makes one: its alias follows its name a moment later.
    let _choice = subnet::Choice::begin().map_err(|error| error.to_string())?;
    let uplink = record.subnet.uplink();
    let ours = || {
        let path = format!("/sys/class/net/{uplink}/ifalias");
        std::fs::read_to_string(path).is_ok_and(|found| found.trim_end() == alias(record))
    };
    if !ours() {
        return Ok(());
    }
    let removed = ip_batch(&format!("link delete {uplink}\n"));
    removed.or_else(|why| if ours() { Err(why) } else { Ok(()) })
}

/// What tells one cluster's link from that of the next one of the same subnet.
fn alias(record: &Record) -> String {
    format!("tribunal:{}:{}", record.name, record.made)
}

/// The holder: `tribunal wire DIRECTORY`. The network namespace around it is
/// the wire, and goes when it is killed.
pub fn hold() -> Result<(), String> {
    let mut controller = Controller::of_this_process().map_err(|error| error.to_string())?;
    let done = serve(&mut controller);
    if let Err(error) = &done {
        controller.say(error)?;
    }
    done?;
    controller.await_stay()?;
    loop {
        rustix::event::pause();
    }
}

fn serve(controller: &mut Controller) -> Result<(), String> {
    disable_ipv6("all")?;
    expect(&controller.hear()?, "uplink")?;
    ip_batch(
        "link add name bridge type bridge forward_delay 0 mcast_snooping 0\n\
         link set bridge up\n\
         link set uplink master bridge up\n",
    )?;
    controller.say(READY)?;
    let line = controller.hear()?;
    let (word, pids) = line.split_once(' ').unwrap_or((&line, ""));
    expect(word, "attach")?;
    let mut batch = String::new();
    for (index, pid) in pids.split(' ').enumerate() {
        let port = format!("port{}", index + 1);
        let _ = writeln!(
            batch,
            "link add name {port} type veth peer name {NODE_INTERFACE} netns {pid}\n\
             link set {port} master bridge up"
        );
    }
    ip_batch(&batch)?;
    controller.say(READY)
}

fn expect(word: &str, wanted: &str) -> Result<(), String> {
    if word == wanted { Ok(()) } else { Err(format!("unexpected word `{word}`")) }
}

/// Keeps router solicitations and duplicate address detection off the wire. A
/// kernel without IPv6 has nothing to turn off.
pub(super) fn disable_ipv6(interface: &str) -> Result<(), String> {
    let path = format!("/proc/sys/net/ipv6/conf/{interface}/disable_ipv6");
    match std::fs::write(&path, "1") {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{path}: {error}"))
        }
        _ => Ok(()),
    }
}

/// Runs commands of iproute2 in this process' network namespace, all in one go.
pub(super) fn ip_batch(commands: &str) -> Result<(), String> {
    let spawned = Command::new("ip")
        .args(["-batch", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = spawned.map_err(|error| format!("ip: {error}"))?;
    let mut input = child.stdin.take().expect("stdin is piped");
    let sent = input.write_all(commands.as_bytes());
    drop(input);
    let output = child.wait_with_output().map_err(|error| format!("ip: {error}"))?;
    if output.status.success() && sent.is_ok() {
        return Ok(());
    }
    Err(format!("ip: {}", String::from_utf8_lossy(&output.stderr).trim().replace('\n', "; ")))
}
