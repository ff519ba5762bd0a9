//! The processes of a node, as `/proc` shows them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tribunal_harness::database::MARK;

/// One process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: i32,
    /// Its program's short name.
    pub name: String,
    parent: i32,
    session: i32,
    /// When it started, in clock ticks since boot.
    pub started: u64,
}

/// A session (setsid) that a daemon leads, and whoever has left it for one of his own. Process ids come
/// round again, so it is known by when its leader started, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The leader's process id, which is the session's.
    pub leader: i32,
    /// When the leader started, in clock ticks since boot.
    pub started: u64,
}

impl Session {
    /// The session led by `pid`, which must be alive.
    pub fn led_by(pid: u32) -> io::Result<Self> {
        let gone =
            || io::Error::new(io::ErrorKind::NotFound, format!("the daemon (pid {pid}) is gone"));
        let leader = process(pid as i32).ok_or_else(gone)?;
        if leader.session != leader.pid {
            let text = format!(
                "process {pid} ({}) leads no session; a daemon must be started with setsid",
                leader.name
            );
            return Err(io::Error::other(text));
        }
        Ok(Self { leader: leader.pid, started: leader.started })
    }

    /// Its living processes. Empty once all have ended, or when another session
    /// has the number now.
    ///
    /// A process belongs to it that is in the session, that carries the daemon's [`MARK`], or that was
    /// started by one that does. The session alone is not enough: PostgreSQL's backends are sessions of their
    /// own, and under Patroni so is PostgreSQL, whose parent has ended.
    pub fn processes(&self) -> io::Result<Vec<Process>> {
        let all = all()?;
        let taken = all.iter().any(|p| p.pid == self.leader && p.started != self.started);
        if taken {
            return Ok(Vec::new());
        }
        let mark = format!("{MARK}={}", self.leader);
        let belongs = |it: &Process| it.session == self.leader || is_marked(it.pid, &mark);
        let (mut own, mut others): (Vec<_>, Vec<_>) = all.into_iter().partition(belongs);
        loop {
            let started = |it: &Process| own.iter().any(|parent| parent.pid == it.parent);
            let (more, rest): (Vec<_>, Vec<_>) = others.into_iter().partition(started);
            if more.is_empty() {
                return Ok(own);
            }
            own.extend(more);
            others = rest;
        }
    }
}

/// The short names of all living processes.
pub fn names() -> io::Result<Vec<String>> {
    Ok(all()?.into_iter().map(|process| process.name).collect())
}

/// How long each thread of a session has run, by its id, in nanoseconds.
pub struct Runtime(BTreeMap<i32, u64>);

impl Runtime {
    /// As the scheduler counts it (`/proc/TID/schedstat`).
    pub fn of(session: &Session) -> io::Result<Self> {
        let mut ran = BTreeMap::new();
        for process in session.processes()? {
            for thread in threads(process.pid).unwrap_or_default() {
                let text = fs::read_to_string(format!("/proc/{thread}/schedstat"));
                let text = text.unwrap_or_default();
                let nanoseconds = text.split(' ').next().and_then(|ran| ran.parse().ok());
                // One that has just ended has none.
                ran.extend(nanoseconds.map(|nanoseconds: u64| (thread, nanoseconds)));
            }
        }
        Ok(Self(ran))
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.0.len()
    }

    /// How long they all ran since then.
    pub fn since(&self, before: &Self) -> Duration {
        Duration::from_nanos(self.each_since(before).sum())
    }

    /// How many of them did.
    pub fn that_ran_since(&self, before: &Self) -> usize {
        self.each_since(before).filter(|&ran| ran > 0).count()
    }

    fn each_since(&self, before: &Self) -> impl Iterator<Item = u64> {
        self.0
            .iter()
            .map(|(thread, ran)| ran.saturating_sub(before.0.get(thread).copied().unwrap_or(0)))
    }
}

/// Whether a process was started with `mark` in its environment. Not, where nobody may look.
fn is_marked(pid: i32, mark: &str) -> bool {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
    environment.split(|&byte| byte == 0).any(|variable| variable == mark.as_bytes())
}

/// Every living process; zombies do not count.
fn all() -> io::Result<Vec<Process>> {
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let name = entry?.file_name();
        let pid = name.to_str().and_then(|name| name.parse().ok());
        found.extend(pid.and_then(process));
    }
    Ok(found)
}

/// One living process.
pub fn process(pid: i32) -> Option<Process> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let stat = Stat::parse(&text)?;
    // A leader that ended while its other threads go on shows as a zombie.
    let dead = matches!(stat.state, 'Z' | 'X') && threads(pid).ok()?.len() <= 1;
    (!dead).then(|| Process {
        pid,
        name: stat.name.to_owned(),
        parent: stat.parent,
        session: stat.session,
        started: stat.started,
    })
}

/// The threads of a process.
pub fn threads(pid: i32) -> io::Result<Vec<i32>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(format!("/proc/{pid}/task"))? {
        found.extend(entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()));
    }
    Ok(found)
}

/// A thread's state letter: R, S, D, T, t, Z, …; `None` when there is no such thread.
pub fn thread_state(thread: i32) -> Option<char> {
    // Every thread has a folder in /proc, though only the leaders are listed.
    let text = fs::read_to_string(format!("/proc/{thread}/stat")).ok()?;
    Stat::parse(&text).map(|stat| stat.state)
}

/// The fields of `/proc/PID/stat` that matter here (proc_pid_stat(5)).
#[derive(Debug, PartialEq, Eq)]
struct Stat<'a> {
    name: &'a str,
    state: char,
    parent: i32,
    session: i32,
    started: u64,
}

impl<'a> Stat<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        // The name may hold blanks and parentheses: it ends at the last one.
        let (head, tail) = text.rsplit_once(')')?;
        let (_, name) = head.split_once('(')?;
        let mut fields = tail.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        let parent = fields.next()?.parse().ok()?;
        let session = fields.nth(1)?.parse().ok()?;
        let started = fields.nth(15)?.parse().ok()?;
        Some(Self { name, state, parent, session, started })
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::process::{Child, Command, Stdio};

    use super::*;

    #[test]
    fn a_name_may_hold_parentheses() {
        let text = "7 (a) b (c) S 1 7 9 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4242 0 0";
        let stat = Stat::parse(text);
        let expected = Stat { name: "a) b (c", state: 'S', parent: 1, session: 9, started: 4242 };
        assert_eq!(stat, Some(expected));
        assert_eq!(Stat::parse("7 (cut"), None);
    }

    /// A process that leads a session of its own, once it does.
    fn led(script: &str) -> Child {
        let script = format!("echo begun; {script}");
        let mut command = Command::new("setsid");
        let mut leader =
            command.args(["sh", "-c", &script]).stdout(Stdio::piped()).spawn().unwrap();
        let said = BufReader::new(leader.stdout.take().unwrap()).lines().next();
        assert_eq!(said.unwrap().unwrap(), "begun");
        leader
    }

    #[test]
    fn a_session_number_that_came_round_again_is_another_session() {
        let mut leader = led("exec sleep 60");
        let session = Session::led_by(leader.id()).unwrap();
        let found = session.processes().unwrap();
        let other = Session { started: session.started - 1, ..session };
        let of_other = other.processes().unwrap();
        leader.kill().unwrap();
        leader.wait().unwrap();
        assert_eq!(found.iter().map(|it| it.pid).collect::<Vec<_>>(), [session.leader]);
        assert_eq!(of_other, []);
    }
}
