//! Clusters made for one process: they end with it if it lives to end them, and
//! are found again if it does not.
//!
//! This test has its own `main`, since local nodes start their executable again.

use std::io::{BufRead, BufReader};
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use tribunal_harness::cluster::local::{self, Lifetime, State};
use tribunal_harness::cluster::{Cluster, ClusterError};

fn main() -> ExitCode {
    match std::env::args().nth(1).as_deref() {
        Some("node-init" | "wire") => tribunal::main(),
        Some("court") => block_on(court()),
        Some("controller") => block_on(controller()),
        // What `cargo test -- --list` and the like come with.
        Some(flag) if flag.starts_with("--list") => ExitCode::SUCCESS,
        _ => set_scene(),
    }
}

fn block_on(work: impl Future<Output = ()>) -> ExitCode {
    tokio::runtime::Runtime::new().expect("a runtime").block_on(work);
    ExitCode::SUCCESS
}

/// Starts the tests with a state folder of their own.
fn set_scene() -> ExitCode {
    let state = tempfile::Builder::new().prefix("trb").tempdir_in("/var/tmp").expect("a folder");
    let mut court = Command::new(std::env::current_exe().expect("this executable"));
    court.arg("court").env("TRIBUNAL_STATE", state.path());
    let status = court.status().expect("the tests start");
    if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn court() {
    if !rustix::process::geteuid().is_root() || local::probe::overlay().is_err() {
        println!("skipped: local nodes need root and overlay mounts");
        return;
    }
    a_cluster_ends_when_it_is_told_to().await;
    a_cluster_ends_when_its_run_panics().await;
    a_cluster_whose_controller_is_killed_answers_and_is_found().await;
}

async fn up(count: usize) -> Cluster {
    local::up(None, count, Lifetime::Run).await.expect("the cluster comes up")
}

fn state_of(name: &str) -> Option<State> {
    let clusters = local::list().expect("the list");
    clusters.into_iter().find(|found| found.name == name).map(|found| found.state)
}

async fn a_cluster_ends_when_it_is_told_to() {
    let began = Instant::now();
    let cluster = up(5).await;
    let made = began.elapsed();
    let sessions = cluster.connect().await.expect("all nodes answer");
    let connected = began.elapsed();
    let names: Vec<&str> = sessions.iter().map(|session| &*session.node().id).collect();
    assert_eq!(names, ["n1", "n2", "n3", "n4", "n5"]);
    assert_eq!(state_of(&cluster.name), Some(State::InUse(std::process::id())));

    let content = vec![7; 10_000_000];
    let began = Instant::now();
    sessions[0].upload(&content, "/opt/ten-megabytes", 0o644).await.expect("it is sent");
    let uploaded = began.elapsed();
    let began = Instant::now();
    for _ in 0..100 {
        sessions[1].run_ok("true").await.expect("it runs");
    }
    let command = began.elapsed() / 100;

    let began = Instant::now();
    let name = cluster.name.clone();
    cluster.down().await.expect("it ends");
    println!(
        "5 nodes: made in {made:.2?}, sessions open after {connected:.2?}, down in {:.2?}; \
         10 MB sent in {uploaded:.2?}; a command takes {command:.2?}",
        began.elapsed()
    );
    assert_eq!(state_of(&name), None);
    assert!(sessions[0].run("true").await.is_err(), "a node outlives its cluster");
    let gone = local::down(&name);
    assert!(matches!(gone, Err(ClusterError::NoSuchCluster(_))), "{gone:?}");
}

async fn a_cluster_ends_when_its_run_panics() {
    let cluster = up(1).await;
    let name = cluster.name.clone();
    let run = tokio::spawn(async move {
        let _sessions = cluster.connect().await;
        std::panic::resume_unwind(Box::new("the run panics"));
    });
    assert!(run.await.is_err());
    assert_eq!(state_of(&name), None);
}

/// A controller in a process of its own, which never ends by itself.
async fn controller() {
    let cluster = up(2).await;
    let _sessions = cluster.connect().await.expect("all nodes answer");
    println!("{}", cluster.name);
    std::future::pending::<()>().await;
}

async fn a_cluster_whose_controller_is_killed_answers_and_is_found() {
    let mut command = Command::new(std::env::current_exe().expect("this executable"));
    let mut controller =
        command.arg("controller").stdout(Stdio::piped()).spawn().expect("it starts");
    let mut name = String::new();
    let output = controller.stdout.take().expect("stdout is piped");
    BufReader::new(output).read_line(&mut name).expect("it says its cluster's name");
    let name = name.trim();
    controller.kill().expect("it can be killed");
    controller.wait().expect("it is dead");

    assert_eq!(state_of(name), Some(State::Orphaned));
    let cluster = local::find(Some(name)).expect("its record is there");
    let sessions = cluster.connect().await.expect("its nodes answer, for `tribunal heal`");
    assert_eq!(sessions[1].run_ok("hostname").await.expect("it runs").trim(), "n2");
    local::down(name).expect("it ends");
    assert_eq!(state_of(name), None);
}
