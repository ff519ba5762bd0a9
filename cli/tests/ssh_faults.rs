//! Every fault over SSH, on local nodes: the injector as a run uses it.

#[path = "runner/mod.rs"]
mod runner;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tribunal_generator::Seed;
use tribunal_harness::cluster::{Session, local};
use tribunal_harness::database::{Daemon, Daemons, Database, DatabaseError};
use tribunal_harness::nemesis::Nemesis;
use tribunal_history::{Call, FaultNote, Name, Stage};
use tribunal_nemesis::{FAULTS, Injector, faults, heal};

const TRIBUNAL: &str = env!("CARGO_BIN_EXE_tribunal");

/// A cluster that goes when the test does.
struct Nodes(String);

impl Nodes {
    fn up() -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            crate::runner::skip("local nodes need root");
            return None;
        }
        let name = format!("faults-{}", std::process::id());
        let up = Command::new(TRIBUNAL).args(["cluster", "up", &name, "--nodes", "3"]).status();
        assert!(up.unwrap().success());
        Some(Self(name))
    }
}

impl Drop for Nodes {
    fn drop(&mut self) {
        let _ = Command::new(TRIBUNAL).args(["cluster", "down", &self.0]).status();
    }
}

/// Nobody can say who is primary.
struct Leaderless;

#[async_trait]
impl Database for Leaderless {
    async fn install(&self, _: &Session) -> Result<(), DatabaseError> {
        Ok(())
    }
    async fn start(&self, session: &Session) -> Result<Daemon, DatabaseError> {
        let script = "setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $!";
        let pid = session.run_ok(script).await?.trim().parse().unwrap();
        Ok(Daemon { node: session.node().id.clone(), pid })
    }
    async fn ready(&self, _: &Session, _: &Daemon) -> Result<(), DatabaseError> {
        Ok(())
    }
    async fn stop(&self, session: &Session, daemon: &Daemon) -> Result<(), DatabaseError> {
        let pid = daemon.pid;
        session.run_ok(&format!("kill {pid}; while kill -0 {pid}; do sleep 0.01; done")).await?;
        Ok(())
    }
    async fn wipe(&self, _: &Session) -> Result<(), DatabaseError> {
        Ok(())
    }
    async fn primaries(&self, _: &[Arc<Session>]) -> Result<Vec<Name>, DatabaseError> {
        Ok(Vec::new())
    }
}

fn call(nodes: &[Name], id: u64, name: &str, options: Value) -> Call {
    let options = options.as_object().cloned().unwrap_or_default();
    let mut rng = Seed(7).stream(name);
    let fault = faults::find(name).unwrap();
    let plan = faults::plan(fault, nodes, &options, &mut rng).unwrap();
    let (nodes, summary, plan) = (plan.nodes, plan.summary, plan.data);
    let note = FaultNote { id, stage: Stage::Inject, nodes, summary, plan, effect: None };
    Call::new(name).value(json!(note))
}

fn healing(call: &Call) -> Call {
    let mut call = call.clone();
    call.value["stage"] = json!("heal");
    call
}

async fn state(session: &Session, pid: u32) -> String {
    session.run_ok(&format!("cut -d' ' -f3 /proc/{pid}/stat")).await.unwrap().trim().to_owned()
}

async fn every_fault_over_ssh_and_nothing_left_behind() {
    let Some(nodes) = Nodes::up() else { return };
    let cluster = local::find(Some(&nodes.0)).unwrap();
    let sessions = cluster.connect().await.unwrap();
    let names: Vec<Name> = sessions.iter().map(|session| session.node().id.clone()).collect();
    let daemons = Arc::new(Daemons::default());
    for session in &sessions {
        daemons.set(Leaderless.start(session).await.unwrap());
    }
    let wire = cluster.wire.as_deref();
    let pid = |daemons: &Daemons| daemons.get(&names[0]).unwrap().pid;
    let lease = Duration::from_secs(10);
    let agent = Path::new(TRIBUNAL);
    let connect =
        Injector::connect(&sessions, daemons.clone(), Arc::new(Leaderless), agent, wire, lease);
    let mut injector = connect.await.unwrap();
    for (id, fault) in FAULTS.iter().enumerate() {
        let call = call(&names, id as u64, fault.name(), Value::Null);
        let injected = injector.invoke(&call).await;
        assert_eq!(injected.error, None);
        let effect = injected.note.effect.unwrap();
        assert!(effect.observed, "{}: {:?}", fault.name(), effect.evidence);
        assert_eq!(injector.invoke(&healing(&call)).await.error, None);
    }

    // A killed agent: the fault ends early and is called failed, the next one works.
    let pause = call(&names, 100, "pause", json!({"target": "all"}));
    assert_eq!(injector.invoke(&pause).await.error, None);
    let kill = "kill -9 $(cat /var/lib/tribunal-agent/lock)";
    sessions[0].run_ok(kill).await.unwrap();
    let error = injector.invoke(&healing(&pause)).await.error.unwrap();
    assert!(error.starts_with("n1: the agent died"), "{error}");
    assert_ne!(state(&sessions[0], pid(&daemons)).await, "T");

    // A controller that goes away: its agents undo.
    let pause = call(&names, 101, "pause", json!({"target": "all"}));
    assert_eq!(injector.invoke(&pause).await.error, None);
    drop(injector);
    while state(&sessions[0], pid(&daemons)).await == "T" {}

    // `heal` undoes what a living controller's agents hold, too.
    let connect =
        Injector::connect(&sessions, daemons.clone(), Arc::new(Leaderless), agent, wire, lease);
    let mut injector = connect.await.unwrap();
    let cut = call(&names, 102, "partition-halves", Value::Null);
    assert_eq!(injector.invoke(&cut).await.error, None);
    assert_eq!(heal(&sessions, agent).await, [] as [&str; 0]);
    for session in &sessions {
        assert_eq!(session.run_ok("nft list ruleset").await.unwrap(), "");
    }
}

fn main() -> std::process::ExitCode {
    runner::run(&[("every_fault_over_ssh_and_nothing_left_behind", || {
        runner::block_on(every_fault_over_ssh_and_nothing_left_behind())
    })])
}
