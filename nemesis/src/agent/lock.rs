//! One agent a node: the last one wins.
//!
//! A new agent asks the one before it to undo what it holds and leave. That one
//! may have lost its controller, or stand in a harm that hangs; after a while it
//! is killed, and its journal says what is left to undo.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, kill_process};

/// How long a predecessor gets to leave.
const PATIENCE: Duration = Duration::from_secs(5);

/// Held until the process ends.
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Waits until no agent has the node. An agent that was just killed may have it for a moment
    /// longer than the pipes that tell of its end.
    pub fn wait(directory: &Path) -> io::Result<Self> {
        let mut file = OpenOptions::new().read(true).write(true).open(directory.join("lock"))?;
        flock(&file, FlockOperation::LockExclusive)?;
        file.set_len(0)?;
        file.write_all(std::process::id().to_string().as_bytes())?;
        Ok(Self { _file: file })
    }

    /// Whether somebody has the node now.
    pub fn is_held(directory: &Path) -> io::Result<bool> {
        let file = OpenOptions::new().read(true).write(true).open(directory.join("lock"))?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(false),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Takes the node over.
    pub fn take(directory: &Path) -> io::Result<Self> {
        let path = directory.join("lock");
        let open = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).open(&path)
        };
        let mut file = open()?;
        if flock(&file, FlockOperation::NonBlockingLockExclusive).is_err() {
            file = [Signal::TERM, Signal::KILL]
                .into_iter()
                .find_map(|signal| oust(&path, signal, open().ok()?))
                .ok_or_else(|| {
                    let text = format!("{} is held by an agent that does not end", path.display());
                    io::Error::new(io::ErrorKind::TimedOut, text)
                })?;
        }
        file.set_len(0)?;
        file.write_all(std::process::id().to_string().as_bytes())?;
        Ok(Self { _file: file })
    }
}

/// Signals the holder and waits for the lock.
fn oust(path: &Path, signal: Signal, file: File) -> Option<File> {
    let holder = fs::read_to_string(path).ok().and_then(|text| text.trim().parse().ok());
    if let Some(holder) = holder.and_then(Pid::from_raw) {
        let _ = kill_process(holder, signal);
    }
    // The wait has no deadline of its own, so a thread does the waiting.
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let taken = flock(&file, FlockOperation::LockExclusive);
        // Nobody may listen any more: then the file is closed again, and the lock with it.
        let _ = sender.send(taken.map(|()| file));
    });
    receiver.recv_timeout(PATIENCE).ok()?.ok()
}
