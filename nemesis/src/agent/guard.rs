//! A process that outlives its agent, to undo what it held.
//!
//! An agent that is killed cannot undo anything, and its controller may be dead, too. So each
//! agent starts a guard, which waits for the agent's end at the other end of a pipe, and for the
//! node. If nothing is due by then the guard leaves; else it does as `tribunal heal` would.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::journal::Journal;
use super::lock::Lock;
use super::{Agent, Undone};

/// A guard, as its agent holds it. It learns of the agent's end by the pipe's, and is never told.
pub struct Guard(#[allow(dead_code, reason = "its pipe is what matters")] Child);

impl Guard {
    /// Starts one for the agent with its journal in `directory`.
    pub fn post(directory: &Path) -> io::Result<Self> {
        let mut command = Command::new("/proc/self/exe");
        command.args(["agent", "--guard", "--state"]).arg(directory);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().map(Self)
    }
}

/// What a guard does.
pub fn watch(directory: &Path) -> io::Result<Undone> {
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
    Agent::with(directory.to_owned(), lock).map(|(_, undone)| undone)
}
