//! Processes by identity: a pid together with its start time, so that a number
//! the kernel has given to somebody else is never mistaken for ours.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions};
use serde::{Deserialize, Serialize};

/// One process, for as long as this machine is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// When it started, in clock ticks since boot.
    pub start: u64,
}

impl ProcessId {
    /// This process.
    pub fn current() -> io::Result<Self> {
        let pid = std::process::id();
        Self::of(pid).ok_or_else(|| io::Error::other(format!("/proc/{pid}/stat is unreadable")))
    }

    /// The process that has `pid` now, unless it is dead.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name (field 2) may hold spaces and parentheses; field 3 follows the last one.
        let mut fields = stat[stat.rfind(')')? + 1..].split_ascii_whitespace();
        let state = fields.next()?;
        let threads: u32 = fields.nth(16)?.parse().ok()?;
        let start = fields.nth(1)?.parse().ok()?;
        // A first thread that ended while others go on shows as a zombie.
        let dead = matches!(state, "Z" | "X") && threads <= 1;
        (!dead).then_some(Self { pid, start })
    }

    /// Whether it still runs.
    pub fn alive(&self) -> bool {
        Self::of(self.pid) == Some(*self)
    }

    /// A handle that cannot come to mean another process; `None` if it is gone.
    fn open(&self) -> io::Result<Option<OwnedFd>> {
        let Some(pid) = Pid::from_raw(self.pid as i32) else { return Ok(None) };
        match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
            // Checked after opening: from here on the number is held.
            Ok(handle) => Ok(self.alive().then_some(handle)),
            Err(rustix::io::Errno::SRCH) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Sends `signal` to all of them and waits until they are gone. Returns those
/// that were still there after `patience`.
pub fn end(
    processes: &[ProcessId],
    signal: Signal,
    patience: Duration,
) -> io::Result<Vec<ProcessId>> {
    let mut opened = Vec::new();
    for process in processes {
        if let Some(handle) = process.open()? {
            opened.push((*process, handle));
        }
    }
    for (_, handle) in &opened {
        match rustix::process::pidfd_send_signal(handle, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let deadline = Instant::now() + patience;
    let mut left = Vec::new();
    for (process, handle) in opened {
        // It becomes readable when its process has ended: for the first process of a PID namespace, when all others
        // in there have, too.
        if !readable_by(&handle, deadline)? {
            left.push(process);
        } else if let Some(pid) = Pid::from_raw(process.pid as i32) {
            // Only our own children need it; for all others it does nothing.
            let _ = rustix::process::waitpid(Some(pid), WaitOptions::NOHANG);
        }
    }
    Ok(left)
}

/// Waits until there is something to read; false if there is not by then.
pub fn readable_by(handle: &impl AsFd, deadline: Instant) -> io::Result<bool> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout =
            Timespec { tv_sec: left.as_secs() as i64, tv_nsec: i64::from(left.subsec_nanos()) };
        match poll(&mut [PollFd::new(handle, PollFlags::IN)], Some(&timeout)) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// The holder processes of the cluster in `directory`, found by their command
/// lines: also those that no record names.
pub fn holders(directory: &Path) -> Vec<ProcessId> {
    matching(|arguments| {
        matches!(arguments.get(1), Some(&"node-init" | &"wire"))
            && arguments.get(2).is_some_and(|argument| Path::new(argument) == directory)
    })
}

/// The `ssh` masters whose control sockets lie in `directory`.
pub fn ssh_masters(directory: &Path) -> Vec<ProcessId> {
    matching(|arguments| {
        arguments
            .first()
            .is_some_and(|name| Path::new(name).ends_with("ssh") || name.starts_with("ssh:"))
            && arguments.iter().any(|argument| {
                argument.split_ascii_whitespace().any(|word| Path::new(word).starts_with(directory))
            })
    })
}

fn matching(wanted: impl Fn(&[&str]) -> bool) -> Vec<ProcessId> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|&pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        let arguments: Vec<&str> = line.trim_end_matches('\0').split('\0').collect();
        wanted(&arguments)
    })
    .filter_map(ProcessId::of)
    .collect()
}
