//! The end of a local cluster, and who may bring it about.

use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

use rustix::process::Signal;

use super::record::{Owner, Record, clusters_directory, directory};
use super::{cgroups, wire};
use crate::cluster::process::{self, ProcessId};
use crate::cluster::{Cluster, ClusterError, Kind};

/// Being the one for whom a cluster was made. Dropped, it takes the cluster down
/// as well as it can, so that a run that panics leaves nothing behind.
#[derive(Debug)]
pub struct Tenancy {
    name: Option<String>,
}

impl Tenancy {
    pub(super) fn new(name: &str) -> Self {
        Self { name: Some(name.to_owned()) }
    }

    /// Leaves the cluster standing.
    pub(super) fn release(mut self) {
        self.name = None;
    }

    /// Takes the cluster down. Blocks until it is gone.
    pub fn end(mut self) -> Result<(), ClusterError> {
        self.name.take().map_or(Ok(()), |name| down(&name))
    }
}

impl Drop for Tenancy {
    fn drop(&mut self) {
        let outcome = self.name.take().map(|name| down(&name));
        if let Some(Err(error)) = outcome {
            tracing::error!("{error}");
        }
    }
}

/// Whether a cluster is of use, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its owner is alive: the process with this number.
    InUse(u32),
    /// Made by `cluster up`.
    Kept,
    /// Its owner is dead, or its record is unreadable.
    Orphaned,
}

/// One folder of the state.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The cluster's name.
    pub name: String,
    /// Its record, if it can be read.
    pub record: Option<Record>,
    /// Whose it is.
    pub state: State,
}

impl Listing {
    fn of(name: String) -> Self {
        let record = Record::read(&directory(&name)).ok();
        let state = match record.as_ref().map(|record| record.owner) {
            Some(Owner::Kept) => State::Kept,
            Some(Owner::Process(owner)) if owner.alive() => State::InUse(owner.pid),
            Some(Owner::Process(_)) | None => State::Orphaned,
        };
        Self { name, record, state }
    }

    /// The process that uses it, if one does.
    pub fn user(&self) -> Option<u32> {
        match self.state {
            State::InUse(pid) => Some(pid),
            State::Kept | State::Orphaned => None,
        }
    }

    /// How long ago it was made.
    pub fn age(&self) -> Option<Duration> {
        let made: jiff::Timestamp = self.record.as_ref()?.made.parse().ok()?;
        jiff::Timestamp::now().duration_since(made).try_into().ok()
    }

    /// How many of its nodes run.
    pub fn nodes_alive(&self) -> usize {
        let nodes = self.record.iter().flat_map(|record| &record.nodes);
        nodes.filter(|node| node.init.is_some_and(|init| init.alive())).count()
    }
}

/// All local clusters, by name.
pub fn list() -> Result<Vec<Listing>, ClusterError> {
    let path = clusters_directory();
    let entries = match std::fs::read_dir(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(ClusterError::file(&path))?,
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut found: Vec<Listing> =
        names.filter(|name| !name.starts_with('.')).map(Listing::of).collect();
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// The cluster `name`, or the only one there is.
pub fn find(name: Option<&str>) -> Result<Cluster, ClusterError> {
    let name = match name {
        Some(name) => name.to_owned(),
        None => the_only_one()?,
    };
    if !directory(&name).is_dir() {
        return Err(ClusterError::NoSuchCluster(name));
    }
    let record = Record::read(&directory(&name))?;
    let (nodes, ssh) = (record.nodes(), record.ssh());
    let wire = Some(wire::socket(&directory(&name)));
    Ok(Cluster { nodes, ssh, name, kind: Kind::Hosts, wire, control: None })
}

fn the_only_one() -> Result<String, ClusterError> {
    let names: Vec<String> = list()?.into_iter().map(|found| found.name).collect();
    match &names[..] {
        [name] => Ok(name.clone()),
        [] => Err(ClusterError::Hosts(
            "there is no cluster: `tribunal cluster up` makes one".to_owned(),
        )),
        names => Err(ClusterError::Hosts(format!(
            "there are {} clusters, so name one of them: {}",
            names.len(),
            names.join(", ")
        ))),
    }
}

/// Takes the cluster `name` down, whoever uses it: sessions, nodes, wire, files.
pub fn down(name: &str) -> Result<(), ClusterError> {
    super::check_name(name)?;
    let directory = directory(name);
    if !directory.is_dir() {
        return Err(ClusterError::NoSuchCluster(name.to_owned()));
    }
    let stuck = |why: String| ClusterError::Stuck { cluster: name.to_owned(), why };
    let record = Record::read(&directory).ok();
    let groups = record.iter().flat_map(|record| &record.nodes);
    let groups: Vec<_> = groups.flat_map(|node| node.cgroups.clone()).collect();
    cgroups::thaw(&groups);
    end_processes(record.as_ref(), &directory).map_err(stuck)?;
    cgroups::remove(&groups).map_err(stuck)?;
    if let Some(record) = &record {
        wire::remove_uplink(record).map_err(stuck)?;
    }
    match std::fs::remove_dir_all(&directory) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(ClusterError::file(&directory)(error));
        }
        _ => {}
    }
    remove_empty_parents();
    Ok(())
}

/// Sessions first, while their nodes still answer; then everything that holds a
/// namespace, by the record and by what runs.
fn end_processes(record: Option<&Record>, directory: &Path) -> Result<(), String> {
    let end = |processes: &[ProcessId], signal, seconds| {
        process::end(processes, signal, Duration::from_secs(seconds))
            .map_err(|error| error.to_string())
    };
    let deaf = end(&process::ssh_masters(directory), Signal::TERM, 2)?;
    record.iter().flat_map(|record| recorded(record)).for_each(super::thaw::thaw_all);
    let mut processes = process::holders(directory);
    for recorded in record.iter().flat_map(|record| recorded(record)) {
        if !processes.contains(&recorded) {
            processes.push(recorded);
        }
    }
    processes.extend(deaf);
    let left = end(&processes, Signal::KILL, 10)?;
    if left.is_empty() {
        return Ok(());
    }
    let pids: Vec<String> = left.iter().map(|process| process.pid.to_string()).collect();
    Err(format!("these processes outlive SIGKILL: {}", pids.join(", ")))
}

fn recorded(record: &Record) -> impl Iterator<Item = ProcessId> {
    record.nodes.iter().filter_map(|node| node.init).chain(record.wire)
}

/// Leaves no trace of a state that holds nothing, nor of clusters that died
/// before they had a name.
fn remove_empty_parents() {
    let clusters = clusters_directory();
    for entry in std::fs::read_dir(&clusters).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let draft = name.to_str().filter(|name| name.starts_with(".new-"));
        let maker = draft.and_then(|name| name.rsplit('-').next()?.parse().ok());
        if maker.is_some_and(|pid| ProcessId::of(pid).is_none()) {
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
    // Both fail where something else lives in there.
    let _ = std::fs::remove_dir(&clusters);
    let _ = clusters.parent().map(std::fs::remove_dir);
}
