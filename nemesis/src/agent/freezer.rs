//! The freezer of control groups: no thread of a daemon's session runs, and none is told.
//!
//! Unlike under SIGSTOP nobody's parent hears of it, and a thread inside of a system call stops,
//! too. It is believed when the freezer says so and no thread has run for a while.

use std::io;
use std::thread;
use std::time::Duration;

use tribunal_harness::cluster::cgroup::Controller;
use tribunal_history::Effect;

use super::act::Act;
use super::group::Group;
use super::journal::Undo;
use super::processes::Runtime;

/// For how long no thread may run.
const STILL: Duration = Duration::from_millis(20);

/// A daemon that is frozen.
pub struct Freezer(Group);

impl Freezer {
    /// The daemon `pid`.
    pub fn of(fault: u64, pid: u32) -> io::Result<Self> {
        Group::of(fault, pid, Controller::Freezer).map(Self)
    }
}

impl Act for Freezer {
    fn undo(&self) -> Undo {
        Undo::Disband(self.0.clone())
    }

    fn perform(&mut self) -> io::Result<()> {
        self.0.make()?;
        self.0.take_in()?;
        self.0.freeze()?;
        // One that was forked by a process just before that moved.
        self.0.take_in()
    }

    fn look(&mut self) -> io::Result<Effect> {
        let before = Runtime::of(&self.0.session)?;
        thread::sleep(STILL);
        let after = Runtime::of(&self.0.session)?;
        let (frozen, ran) = (self.0.is_frozen()?, after.that_ran_since(&before));
        let state = if frozen { "frozen" } else { "not frozen" };
        let evidence = format!(
            "{state} (cgroup version {}): {ran} of {} threads ran within {} ms",
            self.0.version,
            after.threads(),
            STILL.as_millis()
        );
        let observed = frozen && ran == 0 && after.threads() > 0;
        Ok(Effect { observed, evidence: vec![evidence] })
    }
}
