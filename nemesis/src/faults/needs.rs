//! What a fault cannot be injected without, and where it is to be injected. Whether it is there is for
//! others to find out: the agents, and whoever starts a run.

use tribunal_harness::cluster::cgroup::Controller;

/// What a fault cannot be injected without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The packet filter of the nodes.
    Nft,
    /// A database that runs, and nothing else.
    Daemon,
    /// Processes whose vDSO can be patched.
    Clock,
    /// A database that can be started again: a run's.
    Start,
    /// A database of which a run knows how nodes leave and join it.
    Membership,
    /// A database of which a run knows how its other version is installed and started.
    Upgrade,
    /// Control groups that can do this.
    Cgroup(Controller),
    /// The right to limit a process' open files.
    Files,
    /// A wire of ours between the nodes, which local ones have.
    Wire,
    /// Such a wire, or nodes whose kernel has netem.
    Links,
    /// A disk of ours under the data of a run's database.
    Image,
    /// A filesystem of ours between a run's database and its data.
    Fuse,
    /// The folder of the database's data.
    Data,
}

impl Needs {
    /// What a run has to lay under the database's data first.
    pub fn ground(self) -> Option<GroundKind> {
        match self {
            Needs::Image => Some(GroundKind::Image),
            Needs::Fuse => Some(GroundKind::Fuse),
            Needs::Nft
            | Needs::Daemon
            | Needs::Clock
            | Needs::Start
            | Needs::Membership
            | Needs::Upgrade
            | Needs::Cgroup(_)
            | Needs::Files
            | Needs::Wire
            | Needs::Links
            | Needs::Data => None,
        }
    }

    /// As an agent calls it that finds that its node has not got it.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Needs::Cgroup(controller) => Some(controller.name()),
            _ => None,
        }
    }
}

/// A kind of ground; a run stands on one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroundKind {
    /// A disk of its own, in a file.
    Image,
    /// A filesystem of ours over the folder.
    Fuse,
}

/// Where nodes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On this machine, made by us.
    Local,
    /// Somewhere else, and there before.
    Hosts,
}
