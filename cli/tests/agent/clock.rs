//! Clocks, as the victims themselves print them: C, Rust, Java and Go.

use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use tempfile::TempDir;
use tribunal_nemesis::agent::protocol::Harm;

use crate::process::{Agent, Piped, compile, daemon, heal, is_root, java, states};

const HOUR_S: i64 = 3600;

fn shift(pid: u32, seconds: i64) -> Harm {
    Harm::Clock { pid, offset_ns: seconds * 1_000_000_000, ppm: 0, strobe_ms: 0 }
}

fn machine_clock() -> f64 {
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs_f64()
}

/// Asks a victim for its clocks; each wall clock must be `ahead` seconds ahead of
/// the machine's, within what the asking takes and what a coarse clock lags.
fn assert_ahead(victim: &mut Piped, wall_clocks: usize, ahead: i64) -> Vec<f64> {
    let before = machine_clock();
    victim.say("now");
    let line = victim.hear();
    let after = machine_clock();
    let clocks: Vec<f64> = line.split(' ').map(|text| text.trim().parse().unwrap()).collect();
    for clock in &clocks[..wall_clocks] {
        let shown = clock - ahead as f64;
        assert!((before - 1.1..=after + 0.001).contains(&shown), "{ahead} s ahead? {line}");
    }
    clocks
}

pub fn a_c_program_with_spinning_threads() {
    let folder = TempDir::new().unwrap();
    let Some(program) = compile("clocks.c", folder.path()).filter(|_| is_root()) else { return };
    let mut victim = daemon(&program, &[]);
    let pid = victim.child.id();
    let monotonic = assert_ahead(&mut victim, 4, 0)[4];
    let mut agent = Agent::start(&folder.path().join("state"), 10, &[]);
    for (fault, seconds) in [HOUR_S, -HOUR_S, 50 * 365 * 24 * HOUR_S].into_iter().enumerate() {
        agent.inject(fault as u64, shift(pid, seconds));
        let clocks = assert_ahead(&mut victim, 4, seconds);
        assert!((monotonic..monotonic + 1000.0).contains(&clocks[4]), "CLOCK_MONOTONIC moved");
        let (observed, evidence) = agent.observe(fault as u64);
        assert!(observed, "{evidence}");
        let side = if seconds > 0 { "ahead" } else { "behind" };
        assert!(evidence.contains(&format!("clocks.c (pid {pid}) reads its clock")), "{evidence}");
        // The forked child's, too.
        assert_eq!(evidence.matches(&format!(" s {side}")).count(), 2, "{evidence}");
        let healed = agent.heal(fault as u64);
        assert_eq!(healed.matches("reads the machine's clock").count(), 2, "{healed}");
        assert_ahead(&mut victim, 4, 0);
    }
}

pub fn a_rust_program_and_a_clock_less_than_a_second_off() {
    let folder = TempDir::new().unwrap();
    let Some(program) = compile("clocks.rs", folder.path()).filter(|_| is_root()) else { return };
    let mut victim = daemon(&program, &[]);
    let pid = victim.child.id();
    let mut agent = Agent::start(&folder.path().join("state"), 10, &[]);
    agent.inject(0, shift(pid, -HOUR_S));
    assert_ahead(&mut victim, 1, -HOUR_S);
    agent.heal(0);
    agent.inject(1, Harm::Clock { pid, offset_ns: -1_500_000_000, ppm: 0, strobe_ms: 0 });
    let (observed, evidence) = agent.observe(1);
    assert!(observed, "{evidence}");
    // How exact the figure is depends on how busy the machine is; `observed` does not.
    assert!(
        evidence.starts_with(&format!("clocks.rs (pid {pid}) reads its clock 1.")),
        "{evidence}"
    );
    // A hundred jumps need no second patch and leave no trace.
    for fault in 2..102 {
        agent.inject(fault, shift(pid, fault as i64));
        assert_ahead(&mut victim, 1, fault as i64);
        agent.heal(fault);
    }
    assert_ahead(&mut victim, 1, 0);
}

pub fn a_killed_agents_clock_is_healed() {
    let folder = TempDir::new().unwrap();
    let state = folder.path().join("state");
    let Some(program) = compile("clocks.c", folder.path()).filter(|_| is_root()) else { return };
    let mut victim = daemon(&program, &[]);
    let pid = victim.child.id();
    let mut agent = Agent::start(&state, 100, &[]);
    agent.inject(0, shift(pid, HOUR_S));
    agent.kill_with_guard();
    assert_ahead(&mut victim, 4, HOUR_S);
    let undone = format!("undone: another clock for the daemon (pid {pid})\n");
    assert_eq!(heal(&state, &[]), undone);
    assert_ahead(&mut victim, 4, 0);
}

/// What a victim's clock shows, and when it was asked and answered by the machine's, in nanoseconds.
fn ask(victim: &mut Piped) -> (i128, i128, i128) {
    let nanos = || SystemTime::UNIX_EPOCH.elapsed().unwrap().as_nanos() as i128;
    let before = nanos();
    victim.say("now");
    let line = victim.hear();
    let after = nanos();
    let first = line.split_whitespace().next().unwrap();
    let (seconds, rest) = first.split_once('.').unwrap();
    let shown = seconds.parse::<i128>().unwrap() * 1_000_000_000 + rest.parse::<i128>().unwrap();
    (shown, before, after)
}

pub fn a_clock_runs_at_another_rate_and_stands() {
    let folder = TempDir::new().unwrap();
    let Some(program) = compile("clocks.rs", folder.path()).filter(|_| is_root()) else { return };
    let mut victim = daemon(&program, &[]);
    let pid = victim.child.id();
    let mut agent = Agent::start(&folder.path().join("state"), 10, &[]);
    for (fault, ppm) in [1_000_000, -500_000, 20_000, -1_000_000].into_iter().enumerate() {
        agent.inject(fault as u64, Harm::Clock { pid, offset_ns: 0, ppm, strobe_ms: 0 });
        let (observed, evidence) = agent.observe(fault as u64);
        assert!(observed, "{ppm}: {evidence}");
        let first = ask(&mut victim);
        std::thread::sleep(Duration::from_millis(300));
        let second = ask(&mut victim);
        let passed = second.0 - first.0;
        // At least from the first answer to the second question, at most the other way.
        let scaled = |time: i128| time + time * i128::from(ppm) / 1_000_000;
        let (least, most) = (scaled(second.1 - first.2), scaled(second.2 - first.1));
        let slack = 1000;
        assert!((least - slack..=most + slack).contains(&passed), "{ppm}: {passed} ns");
        if ppm == -1_000_000 {
            assert_eq!(passed, 0);
        }
        agent.heal(fault as u64);
        assert_ahead(&mut victim, 1, 0);
    }
}

pub fn a_clock_goes_forth_and_back() {
    let folder = TempDir::new().unwrap();
    let Some(program) = compile("clocks.rs", folder.path()).filter(|_| is_root()) else { return };
    let mut victim = daemon(&program, &[]);
    let pid = victim.child.id();
    let mut agent = Agent::start(&folder.path().join("state"), 10, &[]);
    let offset_ns = HOUR_S * 1_000_000_000;
    agent.inject(0, Harm::Clock { pid, offset_ns, ppm: 0, strobe_ms: 5 });
    let (observed, evidence) = agent.observe(0);
    assert!(observed, "{evidence}");
    let mut seen = std::collections::BTreeSet::new();
    crate::process::wait_until("both times are seen", || {
        let (shown, _, after) = ask(&mut victim);
        seen.insert(shown > after);
        seen.len() == 2
    });
    agent.heal(0);
    for _ in 0..20 {
        assert_ahead(&mut victim, 1, 0);
    }
}

/// A daemon may start another program in its place, or beside it: it is found.
pub fn a_program_that_is_started_later_reads_the_same_clock() {
    let folder = TempDir::new().unwrap();
    let Some(program) = compile("clocks.rs", folder.path()).filter(|_| is_root()) else { return };
    let script = format!("echo ready; read -r line; exec {}", program.display());
    let mut victim = daemon(Path::new("sh"), &["-c", &script]);
    assert_eq!(victim.hear(), "ready\n");
    let pid = victim.child.id();
    let mut agent = Agent::start(&folder.path().join("state"), 10, &[]);
    agent.inject(0, shift(pid, HOUR_S));
    victim.say("go on");
    crate::process::wait_until("the new program is found", || {
        let (shown, _, after) = ask(&mut victim);
        shown > after
    });
    assert_ahead(&mut victim, 1, HOUR_S);
    agent.heal(0);
    assert_ahead(&mut victim, 1, 0);
}

/// A virtual machine of Java with its many threads, and what it starts while its clock is off.
pub fn a_java_program_and_a_program_that_it_starts() {
    let folder = TempDir::new().unwrap();
    let Some(child) = compile("clocks.rs", folder.path()).filter(|_| is_root()) else { return };
    let Some(mut victim) = java(folder.path(), &[child.to_str().unwrap()]) else { return };
    let pid = victim.child.id();
    assert_ahead(&mut victim, 2, 0);
    assert!(states(pid).len() > 8, "threads: {}", states(pid));
    let mut agent = Agent::start(&folder.path().join("state"), 10, &[]);
    for (fault, seconds) in [HOUR_S, -HOUR_S, 5].into_iter().enumerate() {
        agent.inject(fault as u64, shift(pid, seconds));
        assert_ahead(&mut victim, 2, seconds);
        let (observed, evidence) = agent.observe(fault as u64);
        assert!(observed && evidence.starts_with(&format!("java (pid {pid}) reads")), "{evidence}");
        if seconds != 5 {
            agent.heal(fault as u64);
            assert_ahead(&mut victim, 2, 0);
        }
    }
    victim.say("exec");
    // Whatever is said before that, it may have read already.
    assert_eq!(victim.hear(), "exec\n");
    crate::process::wait_until("the program that it started is found", || {
        let (shown, _, after) = ask(&mut victim);
        shown > after
    });
    assert_ahead(&mut victim, 1, 5);
    assert_eq!(agent.clock(Some(pid)).1, Some((5_000_000_000, 5_000_000_000)));
    agent.heal(2);
    assert_ahead(&mut victim, 1, 0);
}

/// What the agent tells of clocks, and what the victim reads at the same time, are the same.
pub fn what_processes_read_is_told_without_stopping_them() {
    let folder = TempDir::new().unwrap();
    let Some(program) = compile("clocks.rs", folder.path()).filter(|_| is_root()) else { return };
    let mut victim = daemon(&program, &[]);
    ask(&mut victim);
    let pid = victim.child.id();
    let mut agent = Agent::start(&folder.path().join("state"), 10, &[]);
    assert_eq!(agent.clock(None).1, None, "no daemon, no clock of its own");
    assert_eq!(agent.clock(Some(pid)).1, Some((0, 0)));
    for (fault, ppm) in [0, 1_000_000, -1_000_000].into_iter().enumerate() {
        let offset_ns = -HOUR_S * 1_000_000_000;
        agent.inject(fault as u64, Harm::Clock { pid, offset_ns, ppm, strobe_ms: 0 });
        let (before, first) = agent.clock(Some(pid));
        let (shown, _, _) = ask(&mut victim);
        let (after, second) = agent.clock(Some(pid));
        let read = |wall: i64, ahead: Option<(i64, i64)>| i128::from(wall + ahead.unwrap().0);
        let between = read(before, first)..=read(after, second);
        assert!(between.contains(&shown), "{ppm}: {shown} is not in {between:?}");
        // Nobody traces the victim, and none of its threads was stopped.
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        assert!(status.contains("TracerPid:\t0\n"), "{status}");
        agent.heal(fault as u64);
        assert_eq!(agent.clock(Some(pid)).1, Some((0, 0)));
    }
    drop(victim);
    let (wall, ahead) = agent.clock(Some(pid));
    assert_eq!(ahead, None, "a daemon that is gone has no clock");
    assert!((machine_clock() - wall as f64 / 1e9).abs() < 1.0);
}

/// An etcd on loopback: Go, with no libc between it and the vDSO.
struct Etcd {
    process: Piped,
    endpoint: String,
}

impl Etcd {
    fn start(folder: &Path) -> Option<Self> {
        let [client, peer] = free_ports();
        let (endpoint, peer) =
            (format!("http://127.0.0.1:{client}"), format!("http://127.0.0.1:{peer}"));
        if Command::new("etcd").arg("--version").output().is_err() {
            crate::runner::skip("etcd is not installed (package etcd-server)");
            return None;
        }
        let data = folder.join("etcd");
        let arguments = [
            "--data-dir",
            data.to_str()?,
            "--listen-client-urls",
            &endpoint,
            "--advertise-client-urls",
            &endpoint,
            "--listen-peer-urls",
            &peer,
            "--log-level",
            "panic",
        ];
        let etcd = Self { process: daemon(Path::new("etcd"), &arguments), endpoint };
        crate::process::wait_until("etcd serves", || {
            etcd.control(&["endpoint", "health"]).is_some()
        });
        Some(etcd)
    }

    fn control(&self, words: &[&str]) -> Option<String> {
        let mut command = Command::new("etcdctl");
        command.env("ETCDCTL_API", "3").args(["--endpoints", &self.endpoint]).args(words);
        let output = command.output().ok().filter(|output| output.status.success())?;
        String::from_utf8(output.stdout).ok()
    }
}

/// Two ports that nobody listens on.
fn free_ports() -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

pub fn etcd_goes_on_serving_under_another_clock() {
    let folder = TempDir::new().unwrap();
    if !is_root() {
        return;
    }
    let Some(etcd) = Etcd::start(folder.path()) else { return };
    let pid = etcd.process.child.id();
    let mut agent = Agent::start(&folder.path().join("state"), 30, &[]);
    for (fault, seconds) in [HOUR_S, -HOUR_S, 5, -5].into_iter().cycle().take(20).enumerate() {
        let value = format!("v{fault}");
        agent.inject(fault as u64, shift(pid, seconds));
        let (observed, evidence) = agent.observe(fault as u64);
        assert!(observed && evidence.starts_with(&format!("etcd (pid {pid}) reads")), "{evidence}");
        assert_eq!(etcd.control(&["put", "k", &value]).as_deref(), Some("OK\n"));
        assert_eq!(agent.heal(fault as u64), format!("etcd (pid {pid}) reads the machine's clock"));
        let read = etcd.control(&["get", "--print-value-only", "k"]);
        assert_eq!(read, Some(format!("{value}\n")));
    }
}
