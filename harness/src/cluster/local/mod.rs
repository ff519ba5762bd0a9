//! Nodes on this machine, made in about a second, needing no image, no registry
//! and no daemon.
//!
//! A node is a network, mount, PID, UTS and IPC namespace over an overlay of this
//! machine's own root, with OpenSSH's `sshd` inside ([`init`]). The nodes meet on
//! a [`wire`], a switch in a process of its own. All that must be found again is written
//! down first ([`record`]), so that a controller killed at any moment leaves
//! nothing that [`down`] does not find.
//!
//! Nodes and wire are held by this process' own executable, started again: it
//! must answer to `node-init DIRECTORY NODE` with [`init::run`] and to `wire
//! DIRECTORY` with [`wire::hold`], as the `tribunal` command does. Where it
//! cannot (a test), `TRIBUNAL_EXECUTABLE` names one that does.

mod cgroups;
mod filesystem;
mod holder;
pub mod init;
mod keys;
mod making;
pub mod probe;
pub mod record;
mod sshd;
mod subnet;
mod tenancy;
mod thaw;
pub mod wire;

use std::path::{Path, PathBuf};
use std::thread::ScopedJoinHandle;

use rustix::thread::UnshareFlags;

pub use record::{Owner, Record};
pub use subnet::Subnet;
pub use tenancy::{Listing, State, Tenancy, down, find, list};

pub use super::process::ProcessId;
use super::{Cluster, ClusterError, Kind};
use holder::{Holder, STAY};
use making::Making;
use record::{check_name, directory, node_directory};
use wire::Wire;

/// Where programs are looked for on a node.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What a node has for itself.
const NAMESPACES: UnshareFlags = UnshareFlags::NEWNET
    .union(UnshareFlags::NEWNS)
    .union(UnshareFlags::NEWPID)
    .union(UnshareFlags::NEWUTS)
    .union(UnshareFlags::NEWIPC);

/// Programs without which there are no local nodes, and their Debian packages.
pub const PROGRAMS: [(&str, &str); 4] = [
    ("sshd", "openssh-server"),
    ("ssh", "openssh-client"),
    ("ssh-keygen", "openssh-client"),
    ("ip", "iproute2"),
];

/// How long a cluster is to live.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as the [`Cluster`] that `up` returns: a run's.
    Run,
    /// Until somebody takes it down: `tribunal cluster up`'s.
    Kept,
}

/// Makes a cluster of `count` nodes, named `name` or else the first free of c1,
/// c2, …; every sshd listens when it returns. Dropped before, it takes down what there is by then.
pub async fn up(
    name: Option<String>,
    count: usize,
    lifetime: Lifetime,
) -> Result<Cluster, ClusterError> {
    let making = Making::default();
    let _patience = making.patience();
    let make = move || {
        let made = up_blocking(name.as_deref(), count, lifetime, &making);
        // What could not be made goes at once.
        drop(making.over());
        made
    };
    tokio::task::spawn_blocking(make)
        .await
        .unwrap_or_else(|panic| Err(ClusterError::Wire(panic.to_string())))
}

fn up_blocking(
    name: Option<&str>,
    count: usize,
    lifetime: Lifetime,
    making: &Making,
) -> Result<Cluster, ClusterError> {
    check_request(name, count)?;
    let choice = subnet::Choice::begin()?;
    let mut record = claim(name, count, &choice)?;
    making.claimed(Tenancy::new(&record.name))?;
    let directory = directory(&record.name);
    let mut wire = Wire::start(&directory, &record)?;
    // The wire's route is there: nobody else will choose this subnet.
    drop(choice);
    let mut nodes = start_nodes(&record, &directory)?;
    record.wire = wire.id();
    for (node, holder) in record.nodes.iter_mut().zip(&nodes) {
        node.init = holder.id();
    }
    record.write(&directory)?;
    keys::introduce(&record, &directory)?;
    let names = record.nodes.iter().map(|node| &*node.id);
    wire.attach(names.zip(nodes.iter().map(Holder::pid)))?;
    await_nodes(&record, &mut nodes)?;
    if lifetime == Lifetime::Kept {
        record.owner = Owner::Kept;
        record.write(&directory)?;
    }
    for (node, holder) in record.nodes.iter().zip(&mut nodes) {
        holder.say(STAY).map_err(|error| lost(&node.id, error))?;
    }
    wire.stay()?;
    let tenancy = making.over().ok_or(ClusterError::GivenUp)?;
    let kind = match lifetime {
        Lifetime::Run => Kind::Local(tenancy),
        Lifetime::Kept => {
            tenancy.release();
            Kind::Hosts
        }
    };
    let (nodes, ssh) = (record.nodes(), record.ssh());
    let wire = Some(wire::socket(&directory));
    Ok(Cluster { nodes, ssh, name: record.name, kind, wire, control: None })
}

fn check_request(name: Option<&str>, count: usize) -> Result<(), ClusterError> {
    name.map_or(Ok(()), check_name)?;
    if !(1..=200).contains(&count) {
        return Err(ClusterError::BadCount(count));
    }
    if !rustix::process::geteuid().is_root() {
        return Err(ClusterError::NotRoot);
    }
    match PROGRAMS.iter().find(|(program, _)| find_program(program).is_none()) {
        Some(&(program, package)) => Err(ClusterError::MissingProgram { program, package }),
        None => Ok(()),
    }
}

/// Plans the cluster and takes its name.
fn claim(
    name: Option<&str>,
    count: usize,
    choice: &subnet::Choice,
) -> Result<Record, ClusterError> {
    let existing = list()?;
    let taken: Vec<Subnet> =
        existing.iter().filter_map(|found| Some(found.record.as_ref()?.subnet)).collect();
    let subnet = choice.first_free(&taken)?;
    let owner = ProcessId::current().map_err(ClusterError::file(Path::new("/proc/self/stat")))?;
    let attempt = |name: &str| {
        let record = Record::plan(name, subnet, count, owner);
        let directory = record.claim()?;
        check_socket_path(&directory).map(|()| record)
    };
    if let Some(name) = name {
        return attempt(name);
    }
    let mut number = 1;
    loop {
        match attempt(&format!("c{number}")) {
            Err(ClusterError::NameTaken(_)) => number += 1,
            outcome => return outcome,
        }
    }
}

/// The path of a Unix socket has at most 107 bytes, and ssh adds to it.
fn check_socket_path(directory: &Path) -> Result<(), ClusterError> {
    let longest = directory.join("control/.ssh-connectionXXXXXX/master.XXXXXXXXXXXXXXXX");
    let control = directory.join("control");
    if longest.as_os_str().len() > 107 {
        let _ = std::fs::remove_dir_all(directory);
        return Err(ClusterError::file(directory)(std::io::Error::other(
            "the path is too long for ssh's control sockets: choose a shorter TRIBUNAL_STATE",
        )));
    }
    std::fs::create_dir_all(&control).map_err(ClusterError::file(&control))
}

/// Makes the keys and starts the nodes' first processes, all at once.
fn start_nodes(record: &Record, directory: &Path) -> Result<Vec<Holder>, ClusterError> {
    std::thread::scope(|scope| {
        let user_key = scope.spawn(|| keys::generate(&directory.join("key")));
        let nodes: Vec<ScopedJoinHandle<'_, _>> = record
            .nodes
            .iter()
            .map(|node| scope.spawn(|| start_node(directory, &node.id)))
            .collect();
        user_key.join().expect("making a key does not panic")?;
        nodes.into_iter().map(|node| node.join().expect("starting does not panic")).collect()
    })
}

fn start_node(directory: &Path, id: &str) -> Result<Holder, ClusterError> {
    let home = node_directory(directory, id);
    for part in ["upper", "work", "merged"] {
        let path = home.join(part);
        std::fs::create_dir_all(&path).map_err(ClusterError::file(&path))?;
    }
    keys::generate(&home.join("host_key"))?;
    Holder::start(NAMESPACES, "node-init", directory, Some(id), &home.join("log"))
        .map_err(|error| lost(id, error))
}

fn await_nodes(record: &Record, nodes: &mut [Holder]) -> Result<(), ClusterError> {
    for (node, holder) in record.nodes.iter().zip(&mut *nodes) {
        holder.say(init::ATTACHED).map_err(|error| lost(&node.id, error))?;
    }
    for (node, holder) in record.nodes.iter().zip(nodes) {
        holder.await_ready().map_err(|why| ClusterError::Node { node: node.id.clone(), why })?;
    }
    Ok(())
}

fn lost(node: &str, error: std::io::Error) -> ClusterError {
    ClusterError::Node { node: node.to_owned(), why: error.to_string() }
}

/// The first program of this name on the path, with the folders of root's
/// programs added: they are missing from many users' paths.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = std::env::var("PATH").unwrap_or_default();
    let folders = path.split(':').chain(PATH.split(':')).filter(|folder| !folder.is_empty());
    folders.map(|folder| Path::new(folder).join(name)).find(|program| program.is_file())
}
