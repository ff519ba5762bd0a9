//! Nobody leaves a node broken, whoever is killed, and when.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Signal, kill_process};
use serde_json::{Value, json};
use tribunal_generator::Seed;
use tribunal_harness::cluster::{Session, local};
use tribunal_harness::database::{Daemon, Daemons};
use tribunal_harness::nemesis::Nemesis;
use tribunal_history::Name;
use tribunal_nemesis::{Ground, Injector};

use crate::every::GROUPS;
use crate::{IMAGE, Leaderless, Nodes, TRIBUNAL, call};

/// The variable that makes this test's executable a controller that is to be killed: a cluster's name.
pub const CONTROLLER: &str = "TRIBUNAL_TEST_CONTROLLER";
/// The variable that lays a filesystem of ours under its nodes' data, and not a disk in a file.
const FUSE: &str = "TRIBUNAL_TEST_FUSE";
/// Within which every node is to be clean again: the lease, and what undoing takes.
const CLEAN: Duration = Duration::from_secs(15);

/// Writes its own wall clock into a file, for ever: stopped, or under another clock, it shows.
const VICTIM: &str = "import time
while True:
    with open('/tmp/now.new', 'w') as file: file.write(repr(time.time()))
    __import__('os').replace('/tmp/now.new', '/tmp/now')
    time.sleep(0.02)";

/// Who is killed, or stopped as a laptop is whose lid is closed.
#[derive(Clone, Copy, Debug)]
enum Killed {
    Controller,
    Agents,
    Both,
    Stopped,
}

/// The disk that is laid under a controller's nodes, and what is done to it.
fn disk(of_ours: bool) -> (Ground, [(&'static str, Value); 2]) {
    if of_ours {
        let slow = json!({"target": "all", "on": "all", "delay_ms": 300});
        let broken = json!({"target": "all", "share": 1});
        return (Ground::Fuse, [("disk-slow", slow), ("disk-write-error", broken)]);
    }
    let all = json!({"target": "all"});
    (IMAGE, [("disk-full", all.clone()), ("disk-hung", all)])
}

/// Injects what can be held at once, and goes on holding it.
pub async fn hold_everything(cluster: &str) {
    let (ground, [first, second]) = disk(std::env::var_os(FUSE).is_some());
    let cluster = local::find(Some(cluster)).unwrap();
    let sessions = cluster.connect().await.unwrap();
    let daemons = Arc::new(Daemons::default());
    for session in &sessions {
        let pid = session.run_ok("cat /tmp/victim").await.unwrap().trim().parse().unwrap();
        daemons.set(Daemon { node: session.node().id.clone(), pid });
    }
    let (agent, wire) = (Path::new(TRIBUNAL), cluster.wire.as_deref());
    let lease = Duration::from_secs(10);
    let injector = Injector::connect(&sessions, daemons, Arc::new(Leaderless), agent, wire, lease);
    let mut injector = injector.await.unwrap().on(Some(ground));
    // Whoever is killed meanwhile, it goes on or it does not.
    let laid = injector.lay_ground().await;
    println!("connected");
    println!("ground: {laid:?}");
    let name = |at: usize| vec![sessions[at].node().id.clone()];
    let all: Vec<Name> = sessions.iter().map(|session| session.node().id.clone()).collect();
    let hour = json!({"offset_s": 3600});
    let strobe = json!({"offset_ms": 500_000, "every_ms": 10});
    let faults = [
        ("pause", name(0), Value::Null),
        ("clock-jump", name(1), hour),
        ("clock-strobe", name(2), strobe),
        ("freeze", name(1), Value::Null),
        ("process-limit", name(0), json!({"room": 50})),
        ("cpu-limit", name(2), json!({"cores": 0.2})),
        ("memory-limit", name(2), json!({"room_mb": 256})),
        ("file-limit", name(2), json!({"room": 20})),
        ("partition-halves", all.clone(), Value::Null),
        ("partition-one-way", all.clone(), Value::Null),
        ("partition-ring", all.clone(), Value::Null),
        ("partition-primaries", all.clone(), json!({"with": 1, "ports": [22]})),
        (first.0, name(1), first.1),
        (second.0, name(2), second.1),
        ("link-lossy", all.clone(), json!({"links": "all", "loss": 1})),
        ("link-held", all.clone(), json!({"links": "all"})),
        ("link-slow", all, json!({"links": "all", "delay_ms": 60_000})),
    ];
    for (id, (fault, nodes, options)) in faults.into_iter().enumerate() {
        let reply = injector.invoke(&call(&nodes, id as u64, fault, options)).await;
        // An agent that is killed meanwhile is an error, and no reason to stop.
        println!("{fault}: {:?}", reply.error);
    }
    std::future::pending::<()>().await;
}

/// Why a node is not clean, if it is not.
async fn dirt(session: &Session, others: &[&str]) -> Option<String> {
    let run = async |script: &str| {
        let output = session.run(script).await.unwrap();
        format!("{}{}", output.stdout, output.stderr).trim().to_owned()
    };
    let rules = run("nft list ruleset").await;
    if !rules.is_empty() {
        return Some(format!("rules: {rules}"));
    }
    let groups = run(GROUPS).await;
    if !groups.is_empty() {
        return Some(format!("control groups: {groups}"));
    }
    // On a node the soft limit is the hard one.
    let limits = run("grep 'open files' /proc/$(cat /tmp/victim)/limits").await;
    let limits: Vec<&str> = limits.split_whitespace().collect();
    if limits.get(3) != limits.get(4) {
        return Some(format!("limits: {limits:?}"));
    }
    let disks = "grep -e tribunal-agent -e leaderless /proc/mounts; ls -d /var/lib/tribunal-agent/ground 2>/dev/null";
    let disks = run(disks).await;
    if !disks.is_empty() {
        return Some(format!("disks: {disks}"));
    }
    let off =
        "python3 -c 'import time; print(abs(time.time() - float(open(\"/tmp/now\").read())) < 1)'";
    if run(off).await != "True" {
        return Some("its clock is off, or its process stopped".to_owned());
    }
    for other in others {
        // By its addresses of both families, where the kernel has both.
        for name in [(*other).to_owned(), format!("{other}-6")] {
            let greeted = format!(
                "grep -qw {name} /etc/hosts || {{ echo SSH-none; exit; }}; \
                 timeout 1 bash -c 'read -r line </dev/tcp/{name}/22; echo $line'"
            );
            if !run(&greeted).await.starts_with("SSH-") {
                return Some(format!("{name} is not reached"));
            }
        }
    }
    None
}

/// `kill -9` of the controller, of all agents, of both, and a controller that is stopped, each at a
/// random moment: within 15 s every node is as it was. `CHAOS_ROUNDS` says how often.
pub async fn whoever_is_killed_every_node_is_clean_again() {
    let Some(nodes) = Nodes::up("chaos") else { return };
    let cluster = local::find(Some(&nodes.0)).unwrap();
    let sessions = cluster.connect().await.unwrap();
    for session in &sessions {
        let start = format!(
            "setsid python3 -c \"{VICTIM}\" >/dev/null 2>&1 </dev/null & echo $! >/tmp/victim"
        );
        session.run_ok(&start).await.unwrap();
    }
    let rounds = std::env::var("CHAOS_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let kinds = [Killed::Controller, Killed::Agents, Killed::Both, Killed::Stopped];
    let mut rng = Seed(11).stream("chaos");
    let mut slowest = Duration::ZERO;
    for round in 0..rounds.unwrap_or(kinds.len()) {
        let killed = kinds[round % kinds.len()];
        let mut controller = Command::new(std::env::current_exe().unwrap());
        controller.env(CONTROLLER, &nodes.0).stdout(Stdio::piped());
        // So that each kind comes with each disk.
        let fuse = (round + round / kinds.len()) % 2 == 1;
        if fuse {
            controller.env(FUSE, "1");
        }
        let mut controller = controller.spawn().unwrap();
        let mut said = BufReader::new(controller.stdout.take().unwrap()).lines();
        assert_eq!(said.next().unwrap().unwrap(), "connected");
        // The agents, by pid: once one has ended by itself, the lock names its guard.
        let mut agents = Vec::new();
        for session in &sessions {
            agents.push(session.run_ok("cat /var/lib/tribunal-agent/lock").await.unwrap());
        }
        // Injecting all takes about a second.
        let moment = Duration::from_millis(rng.below(2500));
        tokio::time::sleep(moment).await;
        let pid = rustix::process::Pid::from_child(&controller);
        if !matches!(killed, Killed::Agents) {
            let stopped = matches!(killed, Killed::Stopped);
            let signal = if stopped { Signal::STOP } else { Signal::KILL };
            kill_process(pid, signal).unwrap();
        }
        if matches!(killed, Killed::Agents | Killed::Both) {
            for (session, agent) in sessions.iter().zip(&agents) {
                // One that has just ended by itself need not be killed.
                session.run(&format!("kill -9 {}", agent.trim())).await.unwrap();
            }
        }
        if matches!(killed, Killed::Agents) {
            // What it holds on the wire and under the data it holds rightly, as long as it lives.
            tokio::time::sleep(Duration::from_secs(3)).await;
            kill_process(pid, Signal::TERM).unwrap();
        }
        let began = Instant::now();
        let mut left = Some(String::new());
        while left.is_some() && began.elapsed() < CLEAN {
            left = None;
            for (at, session) in sessions.iter().enumerate() {
                let others: Vec<&str> = ["n1", "n2", "n3"]
                    .into_iter()
                    .enumerate()
                    .filter(|it| it.0 != at)
                    .map(|it| it.1)
                    .collect();
                let dirt = dirt(session, &others).await;
                left = dirt.map(|why| format!("{}: {why}", session.node().id));
                // Looking for the others that do not answer takes time, too.
                if left.is_some() {
                    break;
                }
            }
        }
        let took = began.elapsed();
        assert_eq!(left, None, "round {round}, {killed:?} after {moment:?}, {took:?} later");
        slowest = slowest.max(took);
        let disk = if fuse { "FUSE" } else { "an image" };
        println!("round {round}: {killed:?} after {moment:?}, {disk}: clean after {took:?}");
        kill_process(pid, Signal::KILL).unwrap();
        controller.wait().unwrap();
    }
    println!("the slowest took {slowest:?}");
}
