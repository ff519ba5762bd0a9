//! No more processes or threads: a limit of the control group at what a daemon's session has.
//! Whatever forks or starts a thread gets EAGAIN.

use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use tribunal_harness::cluster::cgroup::Controller;
use tribunal_history::Effect;

use super::act::Act;
use super::group::Group;
use super::journal::Undo;

/// A daemon that may start so many more.
pub struct ProcessLimit {
    group: Group,
    room: u64,
    /// Forks of the agent's own that failed in there.
    tried: u64,
}

impl ProcessLimit {
    /// The daemon `pid`.
    pub fn of(fault: u64, pid: u32, room: u64) -> io::Result<Self> {
        Ok(Self { group: Group::of(fault, pid, Controller::Pids)?, room, tried: 0 })
    }

    fn number(&self, file: &str) -> io::Result<u64> {
        let text = self.group.get(file)?;
        text.trim().parse().map_err(|_| io::Error::other(format!("{file} is {}", text.trim())))
    }

    fn effect(&self) -> io::Result<Effect> {
        let failed = self.group.count("pids.events", "max")?;
        let (has, limit) = (self.number("pids.current")?, self.number("pids.max")?);
        let of_its_own = failed.saturating_sub(self.tried);
        let mut evidence =
            format!("it has {has} processes and threads of {limit}, and {of_its_own} forks failed");
        if self.tried > 0 {
            evidence += "; a fork of the agent's in its place failed, too";
        }
        Ok(Effect { observed: failed > 0, evidence: vec![evidence] })
    }
}

impl Act for ProcessLimit {
    fn undo(&self) -> Undo {
        Undo::Disband(self.group.clone())
    }

    fn perform(&mut self) -> io::Result<()> {
        self.group.make()?;
        self.group.take_in()?;
        let limit = self.number("pids.current")? + self.room;
        self.group.set("pids.max", &limit.to_string())
    }

    /// A quiet daemon starts nothing that could fail, so the agent tries in its place.
    fn look(&mut self) -> io::Result<Effect> {
        let failed = || self.group.count("pids.events", "max");
        let full = self.number("pids.current")? >= self.number("pids.max")?;
        // The group counts it among the daemon's; the agent tells them apart.
        if full && failed()? == 0 && fork_fails_in(&self.group)? && failed()? > 0 {
            self.tried += 1;
        }
        self.effect()
    }

    fn last_look(&mut self) -> Effect {
        self.effect().unwrap_or_default()
    }
}

/// Lets a child of this process join the group and fork there: whether that fails. The child is
/// never more than a fork; it ends before it would begin its program.
fn fork_fails_in(group: &Group) -> io::Result<bool> {
    let door = CString::new(group.door().as_os_str().as_bytes())?;
    let mut command = Command::new("/proc/self/exe");
    // SAFETY: only system calls that may follow a fork are made, and the path outlives it.
    unsafe {
        command.pre_exec(move || {
            let file = libc::open(door.as_ptr(), libc::O_WRONLY);
            if file < 0 || libc::write(file, c"0".as_ptr().cast(), 1) != 1 {
                return Err(io::Error::last_os_error());
            }
            match libc::fork() {
                -1 => Err(io::Error::last_os_error()),
                0 => libc::_exit(0),
                // Nobody else will wait for it.
                child => {
                    libc::waitpid(child, std::ptr::null_mut(), 0);
                    Err(io::Error::from_raw_os_error(libc::ECANCELED))
                }
            }
        });
    }
    match command.spawn() {
        Err(error) if error.raw_os_error() == Some(libc::EAGAIN) => Ok(true),
        Err(error) if error.raw_os_error() == Some(libc::ECANCELED) => Ok(false),
        Err(error) => Err(error),
        Ok(_) => unreachable!("the child never begins its program"),
    }
}
