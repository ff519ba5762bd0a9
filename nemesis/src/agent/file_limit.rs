//! No more open files: the limit of every process of a daemon's session (RLIMIT_NOFILE) is put
//! where its descriptors end, so that whatever opens, accepts or connects gets EMFILE.
//!
//! Only the soft limit: it can be put back by anybody. What a process starts inherits it.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde::{Deserialize, Serialize};
use tribunal_history::Effect;

use super::act::Act;
use super::clock::call_in;
use super::journal::Undo;
use super::processes::{Process, Session};

/// How long a daemon that just closed a file gets to open another.
const PATIENCE: Duration = Duration::from_millis(500);

/// What the limits were: plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Files {
    /// Whose.
    pub session: Session,
    /// Of each process; a child that came later had its leader's.
    were: Vec<Was>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Was {
    pid: i32,
    started: u64,
    /// `None` for none.
    soft: Option<u64>,
}

impl Files {
    /// Puts them back where they are lower now, and confirms it.
    pub fn restore(&self) -> io::Result<String> {
        let all = self.session.processes()?;
        for process in &all {
            let Some(now) = limits(process.pid) else { continue };
            let was = self.of(process);
            if is_lower(now.current, was) {
                set(process, Rlimit { current: was, ..now })?;
            }
        }
        Ok(match all.len() {
            0 => format!("the daemon (pid {}) is gone", self.session.leader),
            all => format!("{all} processes may open files again"),
        })
    }

    fn of(&self, process: &Process) -> Option<u64> {
        let known = |was: &&Was| (was.pid, was.started) == (process.pid, process.started);
        let leader = |was: &&Was| was.pid == self.session.leader;
        let was = self.were.iter().find(known).or_else(|| self.were.iter().find(leader));
        was.and_then(|was| was.soft)
    }
}

/// A daemon that may open so many more files.
pub struct FileLimit {
    files: Files,
    room: usize,
}

impl FileLimit {
    /// The daemon `pid`.
    pub fn of(pid: u32, room: u64) -> io::Result<Self> {
        let session = Session::led_by(pid)?;
        let was = |process: &Process| {
            let (pid, started) = (process.pid, process.started);
            limits(pid).map(|it| Was { pid, started, soft: it.current })
        };
        let were = session.processes()?.iter().filter_map(was).collect();
        Ok(Self { files: Files { session, were }, room: room as usize })
    }

    /// How a process fares that opens a file now.
    fn try_in(process: &Process) -> Try {
        let used = descriptors(process.pid);
        let Some(any) = used.first() else { return Try::Gone };
        match call_in(process.pid, libc::SYS_dup, *any) {
            Ok(error) if error == -i64::from(libc::EMFILE) => Try::Refused,
            Ok(new) if new >= 0 => {
                let _ = call_in(process.pid, libc::SYS_close, new as u64);
                Try::Opened
            }
            // It cannot be asked: then its limit must tell.
            _ => match limits(process.pid).and_then(|it| it.current) {
                Some(limit) if first_free(&used, 0) >= limit => Try::Refused,
                Some(_) => Try::Opened,
                None => Try::Gone,
            },
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Try {
    Refused,
    Opened,
    Gone,
}

impl Act for FileLimit {
    fn undo(&self) -> Undo {
        Undo::Files(self.files.clone())
    }

    /// In rounds, as a process may start another meanwhile.
    fn perform(&mut self) -> io::Result<()> {
        let mut done = BTreeSet::new();
        loop {
            let all = self.files.session.processes()?;
            let fresh: Vec<_> = all.iter().filter(|it| !done.contains(&it.pid)).collect();
            if fresh.is_empty() {
                break;
            }
            for process in fresh {
                done.insert(process.pid);
                let Some(now) = limits(process.pid) else { continue };
                let least = first_free(&descriptors(process.pid), self.room);
                if is_lower(Some(least), now.current) {
                    set(process, Rlimit { current: Some(least), ..now })?;
                }
            }
        }
        match done.is_empty() {
            true => Err(io::Error::other(format!(
                "the daemon (pid {}) is gone",
                self.files.session.leader
            ))),
            false => Ok(()),
        }
    }

    /// Asked from inside: each process duplicates a descriptor.
    fn look(&mut self) -> io::Result<Effect> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let all = self.files.session.processes()?;
            let tries: Vec<_> = all.iter().map(Self::try_in).collect();
            let refused = tries.iter().filter(|it| **it == Try::Refused).count();
            let there = tries.iter().filter(|it| **it != Try::Gone).count();
            if refused > 0 || Instant::now() > deadline {
                let limits: Vec<_> = all.iter().filter_map(|it| limits(it.pid)?.current).collect();
                let text = format!(
                    "{refused} of {there} processes are refused another file (EMFILE); limits: {limits:?}"
                );
                return Ok(Effect { observed: refused > 0, evidence: vec![text] });
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// The open descriptors of a process; none when it has ended.
fn descriptors(pid: i32) -> BTreeSet<u64> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The first free descriptor after `room` others: with this limit so many more can be opened.
fn first_free(used: &BTreeSet<u64>, room: usize) -> u64 {
    let free = (0..).filter(|number| !used.contains(number)).nth(room);
    free.expect("numbers do not end")
}

/// No limit is above every limit.
fn is_lower(one: Option<u64>, other: Option<u64>) -> bool {
    one.unwrap_or(u64::MAX) < other.unwrap_or(u64::MAX)
}

/// What `/proc` says of a process' limit; `None` when it has ended.
fn limits(pid: i32) -> Option<Rlimit> {
    parse(&fs::read_to_string(format!("/proc/{pid}/limits")).ok()?)
}

fn parse(text: &str) -> Option<Rlimit> {
    let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    let mut limits = line.split_ascii_whitespace().map(|limit| match limit {
        "unlimited" => Some(None),
        number => number.parse().ok().map(Some),
    });
    Some(Rlimit { current: limits.next()??, maximum: limits.next()?? })
}

fn set(process: &Process, limits: Rlimit) -> io::Result<()> {
    match prlimit(Pid::from_raw(process.pid), Resource::Nofile, limits) {
        // It has ended.
        Err(rustix::io::Errno::SRCH) => Ok(()),
        done => done.map(drop).map_err(|error| {
            let text = format!("the limit of {} (pid {}): {error}", process.name, process.pid);
            io::Error::new(io::Error::from(error).kind(), text)
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_where_no_descriptor_is_free() {
        let used = BTreeSet::from([0, 1, 2, 4, 7]);
        assert_eq!([0, 1, 2, 3].map(|room| first_free(&used, room)), [3, 5, 6, 8]);
    }

    #[test]
    fn a_limit_may_be_none() {
        let text = "Limit   Soft Limit Hard Limit Units\nMax open files  1024  unlimited  files\n";
        assert_eq!(parse(text), Some(Rlimit { current: Some(1024), maximum: None }));
        assert!(is_lower(Some(3), None) && !is_lower(None, Some(3)) && !is_lower(Some(3), Some(3)));
    }
}
