//! Hosts that are there already, reached with a key and by their addresses: they
//! are harmed, healed, and left as they were found.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use crate::interrupts::Underway;
use crate::scene::{Scene, text};
use crate::test_file::{TestFile, demand_databases};
use crate::traces::pids;
use crate::trial::{self, Seat, Trial, eventually};

/// Three nodes of which the command is only told how to reach them.
struct Strangers {
    scene: Scene,
    addresses: Vec<String>,
}

impl Strangers {
    fn set() -> Option<Self> {
        let scene = Scene::set()?;
        scene.ok(&["cluster", "up", "--nodes", "3"]);
        let addresses = scene.record("c1").nodes.iter().map(|node| node.ip.to_string()).collect();
        Some(Self { scene, addresses })
    }

    /// The store, whose own command to stop it fails, as one for a server that has died does.
    fn test(&self, name: &str, duration: &str) -> PathBuf {
        let file = TestFile::example("lww-store/lww.toml").faults("500ms", duration);
        file.set("db.stop", "echo no server there >&2; exit 3").write(&self.scene, name)
    }

    fn command(&self, test: &Path, arguments: &[&str]) -> Command {
        let hosts = (1..).zip(&self.addresses).map(|(at, ip)| format!("db{at}=root@{ip}"));
        let hosts = hosts.collect::<Vec<_>>().join(",");
        let directory = self.scene.directory("c1");
        let mut command = trial::command(&self.scene, test, &["--nodes", &hosts]);
        command.arg("--identity").arg(directory.join("key"));
        command.arg("--known-hosts").arg(directory.join("known_hosts"));
        command.args(["-s", "bug=none"]).args(arguments);
        command
    }

    /// What a script prints, on each of them.
    fn each(&self, script: &str) -> [String; 3] {
        ["n1", "n2", "n3"].map(|node| self.scene.on(node, script))
    }

    /// The processes that hold sessions to them open.
    fn masters(&self) -> BTreeSet<u32> {
        let holds = |pid: &u32| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let line = text(&line);
            line.starts_with("ssh") && self.addresses.iter().any(|ip| line.contains(ip))
        };
        pids().filter(holds).collect()
    }
}

/// Processes of the database or of ours; in brackets, lest it finds itself.
const PROCESSES: &str = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | \
                         grep -oE '[l]ww-store serve|[t]ribunal-[0-9a-f]+ agent' || echo none";

/// The first controller is killed in the middle of a fault; nothing of what it
/// left stands in the way of the second.
pub fn hosts_are_left_as_they_were_found() {
    let Some(strangers) = Strangers::set() else { return };
    demand_databases();
    let _seat = Seat::take();
    let test = strangers.test("killed", "100s");
    let killed = strangers.command(&test, &["--time", "300s", "-f", "partition-halves"]);
    let mut run = Underway::with(killed, test);
    run.child.kill().unwrap();
    run.child.wait().unwrap();
    eventually("the rules are undone", || strangers.each("nft list ruleset").concat().is_empty());
    eventually("the agents are gone, and the database is left to its hosts", || {
        strangers.each(PROCESSES) == ["lww-store serve"; 3]
    });

    // Nobody told its sessions to end. Those of the second run do.
    let masters = strangers.masters();
    let test = strangers.test("whole", "1s");
    let faults = ["--time", "8s", "-f", "clock-jump,partition,pause"];
    let output = strangers.command(&test, &faults).output().unwrap();
    let trial = Trial::of(&test, output);
    trial.assert_acquitted();
    assert_eq!(trial.record().nodes, ["db1", "db2", "db3"]);
    assert_eq!(strangers.each(PROCESSES), ["none"; 3]);
    let failed = "exited with code 3: no server there";
    assert_eq!(trial.told.matches(failed).count(), 3, "{}", trial.told);
    assert_eq!(strangers.each("nft list ruleset"), [""; 3]);
    assert_eq!(strangers.each("cat /var/lib/tribunal-agent/journal.jsonl"), [""; 3]);
    let masters_after = strangers.masters();
    assert!(masters_after.is_subset(&masters), "a session is left open: {masters_after:?}");
    assert!(strangers.scene.ok(&["cluster", "ps"]).contains("3/3"), "the hosts are gone");
}

/// Nobody takes hosts down, and the database must not go on there for that.
pub fn a_run_that_is_broken_off_ends_its_database_on_hosts() {
    let Some(strangers) = Strangers::set() else { return };
    demand_databases();
    let _seat = Seat::take();
    let test = strangers.test("broken-off", "100s");
    let command = strangers.command(&test, &["--time", "300s", "-f", "partition-halves"]);
    let mut run = Underway::with(command, test);
    assert!(strangers.each(PROCESSES).iter().all(|there| there.contains("lww-store serve")));
    run.signal(Signal::INT);
    run.await_line("stopping the load");
    run.signal(Signal::INT);
    run.await_line("ending at once");
    assert_eq!(run.child.wait().unwrap().code(), Some(130));
    let left = strangers.each(PROCESSES).concat();
    assert!(!left.contains("lww-store"), "the database goes on: {left}");
    eventually("the agents are gone", || strangers.each(PROCESSES) == ["none"; 3]);
    assert_eq!(strangers.each("nft list ruleset"), [""; 3]);
}
