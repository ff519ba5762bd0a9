//! SIGSTOP to every process of a daemon's session, until no thread runs.
//!
//! One round is not enough: a process may fork between the listing and the
//! signal, and a signalled thread may still be on its way out of the kernel. So
//! rounds follow until `/proc` shows every thread stopped.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tribunal_history::Effect;

use super::act::Act;
use super::journal::Undo;
use super::processes::{self, Session};

/// How long the processes get to stop, or to go on again.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two looks into `/proc`.
const LOOK: Duration = Duration::from_millis(1);

/// Threads by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Census {
    stopped: usize,
    all: usize,
}

/// A daemon that stands still.
pub struct Pause(Session);

impl Pause {
    /// Of the daemon `pid`.
    pub fn of(pid: u32) -> io::Result<Self> {
        Session::led_by(pid).map(Self)
    }
}

impl Act for Pause {
    fn undo(&self) -> Undo {
        Undo::Resume(self.0.clone())
    }

    /// Stops them all, and confirms it.
    fn perform(&mut self) -> io::Result<()> {
        let stopped = |census: Census| census.all > 0 && census.stopped == census.all;
        let census = signal_until(&self.0, Signal::STOP, stopped)?;
        match census.all {
            0 => Err(io::Error::other(format!("the daemon (pid {}) is gone", self.0.leader))),
            _ => Ok(()),
        }
    }

    /// What `/proc` shows now.
    fn look(&mut self) -> io::Result<Effect> {
        let Census { stopped, all } = census(&self.0)?;
        let observed = all > 0 && stopped == all;
        Ok(Effect { observed, evidence: vec![format!("{stopped} of {all} threads stopped")] })
    }
}

/// Lets them all go on, and confirms it. That all have ended meanwhile is no error.
pub fn resume(session: &Session) -> io::Result<String> {
    let census = signal_until(session, Signal::CONT, |census| census.stopped == 0)?;
    Ok(match census.all {
        0 => format!("the daemon (pid {}) is gone", session.leader),
        all => format!("{all} of {all} threads go on"),
    })
}

/// Signals and looks, again and again, until all is as `wanted` or nobody is left.
fn signal_until(
    session: &Session,
    signal: Signal,
    wanted: impl Fn(Census) -> bool,
) -> io::Result<Census> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        for process in session.processes()? {
            // One that ended since the listing needs no signal.
            let _ = Pid::from_raw(process.pid).map(|pid| kill_process(pid, signal));
        }
        let seen = census(session)?;
        if wanted(seen) || seen.all == 0 {
            return Ok(seen);
        }
        if Instant::now() > deadline {
            return Err(io::Error::new(io::ErrorKind::TimedOut, slow(session, signal, seen)));
        }
        thread::sleep(LOOK);
    }
}

fn slow(session: &Session, signal: Signal, Census { stopped, all }: Census) -> String {
    let sent = if signal == Signal::STOP { "SIGSTOP" } else { "SIGCONT" };
    format!(
        "{stopped} of {all} threads of the daemon (pid {}) are stopped {} s after {sent}",
        session.leader,
        PATIENCE.as_secs()
    )
}

fn census(session: &Session) -> io::Result<Census> {
    let mut census = Census::default();
    for process in session.processes()? {
        // A process that ends while it is looked at has no threads.
        for thread in processes::threads(process.pid).unwrap_or_default() {
            match processes::thread_state(thread) {
                None | Some('Z' | 'X') => {}
                Some('T' | 't') => {
                    census.stopped += 1;
                    census.all += 1;
                }
                Some(_) => census.all += 1,
            }
        }
    }
    Ok(census)
}
