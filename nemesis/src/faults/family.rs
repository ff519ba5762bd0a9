//! What faults harm: those of one family share a lane of the schedule, so that none undoes or hides
//! another.

use super::Needs;

/// What a fault harms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Which packets reach a node.
    Packets,
    /// How the wire treats them.
    Links,
    /// The database's processes.
    Processes,
}

impl Family {
    /// The family of most faults that need this.
    pub(super) fn of(needs: Needs) -> Self {
        match needs {
            Needs::Nft => Family::Packets,
            Needs::Wire | Needs::Links => Family::Links,
            Needs::Daemon | Needs::Clock | Needs::Start => Family::Processes,
            Needs::Membership | Needs::Upgrade => Family::Processes,
            Needs::Cgroup(_) | Needs::Files => Family::Processes,
            // The disk under a process is as good as the process: each hides what is done to the other.
            Needs::Image | Needs::Fuse | Needs::Data => Family::Processes,
        }
    }

    /// Whether a script may have two of them act on one node at once: rules and layers add up, and
    /// each is undone for itself.
    pub fn adds_up(self) -> bool {
        matches!(self, Family::Packets | Family::Links)
    }

    /// Whose harm it is, for a sentence: "the same processes".
    pub fn noun(self) -> &'static str {
        match self {
            Family::Packets => "packets",
            Family::Links => "links",
            Family::Processes => "processes",
        }
    }
}
