//! SIGKILL to every process of a daemon's session, until none is left.
//!
//! There is nothing to undo here: a database is started again by those who know how.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tribunal_history::Effect;

use super::act::Act;
use super::journal::Undo;
use super::processes::Session;

/// How long the processes get to die.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks into `/proc`.
const LOOK: Duration = Duration::from_millis(1);

/// The end of a daemon.
pub struct Kill(Session);

impl Kill {
    /// Of the daemon `pid`.
    pub fn of(pid: u32) -> io::Result<Self> {
        Session::led_by(pid).map(Self)
    }
}

impl Act for Kill {
    fn undo(&self) -> Undo {
        Undo::Bury(self.0.clone())
    }

    fn perform(&mut self) -> io::Result<()> {
        kill(&self.0)
    }

    /// What `/proc` shows now.
    fn look(&mut self) -> io::Result<Effect> {
        let (left, leader) = (self.0.processes()?.len(), self.0.leader);
        let evidence = match left {
            0 => format!("no process is left of the daemon (pid {leader})"),
            left => format!("{left} processes of the daemon (pid {leader}) live"),
        };
        Ok(Effect { observed: left == 0, evidence: vec![evidence] })
    }
}

/// Kills them all, and confirms it. One round is not enough: a process may fork between the
/// listing and the signal.
pub fn kill(session: &Session) -> io::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let left = session.processes()?;
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > deadline {
            let text = format!("{} processes outlive SIGKILL", left.len());
            return Err(io::Error::new(io::ErrorKind::TimedOut, text));
        }
        for process in left {
            // One that ended since the listing needs no signal.
            let _ = Pid::from_raw(process.pid).map(|pid| kill_process(pid, Signal::KILL));
        }
        thread::sleep(LOOK);
    }
}
