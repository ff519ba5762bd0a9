//! A process that outlives its agent, to undo what it held.
//!
//! An agent that is killed cannot undo anything, and its controller may be dead, too. So each
//! agent starts a guard, which waits for the agent's end at the other end of a pipe, and for the
//! node. If nothing is due by then the guard leaves; else it undoes every harm. Ground it lifts only
//! when no successor has come for it within a lease: a database may be alive on it.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::journal::Journal;
use super::lock::Lock;
use super::{Agent, Undone};

/// Between two looks for a successor.
const LOOK: Duration = Duration::from_millis(200);

/// A guard, as its agent holds it. It learns of the agent's end by the pipe's, and is never told.
pub struct Guard(#[allow(dead_code, reason = "its pipe is what matters")] Child);

impl Guard {
    /// Starts one for the agent with its journal in `directory`.
    pub fn post(directory: &Path, lease: Duration) -> io::Result<Self> {
        let mut command = Command::new("/proc/self/exe");
        command.args(["agent", "--guard", "--lease", &lease.as_secs().to_string(), "--state"]);
        command.arg(directory);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Self)
    }
}

/// What a guard does.
pub fn watch(directory: &Path, lease: Duration) -> io::Result<Undone> {
    // Away from the agent's session: what ends that must not end this.
    rustix::process::setsid()?;
    super::requests::hold_signals();
    // An error means as much as the end: nobody is there any more.
    let _ = io::stdin().read_to_end(&mut Vec::new());
    // A successor has it for as long as it serves, and leaves nothing due.
    let lock = Lock::wait(directory)?;
    if !Journal::is_due(directory)? {
        return Ok(Undone::default());
    }
    let (agent, mut undone) = Agent::with(directory.to_owned(), lock)?;
    let ground = agent.ground().is_some();
    drop(agent);
    if ground && let Some(lock) = nobody_comes(directory, lease)? {
        let (mut agent, more) = Agent::with(directory.to_owned(), lock)?;
        undone.add(more);
        undone.add(agent.lift());
    }
    Ok(undone)
}

/// Leaves the node to whoever wants it, and takes it when nobody has until the lease is over.
fn nobody_comes(directory: &Path, lease: Duration) -> io::Result<Option<Lock>> {
    let until = Instant::now() + lease;
    while Instant::now() < until {
        thread::sleep(LOOK);
        if Lock::is_held(directory)? {
            return Ok(None);
        }
    }
    Lock::wait(directory).map(Some)
}
