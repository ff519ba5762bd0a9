//! Freezing and limits, told by their victims from inside; and that their control groups go.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;
use tribunal_harness::cluster::cgroup::{Controller, Hierarchy, Place, Version};
use tribunal_nemesis::agent::protocol::{Harm, Reply, Request};

use crate::process::{Agent, Piped, compile, daemon, heal, is_root, wait_until};

/// A daemon of two processes that counts, and takes what it is told to.
struct Victim {
    daemon: Piped,
    counts: PathBuf,
    folder: TempDir,
}

impl Victim {
    /// Busy or resting; `None` where a control group of `controller` cannot be had.
    fn start(controller: Option<Controller>, busy: bool) -> Option<Self> {
        if !is_root() {
            return None;
        }
        if let Some(Err(why)) = controller.map(|controller| Place::find(controller, "self")) {
            crate::runner::skip(why);
            return None;
        }
        let folder = TempDir::new().unwrap();
        let program = compile("limited.c", folder.path())?;
        let counts = folder.path().join("counts");
        let mut arguments = vec![counts.to_str().unwrap()];
        arguments.extend(busy.then_some("busy"));
        let mut victim = Self { daemon: daemon(&program, &arguments), counts, folder };
        assert_eq!(victim.take("file"), "ok");
        victim.counts_on();
        Some(victim)
    }

    fn pid(&self) -> u32 {
        self.daemon.child.id()
    }

    fn agent(&self, inside: &[&str]) -> Agent {
        Agent::start(&self.state(), 100, inside)
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    /// What it says of taking something.
    fn take(&mut self, what: &str) -> String {
        self.daemon.say(what);
        self.daemon.hear().trim().to_owned()
    }

    /// How far its thread and its child have counted.
    fn counted(&self) -> [u64; 2] {
        let bytes = fs::read(&self.counts).unwrap();
        let number = |at: usize| u64::from_ne_bytes(bytes[at..at + 8].try_into().unwrap());
        [number(0), number(8)]
    }

    fn counts_on(&self) {
        let before = self.counted();
        wait_until("both count on", || {
            let now = self.counted();
            now[0] > before[0] && now[1] > before[1]
        });
    }

    /// How much both count within some time.
    fn speed(&self) -> u64 {
        let before: u64 = self.counted().iter().sum();
        std::thread::sleep(Duration::from_millis(500));
        self.counted().iter().sum::<u64>() - before
    }

    /// Its control groups, in every hierarchy.
    fn groups(&self) -> String {
        fs::read_to_string(format!("/proc/{}/cgroup", self.pid())).unwrap()
    }

    /// No control group that an agent made for it is left anywhere.
    fn assert_no_group(&self) {
        let name = format!("-of-{}", self.pid());
        for hierarchy in Hierarchy::all().unwrap() {
            let left = groups_below(&hierarchy.mount);
            let left: Vec<_> =
                left.iter().filter(|it| it.to_str().unwrap().ends_with(&name)).collect();
            assert!(left.is_empty(), "{left:?}");
        }
    }
}

fn groups_below(group: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(group).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|it| it.is_dir()));
    let below: Vec<_> = folders.map(|entry| entry.path()).collect();
    let deeper: Vec<_> = below.iter().flat_map(|group| groups_below(group)).collect();
    below.into_iter().chain(deeper).collect()
}

pub fn no_thread_goes_on_until_it_is_thawed() {
    let Some(victim) = Victim::start(Some(Controller::Freezer), false) else { return };
    freeze_and_heal(&victim, &[], Place::find(Controller::Freezer, "self").unwrap().version);
}

/// A machine with both versions freezes by the second one, unless it cannot be seen.
pub fn version_1_freezes_too() {
    let Some(victim) = Victim::start(Some(Controller::Freezer), false) else { return };
    let all = Hierarchy::all().unwrap();
    let second = all.iter().find(|it| it.version == Version::Two);
    let first = all.iter().any(|it| it.is_for(Controller::Freezer));
    let (true, Some(second)) = (first, second) else {
        crate::runner::skip("one version of control groups is all there is here");
        return;
    };
    let script = format!("umount {} && exec \"$@\"", second.mount.display());
    let inside = ["unshare", "--mount", "sh", "-c", &script, "sh"];
    freeze_and_heal(&victim, &inside, Version::One);
}

fn freeze_and_heal(victim: &Victim, inside: &[&str], version: Version) {
    let (pid, before) = (victim.pid(), victim.groups());
    let mut agent = victim.agent(inside);
    agent.inject(0, Harm::Freezer { pid });
    let counted = victim.counted();
    let (observed, evidence) = agent.observe(0);
    let text = format!("frozen (cgroup version {version}): 0 of 3 threads ran within 20 ms");
    assert_eq!((observed, evidence), (true, text));
    assert_eq!(victim.counted(), counted);
    assert_ne!(victim.groups(), before);
    let freed = format!("2 processes of the daemon (pid {pid}) are free again");
    assert_eq!(agent.heal(0), freed);
    victim.counts_on();
    assert_eq!(victim.groups(), before);
    victim.assert_no_group();
    // Once more is no error.
    assert_eq!(agent.heal(0), "");
    assert_eq!(agent.process.close(), Some(0));
}

/// Whoever is killed: the guard thaws, and where that is killed, too, `heal`.
pub fn a_killed_agents_freeze_is_undone() {
    let Some(victim) = Victim::start(Some(Controller::Freezer), false) else { return };
    let (pid, before) = (victim.pid(), victim.groups());
    let mut agent = victim.agent(&[]);
    agent.inject(0, Harm::Freezer { pid });
    drop(agent); // kill -9
    victim.counts_on();
    let journal = victim.state().join("journal.jsonl");
    wait_until("the journal is empty", || {
        fs::read_to_string(&journal).is_ok_and(|text| text.is_empty())
    });
    assert_eq!(victim.groups(), before);
    let mut agent = victim.agent(&[]);
    agent.inject(0, Harm::Freezer { pid });
    agent.kill_with_guard();
    let counted = victim.counted();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(victim.counted(), counted, "frozen still");
    let undone = format!("undone: a control group of `freezer` for the daemon (pid {pid})\n");
    assert_eq!(heal(&victim.state(), &[]), undone);
    victim.counts_on();
    assert_eq!(victim.groups(), before);
    victim.assert_no_group();
}

pub fn a_starved_daemon_runs_a_twentieth_of_the_time() {
    let Some(victim) = Victim::start(Some(Controller::Cpu), true) else { return };
    let (pid, before) = (victim.pid(), victim.groups());
    let mut agent = victim.agent(&[]);
    let fast = victim.speed();
    agent.inject(0, Harm::CpuLimit { pid, part: 1, core_ppm: Some(20_000) });
    let (observed, evidence) = agent.observe(0);
    assert!(observed && evidence.starts_with("its quota (2.00 % of a core; "), "{evidence}");
    let slow = victim.speed();
    assert!(slow * 3 < fast, "{slow} counts, and {fast} before");
    let seen = agent.heal(0);
    assert!(seen.contains("it got ") && seen.contains("2 processes"), "{seen}");
    let healed = victim.speed();
    assert!(healed > slow * 2, "{healed} counts, and {slow} before");
    assert_eq!(victim.groups(), before);
    // A part of what it uses is less than it uses.
    agent.inject(1, Harm::CpuLimit { pid, part: 8, core_ppm: None });
    let (observed, evidence) = agent.observe(1);
    assert!(observed, "{evidence}");
    agent.heal(1);
    victim.assert_no_group();
}

pub fn who_asks_for_more_memory_is_killed() {
    let Some(mut victim) = Victim::start(Some(Controller::Memory), false) else { return };
    let pid = victim.pid();
    let mut agent = victim.agent(&[]);
    // Room enough: it lives.
    agent.inject(0, Harm::MemoryLimit { pid, room: 256 << 20, limit: None });
    assert_eq!(victim.take("16"), "ok");
    let (observed, evidence) = agent.observe(0);
    assert!(!observed && evidence.starts_with("the kernel killed 0 processes"), "{evidence}");
    agent.heal(0);
    // It has 16 MiB, and may have 24 in all.
    agent.inject(1, Harm::MemoryLimit { pid, room: 0, limit: Some(24 << 20) });
    victim.daemon.say("64");
    let (observed, evidence) = agent.observe(1);
    assert!(observed && evidence.starts_with("the kernel killed "), "{evidence}");
    let status = victim.daemon.child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
    agent.heal(1);
    victim.assert_no_group();
}

pub fn a_fork_and_a_thread_fail() {
    let Some(mut victim) = Victim::start(Some(Controller::Pids), false) else { return };
    let (pid, before) = (victim.pid(), victim.groups());
    let mut agent = victim.agent(&[]);
    agent.inject(0, Harm::ProcessLimit { pid, room: 0 });
    // It has asked for nothing yet; the agent's own fork tells.
    let text = "it has 3 processes and threads of 3, and 0 forks failed; \
                a fork of the agent's in its place failed, too";
    assert_eq!(agent.observe(0), (true, text.to_owned()));
    assert_eq!(victim.take("fork"), "EAGAIN");
    assert_eq!(victim.take("thread"), "EAGAIN");
    let seen = agent.heal(0);
    assert!(seen.contains("and 2 forks failed"), "{seen}");
    assert_eq!([victim.take("fork"), victim.take("thread")], ["ok", "ok"]);
    // One more.
    agent.inject(1, Harm::ProcessLimit { pid, room: 1 });
    assert_eq!([victim.take("child"), victim.take("fork")], ["ok", "EAGAIN"]);
    agent.heal(1);
    assert_eq!(victim.groups(), before);
    victim.assert_no_group();
}

/// The limits of open files of every process of a session.
fn file_limits(leader: u32) -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let of = |pid: &str| {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let session = stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(3)?.to_owned();
        let limits = fs::read_to_string(format!("/proc/{pid}/limits")).ok()?;
        let limit = limits.lines().find(|line| line.starts_with("Max open files"))?.to_owned();
        (session == leader.to_string()).then_some(limit)
    };
    entries.filter_map(|entry| of(entry.file_name().to_str()?)).collect()
}

pub fn no_file_can_be_opened() {
    let Some(mut victim) = Victim::start(None, false) else { return };
    let (pid, before) = (victim.pid(), file_limits(victim.pid()));
    let mut agent = victim.agent(&[]);
    agent.inject(0, Harm::FileLimit { pid, room: 0 });
    let text = "2 of 2 processes are refused another file (EMFILE); limits: [3, 3]";
    assert_eq!(agent.observe(0), (true, text.to_owned()));
    assert_eq!(victim.take("file"), "EMFILE");
    // A child inherits the limit, and is let off with the others.
    assert_eq!(victim.take("child"), "ok");
    assert_eq!(file_limits(pid).iter().collect::<std::collections::BTreeSet<_>>().len(), 1);
    assert_eq!(agent.heal(0), "3 processes may open files again");
    assert_eq!(victim.take("file"), "ok");
    let all: Vec<String> = file_limits(pid);
    assert!(all.len() == 3 && all.iter().all(|limit| *limit == before[0]), "{all:?} {before:?}");
    // A successor undoes it as well.
    agent.inject(1, Harm::FileLimit { pid, room: 0 });
    agent.kill_with_guard();
    assert_eq!(victim.take("file"), "EMFILE");
    let undone = format!("undone: limits of open files for the daemon (pid {pid})\n");
    assert_eq!(heal(&victim.state(), &[]), undone);
    assert_eq!(victim.take("file"), "ok");
    assert_eq!(file_limits(pid), all);
}

/// In version 1 every controller has a hierarchy of its own; in version 2 the second is refused.
pub fn several_limits_at_once_are_healed_in_any_order_or_refused() {
    let Some(mut victim) = Victim::start(Some(Controller::Pids), false) else { return };
    let (pid, before) = (victim.pid(), victim.groups());
    let mut agent = victim.agent(&[]);
    agent.inject(0, Harm::ProcessLimit { pid, room: 0 });
    let again = agent.ask(Request::Inject { fault: 1, harm: Harm::ProcessLimit { pid, room: 0 } });
    let Reply::Failed { why } = again else { panic!("{again:?}") };
    assert!(why.contains("already, for another fault"), "{why}");
    agent.inject(2, Harm::FileLimit { pid, room: 0 });
    let version = Place::find(Controller::Cpu, "self").map(|it| it.version);
    let cpu = Harm::CpuLimit { pid, part: 1, core_ppm: Some(500_000) };
    match version {
        Ok(Version::One) => agent.inject(3, cpu),
        Ok(Version::Two) => {
            let refused = agent.ask(Request::Inject { fault: 3, harm: cpu });
            assert!(matches!(refused, Reply::Failed { .. }), "{refused:?}");
        }
        Err(_) => {}
    }
    assert_eq!([victim.take("fork"), victim.take("file")], ["EAGAIN", "EMFILE"]);
    agent.heal(0);
    assert_eq!([victim.take("fork"), victim.take("file")], ["ok", "EMFILE"]);
    assert_eq!(agent.process.close(), Some(0));
    assert_eq!(victim.take("file"), "ok");
    assert_eq!(victim.groups(), before);
    victim.assert_no_group();
}
