//! A control group of the agent's own for the processes of one fault: made below the group that
//! they are in, joined by the daemon's whole session, and given up again at the undoing.
//!
//! Whatever the processes start from then on is born into it. Which hierarchy and which version
//! it is, the node decides ([`Place`]).

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{Access, access};
use serde::{Deserialize, Serialize};
use tribunal_harness::cluster::cgroup::{Controller, Place, Version};

use super::processes::Session;

/// What the names of all such groups begin with.
const PREFIX: &str = "tribunal-fault-";
/// How long processes get to move, to freeze, and to leave.
const PATIENCE: Duration = Duration::from_secs(3);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(1);

/// The group: plain data, with which anybody can give it up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Whose.
    pub session: Session,
    /// What for.
    pub controller: Controller,
    /// Whose files it has.
    pub version: Version,
    /// Where its processes were before, and will be again.
    origin: PathBuf,
    /// Where it is.
    path: PathBuf,
}

impl Group {
    /// The group of a fault for the daemon `pid`, not made yet.
    pub fn of(fault: u64, pid: u32, controller: Controller) -> io::Result<Self> {
        let session = Session::led_by(pid)?;
        let Place { version, origin, parent } =
            Place::find(controller, &pid.to_string()).map_err(io::Error::other)?;
        if is_ours(&origin) {
            let (origin, name) = (origin.display(), controller.name());
            let text = format!(
                "the daemon (pid {pid}) is in {origin} already, for another fault; \
                 a process is in one group of `{name}` at a time"
            );
            return Err(io::Error::other(text));
        }
        let path = parent.join(format!("{PREFIX}{fault}-of-{pid}"));
        Ok(Self { session, controller, version, origin, path })
    }

    /// Makes it, empty.
    pub fn make(&self) -> io::Result<()> {
        match fs::create_dir(&self.path) {
            // Of an agent that was killed right after.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            made => made.map_err(|error| at(&self.path, &error)),
        }
    }

    /// Moves every process of the session into it: again and again, as one that is just being
    /// forked is still where its parent was.
    pub fn take_in(&self) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let inside = members(&self.path)?;
            let all = self.session.processes()?;
            if all.is_empty() {
                let text = format!("the daemon (pid {}) is gone", self.session.leader);
                return Err(io::Error::new(io::ErrorKind::NotFound, text));
            }
            let outside: Vec<_> = all.iter().filter(|it| !inside.contains(&it.pid)).collect();
            if outside.is_empty() {
                return Ok(());
            }
            if Instant::now() > deadline {
                let text =
                    format!("{} processes do not move to {}", outside.len(), self.path.display());
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            for process in outside {
                move_to(&self.path, process.pid)?;
            }
        }
    }

    /// Writes one of its files.
    pub fn set(&self, file: &str, value: &str) -> io::Result<()> {
        let path = self.path.join(file);
        fs::write(&path, value).map_err(|error| {
            io::Error::new(error.kind(), format!("{value} to {}: {error}", path.display()))
        })
    }

    /// The same where the node has such a file.
    pub fn set_if_there(&self, file: &str, value: &str) -> io::Result<()> {
        if self.path.join(file).exists() { self.set(file, value) } else { Ok(()) }
    }

    /// Reads one.
    pub fn get(&self, file: &str) -> io::Result<String> {
        let path = self.path.join(file);
        fs::read_to_string(&path).map_err(|error| at(&path, &error))
    }

    /// A number of a file of names and numbers; 0 where it has no such name.
    pub fn count(&self, file: &str, name: &str) -> io::Result<u64> {
        let text = self.get(file)?;
        let mut lines = text.lines().filter_map(|line| line.split_once(' '));
        Ok(lines.find(|it| it.0 == name).and_then(|it| it.1.trim().parse().ok()).unwrap_or(0))
    }

    /// The file that lists its processes, and takes new ones in.
    pub fn door(&self) -> PathBuf {
        self.path.join("cgroup.procs")
    }

    /// Waits for something of it; an error after a while.
    pub fn wait_for(&self, what: &str, so: impl Fn(&Self) -> io::Result<bool>) -> io::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !so(self)? {
            if Instant::now() > deadline {
                let text = format!(
                    "{} is not {what} within {} s",
                    self.path.display(),
                    PATIENCE.as_secs()
                );
                return Err(io::Error::new(io::ErrorKind::TimedOut, text));
            }
            thread::sleep(LOOK);
        }
        Ok(())
    }

    /// Gives it up: lets its processes go on, back to where they were, and removes it. That it
    /// was never made, or is gone already, is no error.
    pub fn disband(&self) -> io::Result<String> {
        if !self.path.exists() {
            return Ok(String::new());
        }
        if self.controller == Controller::Freezer {
            self.thaw()?;
        }
        let deadline = Instant::now() + PATIENCE;
        let mut moved = 0;
        loop {
            for pid in members(&self.path)? {
                move_to(&self.home(), pid)?;
                moved += 1;
            }
            match fs::remove_dir(&self.path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                // A process that has just ended holds its group a moment longer.
                Err(error) if Instant::now() > deadline => return Err(at(&self.path, &error)),
                Err(_) => thread::sleep(LOOK),
                Ok(()) => break,
            }
        }
        Ok(format!("{moved} processes of the daemon (pid {}) are free again", self.session.leader))
    }

    /// Where its processes go: where they were, or, if that is no more, to the agent.
    fn home(&self) -> PathBuf {
        if self.origin.exists() {
            return self.origin.clone();
        }
        Place::find(self.controller, "self").map_or_else(|_| self.origin.clone(), |it| it.origin)
    }

    /// Stops every thread in it, and confirms it.
    pub fn freeze(&self) -> io::Result<()> {
        match self.version {
            Version::One => self.set("freezer.state", "FROZEN")?,
            Version::Two => self.set("cgroup.freeze", "1")?,
        }
        self.wait_for("frozen", Self::is_frozen)
    }

    fn thaw(&self) -> io::Result<()> {
        match self.version {
            Version::One => self.set("freezer.state", "THAWED")?,
            Version::Two => self.set("cgroup.freeze", "0")?,
        }
        self.wait_for("thawed", |group| group.is_frozen().map(|frozen| !frozen))
    }

    /// What the freezer says.
    pub fn is_frozen(&self) -> io::Result<bool> {
        Ok(match self.version {
            Version::One => self.get("freezer.state")?.trim() == "FROZEN",
            Version::Two => self.count("cgroup.events", "frozen")? == 1,
        })
    }
}

/// The controllers that are not to be had on this node, each with a sentence.
pub fn lacking() -> BTreeMap<String, String> {
    let why = |controller: Controller| {
        let found = Place::find(controller, "self").and_then(|it| may_write(&it.parent));
        Some((controller.name().to_owned(), found.err()?))
    };
    Controller::ALL.into_iter().filter_map(why).collect()
}

fn may_write(group: &Path) -> Result<(), String> {
    let allowed = access(group, Access::WRITE_OK);
    allowed.map_err(|error| format!("no group can be made in {}: {error}", group.display()))
}

/// Whether a group is one that an agent made.
fn is_ours(group: &Path) -> bool {
    group.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX))
}

/// The processes in a group; of other PID namespaces' ones, which show as 0, nobody knows.
fn members(group: &Path) -> io::Result<Vec<i32>> {
    let path = group.join("cgroup.procs");
    let text = fs::read_to_string(&path).map_err(|error| at(&path, &error))?;
    Ok(text.lines().filter_map(|line| line.parse().ok()).filter(|&pid| pid > 0).collect())
}

/// One that has ended meanwhile need not move.
fn move_to(group: &Path, pid: i32) -> io::Result<()> {
    match fs::write(group.join("cgroup.procs"), pid.to_string()) {
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        moved => moved.map_err(|error| {
            let text = format!("process {pid} does not move to {}: {error}", group.display());
            io::Error::new(error.kind(), text)
        }),
    }
}

fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
