//! Ctrl-C: once, the load ends and what there is is judged; twice, all ends at
//! once. Either way nothing is left.

use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStderr, Command};

use rustix::process::{Pid, Signal, kill_process_group};
use tribunal_harness::cluster::local::{ProcessId, Record};
use tribunal_harness::store::Store;
use tribunal_history::History;

use crate::scene::{Scene, text};
use crate::test_file::{TestFile, demand_databases};
use crate::traces::{Traces, pids};
use crate::trial::{self, Seat, eventually};

/// A run in the middle of its load and of a fault.
pub struct Underway {
    pub child: Child,
    pub told: BufReader<ChildStderr>,
    pub test: PathBuf,
}

impl Underway {
    /// Starts one that would take minutes, and waits until a fault is injected.
    pub fn of(scene: &Scene, faults: &str) -> Self {
        demand_databases();
        let file = TestFile::example("lww-store/lww.toml").faults("200ms", "100s");
        let test = file.write(scene, "lww");
        let settings = ["--local", "3", "--time", "300s", "-s", "bug=none", "-f", faults];
        Self::with(trial::command(scene, &test, &settings), test)
    }

    /// The same with another command line, and the test file in it.
    pub fn with(command: Command, test: PathBuf) -> Self {
        let mut child = trial::start(command);
        let told = BufReader::new(child.stderr.take().unwrap());
        let mut run = Self { child, told, test };
        run.await_line("  run");
        run.await_fault();
        run
    }

    /// Reads what it tells until it tells this.
    pub fn await_line(&mut self, wanted: &str) {
        let mut all = String::new();
        loop {
            let from = all.len();
            let read = self.told.read_line(&mut all).unwrap();
            assert!(read > 0, "it ended, and told:\n{all}");
            if all[from..].trim_end().contains(wanted) {
                return;
            }
        }
    }

    fn await_fault(&self) {
        eventually("a fault is injected", || {
            let faults = self.history().map(|history| history.faults()).unwrap_or_default();
            faults.iter().any(|fault| fault.injected.is_some())
        });
    }

    /// As far as it is on disk.
    pub fn history(&self) -> Option<History> {
        Store::new(trial::store(&self.test)).find("latest").ok()?.history().ok()
    }

    /// As a terminal does it: to all processes of the group.
    pub fn signal(&self, signal: Signal) {
        let group = Pid::from_raw(self.child.id() as i32).unwrap();
        kill_process_group(group, signal).unwrap();
    }
}

/// A test that fails leaves no run behind.
impl Drop for Underway {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The living processes of a program that a process has started.
pub fn children(of: u32, program: &str) -> Vec<ProcessId> {
    let runs = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        text(&line).split('\0').next().is_some_and(|path| Path::new(path).ends_with(program))
    };
    let parent = |pid: &u32| {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.rsplit(')').next()?.split_ascii_whitespace().nth(1)?.parse().ok()
    };
    pids().filter(|pid| parent(pid) == Some(of) && runs(pid)).filter_map(ProcessId::of).collect()
}

fn is_judged_after(signal: Signal) {
    let Some(scene) = Scene::set() else { return };
    let _seat = Seat::take();
    let mut run = Underway::of(&scene, "partition-halves");
    let traces = Traces::of(&scene, "c1");
    run.signal(signal);
    run.await_line("stopping the load");
    assert_eq!(run.child.wait().unwrap().code(), Some(130));
    traces.assert_gone();

    let folder = trial::latest(&run.test);
    assert_eq!(folder.record().unwrap().ended.as_deref(), Some("interrupted"));
    let verdict = folder.verdict().unwrap().expect("what there was is judged");
    assert!(verdict.anomalies.is_empty(), "{:?}", verdict.anomalies);
    assert!(folder.report_path().is_file());
    let history = folder.history().unwrap();
    for fault in history.faults() {
        assert!(fault.until.is_some() && fault.error.is_none(), "{fault:?}");
    }
    let last_reads = history.operations().filter(|op| op.invocation().exts().next().is_some());
    assert!(last_reads.filter(|op| op.is_ok()).count() > 0, "no last read is there to judge by");
}

pub fn one_ctrl_c_ends_the_load_and_what_there_is_is_judged() {
    is_judged_after(Signal::INT);
}

pub fn so_does_sigterm() {
    is_judged_after(Signal::TERM);
}

/// One of two nodes does not come up, and does not fail either.
pub fn a_node_that_hangs_while_it_is_made_is_not_waited_for() {
    let Some(scene) = Scene::set() else { return };
    let executable = scene.state.path().join("hangs");
    let script = format!(
        "#!/bin/sh\ncase $1$3 in node-initn2) exec setsid sleep 1000; esac\nexec {} \"$@\"\n",
        env!("CARGO_BIN_EXE_tribunal")
    );
    std::fs::write(&executable, script).unwrap();
    std::fs::set_permissions(&executable, Permissions::from_mode(0o755)).unwrap();
    let test = TestFile::idle(&["true"]).write(&scene, "test");
    let mut command = trial::command(&scene, &test, &["--local", "2"]);
    command.env("TRIBUNAL_EXECUTABLE", executable);
    let mut run = trial::start(command);
    let directory = scene.directory("c1");
    eventually("the nodes are started", || {
        let started = |record: Record| record.nodes.iter().all(|node| node.init.is_some());
        Record::read(&directory).is_ok_and(started)
    });
    let traces = Traces::of(&scene, "c1");
    kill_process_group(Pid::from_child(&run), Signal::INT).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130));
    traces.assert_gone();
    assert!(!trial::store(&test).exists(), "there is a run without nodes");
}

pub fn two_end_everything_at_once() {
    let Some(scene) = Scene::set() else { return };
    let _seat = Seat::take();
    let mut run = Underway::of(&scene, "pause,clock-jump");
    let (traces, clients) = (Traces::of(&scene, "c1"), children(run.child.id(), "lww-store"));
    assert!(!clients.is_empty(), "no client program is seen");
    // Both at once: the second is not to find the work of the first done.
    run.signal(Signal::INT);
    run.await_line("stopping the load");
    run.signal(Signal::INT);
    run.await_line("ending at once");
    assert_eq!(run.child.wait().unwrap().code(), Some(130));
    traces.assert_gone();
    for client in clients {
        assert!(!client.alive(), "a client program outlives its run: {client:?}");
    }
    let folder = trial::latest(&run.test);
    assert_eq!(folder.verdict().unwrap(), None, "nothing was to be judged");
}
