//! Too little memory: a limit for a daemon's session, and the kernel kills who asks for more.
//!
//! What a process has already stays charged to the group that it was in when it took it: only
//! what it takes from now on counts. So the limit of the new group is what is still to be had.
//! Nothing is left to swap to.

use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use tribunal_harness::cluster::cgroup::{Controller, Version};
use tribunal_history::Effect;

use super::act::Act;
use super::group::Group;
use super::journal::Undo;
use super::processes::Session;

/// How long a daemon gets to ask for more.
const PATIENCE: Duration = Duration::from_secs(3);
const MIB: f64 = 1024.0 * 1024.0;

/// A daemon that may take so much more memory.
pub struct MemoryLimit {
    group: Group,
    room: u64,
    /// In all: what it has counts, too.
    limit: Option<u64>,
    told: String,
}

impl MemoryLimit {
    /// The daemon `pid`; in bytes.
    pub fn of(fault: u64, pid: u32, room: u64, limit: Option<u64>) -> io::Result<Self> {
        let group = Group::of(fault, pid, Controller::Memory)?;
        Ok(Self { group, room, limit, told: String::new() })
    }

    fn kills(&self) -> io::Result<u64> {
        self.group.count(
            match self.group.version {
                Version::One => "memory.oom_control",
                Version::Two => "memory.events",
            },
            "oom_kill",
        )
    }

    fn effect(&self) -> io::Result<Effect> {
        let (kills, left) = (self.kills()?, self.group.session.processes()?.len());
        let evidence = format!(
            "the kernel killed {kills} processes of the daemon (pid {}) for want of memory, {left} live; {}",
            self.group.session.leader, self.told
        );
        Ok(Effect { observed: kills > 0, evidence: vec![evidence] })
    }
}

impl Act for MemoryLimit {
    fn undo(&self) -> Undo {
        Undo::Disband(self.group.clone())
    }

    fn perform(&mut self) -> io::Result<()> {
        let has = used(&self.group.session)?;
        let room = self.limit.map_or(self.room, |limit| limit.saturating_sub(has));
        self.told = format!(
            "it had {:.1} MiB and might take {:.1} more",
            has as f64 / MIB,
            room as f64 / MIB
        );
        self.group.make()?;
        // Before anybody is in there: a limit below what is used may be refused.
        let room = room.to_string();
        match self.group.version {
            Version::One => {
                self.group.set("memory.limit_in_bytes", &room)?;
                self.group.set_if_there("memory.memsw.limit_in_bytes", &room)?;
            }
            Version::Two => {
                self.group.set("memory.max", &room)?;
                self.group.set_if_there("memory.swap.max", "0")?;
            }
        }
        match self.group.take_in() {
            // Killed while it moved in.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.kills()? > 0 => Ok(()),
            taken => taken,
        }
    }

    fn look(&mut self) -> io::Result<Effect> {
        let deadline = Instant::now() + PATIENCE;
        while self.kills()? == 0 && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(10));
        }
        self.effect()
    }

    fn last_look(&mut self) -> Effect {
        self.effect().unwrap_or_default()
    }
}

/// What a session's processes have in memory that is no file's, in bytes.
fn used(session: &Session) -> io::Result<u64> {
    let of = |pid: i32| {
        let text = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let field = |name: &str| {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.split_ascii_whitespace().next()?.parse::<u64>().ok()
        };
        (field("RssAnon:").unwrap_or(0) + field("RssShmem:").unwrap_or(0)) * 1024
    };
    Ok(session.processes()?.iter().map(|process| of(process.pid)).sum())
}
