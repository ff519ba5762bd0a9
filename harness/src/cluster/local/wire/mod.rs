//! The network between the nodes: a switch of our own, in a process of its own.
//!
//! Every node has one interface, a [`tap`] whose frames the [`switch`] carries; this
//! machine has another, over which the controller reaches them. So no frame between two nodes is
//! ever seen by a firewall of this machine, no module of the kernel is needed, and [`rule`]s
//! say how each directed link treats its frames. Whoever imposes them connects to the wire's
//! socket ([`line`](Line)) and holds a lease on them.

mod capture;
mod control;
mod frame;
mod layer;
mod line;
mod links;
mod protocol;
mod rule;
mod switch;
mod tap;

use std::fs::File;
use std::io::Write as _;
use std::net::Ipv6Addr;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::thread::UnshareFlags;

use super::holder::{Controller, Holder, READY, STAY};
use super::record::Record;
use super::subnet;
use crate::cluster::ClusterError;
use crate::cluster::process::ProcessId;

pub use layer::Tally;
pub use line::Line;
pub use protocol::{CONTROLLER, Reply, Request, Ruled, Tallied};
pub use rule::Rule;
use switch::Switch;
use tap::Tap;

/// The name of a node's interface to the wire.
pub(super) const NODE_INTERFACE: &str = "eth0";

/// The niceness of the wire.
const PRIORITY: i32 = -10;

/// Packets that wait for the wire before one is lost: on a busy machine it may be late.
pub(super) const QUEUE: u32 = 10_000;

/// The controller's end of the wire's holder.
pub(super) struct Wire(Holder);

/// Where a wire listens for whoever imposes rules on its links.
pub(super) fn socket(directory: &Path) -> PathBuf {
    directory.join("wire.sock")
}

impl Wire {
    /// Starts the holder and gives this machine an interface to it, on which the controller has
    /// the subnet's address 254.
    pub fn start(directory: &Path, record: &Record) -> Result<Self, ClusterError> {
        let log = directory.join("wire.log");
        let holder = Holder::start(UnshareFlags::empty(), "wire", directory, None, &log);
        let mut holder = holder.map_err(|error| ClusterError::Wire(error.to_string()))?;
        let (uplink, address) = (record.subnet.uplink(), record.subnet.controller());
        let told = holder.say(&format!("uplink {uplink}")).map_err(|error| error.to_string());
        // A dead holder's last words are the better reason.
        told.or_else(|_| holder.await_ready())
            .and_then(|()| holder.await_ready())
            .and_then(|()| {
                // The nodes have IPv6 whatever this machine says of it for itself.
                let ip6 = record.controller6().map(|ip6| quiet_ipv6(&uplink, ip6));
                let ip6 = ip6.and_then(Result::ok).unwrap_or_default();
                ip_batch(&format!(
                    "{ip6}link set {uplink} txqueuelen {QUEUE} alias {} up\n\
                     addr add {address}/24 dev {uplink}\n",
                    alias(record)
                ))
            })
            .map_err(ClusterError::Wire)?;
        Ok(Self(holder))
    }

    /// The holder, unless it is dead already.
    pub fn id(&self) -> Option<ProcessId> {
        self.0.id()
    }

    /// Gives each node its interface. Of a node it takes the name and the pid of its first process.
    pub fn attach<'n>(
        &mut self,
        nodes: impl Iterator<Item = (&'n str, u32)>,
    ) -> Result<(), ClusterError> {
        let nodes: Vec<String> = nodes.map(|(name, pid)| format!("{name}={pid}")).collect();
        let asked = self.0.say(&format!("attach {}", nodes.join(" ")));
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

/// Removes this machine's interface to the wire of a dead cluster. It goes with the wire's process;
/// but that may be just about to end, with its name gone before its files, and then nobody waits for
/// it. Here it is certain, unless the interface's name belongs to another cluster by now.
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

/// What tells one cluster's interface from that of the next one of the same subnet.
fn alias(record: &Record) -> String {
    format!("tribunal:{}:{}", record.name, record.made)
}

/// Makes an interface in this thread's network namespace, and lets it go.
pub(super) fn try_tap() -> std::io::Result<()> {
    Tap::open(NODE_INTERFACE, 1).map(drop)
}

/// The holder: `tribunal wire DIRECTORY`. The interfaces, here and in the nodes, go when it is killed.
pub fn hold(directory: &Path) -> Result<(), String> {
    let mut controller = Controller::of_this_process().map_err(|error| error.to_string())?;
    // On a busy machine the wire comes first: what it adds to a packet's way, a fault did not ask for.
    let _ = rustix::process::setpriority_process(None, PRIORITY);
    let switch = match make(directory, &mut controller) {
        Ok(switch) => switch,
        Err(why) => {
            controller.say(&why)?;
            return Err(why);
        }
    };
    let carrying = std::thread::spawn(move || switch.run());
    controller.say(READY)?;
    controller.await_stay()?;
    let ended = carrying.join().map_err(|_| "the switch panicked".to_owned())?;
    ended.map_err(|error| format!("the switch cannot go on: {error}"))
}

/// Makes the interfaces that the controller asks for, and the switch between them.
fn make(directory: &Path, controller: &mut Controller) -> Result<Switch, String> {
    let uplink = controller.hear()?;
    let uplink = told(&uplink, "uplink")?;
    // The place of a port is the last number of its addresses: the controller comes first.
    let of_controller = Tap::open(uplink, 0).map_err(|error| tun(uplink, &error))?;
    let mut ports = vec![(CONTROLLER.to_owned(), of_controller)];
    controller.say(READY)?;
    let nodes = controller.hear()?;
    for node in told(&nodes, "attach")?.split(' ') {
        let (name, pid) = node.split_once('=').ok_or_else(|| format!("`{node}` is no node"))?;
        let path = format!("/proc/{pid}/ns/net");
        let namespace = File::open(&path).map_err(|error| format!("{path}: {error}"))?;
        let port = u8::try_from(ports.len()).map_err(|_| "a wire has at most 255 nodes")?;
        let tap = Tap::open_in(&namespace, NODE_INTERFACE, port);
        ports.push((name.to_owned(), tap.map_err(|error| tun(name, &error))?));
    }
    let path = socket(directory);
    let listener = UnixListener::bind(&path);
    let listener = listener.map_err(|error| format!("{}: {error}", path.display()))?;
    Switch::new(ports, listener).map_err(|error| format!("the switch cannot start: {error}"))
}

fn tun(interface: &str, error: &std::io::Error) -> String {
    format!("no interface for {interface}: /dev/net/tun: {error}; `tribunal doctor` says more")
}

/// What follows a word.
fn told<'l>(line: &'l str, word: &str) -> Result<&'l str, String> {
    let rest = line.strip_prefix(word).and_then(|rest| rest.strip_prefix(' '));
    rest.ok_or_else(|| format!("`{line}` instead of `{word} ..`"))
}

/// Gives an interface one address of IPv6 and no habits: it asks for no router, takes no other address
/// by itself, and does not wait to see whether somebody has this one. What is left to do, as commands
/// of iproute2, for an interface that is not up yet.
pub(super) fn quiet_ipv6(interface: &str, address: Ipv6Addr) -> Result<String, String> {
    for (setting, value) in [("disable_ipv6", "0"), ("accept_ra", "0"), ("accept_dad", "0")] {
        let path = format!("/proc/sys/net/ipv6/conf/{interface}/{setting}");
        std::fs::write(&path, value).map_err(|error| format!("{path}: {error}"))?;
    }
    // Two commands: together with `up` it would come too late.
    Ok(format!(
        "link set {interface} addrgenmode none\naddr add {address}/64 dev {interface} nodad\n"
    ))
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
