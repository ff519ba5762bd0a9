//! SIGKILL to every process of a daemon's session, until none is left.
//!
//! There is nothing to undo here: a database is started again by those who know how.

use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tribunal_history::Effect;

use super::processes::Session;

/// How long the processes get to die.
const PATIENCE: Duration = Duration::from_secs(5);
/// Between two looks into `/proc`.
const LOOK: Duration = Duration::from_millis(1);

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

/// What `/proc` shows now.
pub fn look(session: &Session) -> io::Result<Effect> {
    let left = session.processes()?.len();
    let evidence = match left {
        0 => format!("no process is left of the daemon (pid {})", session.leader),
        left => format!("{left} processes of the daemon (pid {}) live", session.leader),
    };
    Ok(Effect { observed: left == 0, evidence: vec![evidence] })
}
