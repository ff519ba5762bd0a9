//! Faults over SSH, on local nodes: the injector as a run uses it.

mod chaos;
mod every;
mod many;
#[path = "../runner/mod.rs"]
mod runner;

use std::process::Command;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tribunal_generator::Seed;
use tribunal_harness::cluster::Session;
use tribunal_harness::database::{Daemon, Database, DatabaseError};
use tribunal_history::{Call, FaultNote, Name, Stage};
use tribunal_nemesis::{Filesystem, Ground, Image, faults};

const TRIBUNAL: &str = env!("CARGO_BIN_EXE_tribunal");

/// A cluster that goes when the test does.
struct Nodes(String);

impl Nodes {
    fn up(what: &str) -> Option<Self> {
        if !rustix::process::geteuid().is_root() {
            crate::runner::skip("local nodes need root");
            return None;
        }
        let name = format!("{what}-{}", std::process::id());
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

/// A disk of its own for each node.
const IMAGE: Ground = Ground::Image(Image { size_mb: 64, filesystem: Filesystem::Ext4 });

/// What it does all day: its data are 64 files.
const WRITER: &str = "import os, time
os.makedirs('/var/lib/leaderless', exist_ok=True)
number = 0
while True:
    try:
        with open('/var/lib/leaderless/%d' % (number % 64), 'w') as file: file.write(str(number))
    except OSError: pass
    number += 1
    time.sleep(0.01)";

/// Nobody can say who is primary.
struct Leaderless;

#[async_trait]
impl Database for Leaderless {
    async fn install(&self, _: &Session) -> Result<(), DatabaseError> {
        Ok(())
    }
    async fn start(&self, session: &Session) -> Result<Daemon, DatabaseError> {
        let script = format!("setsid python3 -c \"{WRITER}\" >/dev/null 2>&1 </dev/null & echo $!");
        let pid = session.run_ok(&script).await?.trim().parse().unwrap();
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
    fn data_dir(&self, _: &Name) -> Option<String> {
        Some("/var/lib/leaderless".to_owned())
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

fn main() -> std::process::ExitCode {
    if let Ok(cluster) = std::env::var(chaos::CONTROLLER) {
        runner::block_on(chaos::hold_everything(&cluster));
    }
    runner::run(&[
        ("every_fault_over_ssh_and_nothing_left_behind", || {
            runner::block_on(every::every_fault_over_ssh_and_nothing_left_behind())
        }),
        ("many_faults_leave_nothing_behind", || {
            runner::block_on(many::many_faults_leave_nothing_behind())
        }),
        ("whoever_is_killed_every_node_is_clean_again", || {
            runner::block_on(chaos::whoever_is_killed_every_node_is_clean_again())
        }),
    ])
}
