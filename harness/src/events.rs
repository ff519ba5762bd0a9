//! What a run says of itself while it goes: one enum, and listeners that render it.
//!
//! The runner knows no terminal, no log file and no report; each is a listener.

use tribunal_history::Event;

use crate::store::RunRecord;

/// Something that happened in a run.
#[derive(Clone, Copy, Debug)]
pub enum RunEvent<'a> {
    /// It begins.
    Started(&'a RunRecord),
    /// A phase begins.
    Phase(Phase),
    /// An event was written into the history.
    Recorded(&'a Event),
    /// Something that a person should read, and that does not end the run.
    Alert(&'a str),
}

/// The phases of a run, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// Putting the database on the nodes.
    Install,
    /// Starting it, until it serves.
    Start,
    /// Calls and faults.
    Load,
    /// Undoing every fault, and letting the cluster settle.
    Heal,
    /// The workload's last calls.
    Last,
    /// Judging.
    Check,
}

impl Phase {
    /// Its name, as printed.
    pub fn name(self) -> &'static str {
        match self {
            Phase::Install => "install",
            Phase::Start => "start",
            Phase::Load => "run",
            Phase::Heal => "heal",
            Phase::Last => "last calls",
            Phase::Check => "check",
        }
    }
}

/// Somebody who wants to know.
pub trait Listener: Send {
    /// Called in order, from one thread; must not block.
    fn on(&mut self, event: RunEvent);
}
