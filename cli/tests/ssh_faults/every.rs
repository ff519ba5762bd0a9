//! Every fault, one after the other, and what becomes of them when agents and controllers go.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tribunal_harness::cluster::{Session, local};
use tribunal_harness::database::{Daemons, Database};
use tribunal_harness::nemesis::Nemesis;
use tribunal_history::Name;
use tribunal_nemesis::faults::{Fault, GroundKind, Needs};
use tribunal_nemesis::{FAULTS, Ground, Injector, heal};

use crate::{IMAGE, Leaderless, Nodes, TRIBUNAL, call, healing};

/// The faults that stand on a kind of ground, or on none. These nodes' database has no members and no
/// other version: trials/membership.rs has.
fn of_ground(kind: Option<GroundKind>) -> impl Iterator<Item = &'static dyn Fault> {
    let absent = [Needs::Membership, Needs::Upgrade];
    let possible = move |needs: Needs| needs.ground() == kind && !absent.contains(&needs);
    FAULTS.iter().copied().filter(move |fault| possible(fault.needs()))
}

async fn one_by_one(
    injector: &mut Injector,
    sessions: &[Arc<Session>],
    daemons: &Daemons,
    faults: impl Iterator<Item = &'static dyn Fault>,
) {
    let names: Vec<Name> = sessions.iter().map(|session| session.node().id.clone()).collect();
    for (id, fault) in faults.enumerate() {
        let snapshot = fault.name() == "snapshot-restore";
        let example = Value::Object(fault.example(&names));
        let options = if snapshot { json!({"target": "one", "age_ms": 500}) } else { example };
        let call = call(&names, id as u64, fault.name(), options);
        let injected = injector.invoke(&call).await;
        assert_eq!(injected.error, None, "{}", fault.name());
        if snapshot {
            let node = &injected.note.nodes[0];
            let pid = daemons.get(node).unwrap().pid;
            let session = sessions.iter().find(|session| session.node().id == *node).unwrap();
            let gone = format!("while kill -0 {pid}; do sleep 0.01; done");
            session.run_ok(&gone).await.unwrap();
        }
        let healed = injector.invoke(&healing(&call)).await;
        assert_eq!(healed.error, None, "{}", fault.name());
        let (first, last) = (injected.note.effect.unwrap(), healed.note.effect.unwrap());
        assert!(first.observed || last.observed, "{}: {first:?} {last:?}", fault.name());
        all_run(sessions, daemons, fault.name()).await;
    }
}

/// Whatever was done to it, every node's database runs when it is healed.
async fn all_run(sessions: &[Arc<Session>], daemons: &Daemons, after: &str) {
    for session in sessions {
        let node = &session.node().id;
        let pid = daemons.get(node).unwrap().pid;
        let alive = session.run(&format!("kill -0 {pid}")).await.unwrap();
        assert_eq!(alive.code, Some(0), "{node}: the daemon (pid {pid}) has ended after {after}");
    }
}

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
    one_by_one(&mut injector, &sessions, &daemons, of_ground(None)).await;
    drop(injector);
    for (kind, ground) in [(GroundKind::Image, IMAGE), (GroundKind::Fuse, Ground::Fuse)] {
        let connect =
            Injector::connect(&sessions, daemons.clone(), Arc::new(Leaderless), agent, wire, lease);
        let mut injector = connect.await.unwrap().on(Some(ground));
        injector.lay_ground().await.unwrap();
        one_by_one(&mut injector, &sessions, &daemons, of_ground(Some(kind))).await;
        // As at the end of a run: whoever still had a file open there would be killed.
        for session in &sessions {
            let daemon = daemons.get(&session.node().id).unwrap();
            Leaderless.stop(session, &daemon).await.unwrap();
        }
        assert_eq!(injector.lift_ground().await, [] as [&str; 0]);
        for session in &sessions {
            daemons.set(Leaderless.start(session).await.unwrap());
        }
    }
    for session in &sessions {
        let mounts = session.run_ok("grep -c -e tribunal-agent -e leaderless /proc/mounts; true");
        assert_eq!(mounts.await.unwrap(), "0\n");
        assert_eq!(session.run_ok(GROUPS).await.unwrap(), "");
    }
    let connect =
        Injector::connect(&sessions, daemons.clone(), Arc::new(Leaderless), agent, wire, lease);
    let mut injector = connect.await.unwrap();

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
