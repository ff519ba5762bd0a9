//! Every fault, one after the other, and what becomes of them when agents and controllers go.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tribunal_harness::cluster::{Session, local};
use tribunal_harness::database::{Daemons, Database};
use tribunal_harness::nemesis::Nemesis;
use tribunal_history::Name;
use tribunal_nemesis::{FAULTS, Injector, heal};

use crate::{Leaderless, Nodes, TRIBUNAL, call, healing};

/// Prints the control groups that agents made on a node.
pub const GROUPS: &str = "find /sys/fs/cgroup -name 'tribunal-fault-*'";

async fn state(session: &Session, pid: u32) -> String {
    session.run_ok(&format!("cut -d' ' -f3 /proc/{pid}/stat")).await.unwrap().trim().to_owned()
}

pub async fn every_fault_over_ssh_and_nothing_left_behind() {
    let Some(nodes) = Nodes::up("faults") else { return };
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
        assert_eq!(injector.invoke(&healing(&call)).await.error, None, "{}", fault.name());
    }
    for session in &sessions {
        assert_eq!(session.run_ok(GROUPS).await.unwrap(), "");
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
