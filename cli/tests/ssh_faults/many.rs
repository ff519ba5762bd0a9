//! Many faults in one run, and nothing that grows with them.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tribunal_harness::cluster::{Session, local};
use tribunal_harness::database::{Daemons, Database};
use tribunal_harness::nemesis::Nemesis;
use tribunal_history::Name;
use tribunal_nemesis::Injector;

use crate::every::GROUPS;
use crate::{Leaderless, Nodes, TRIBUNAL, call, healing};

/// Faults of each kind that is quick to see.
const KINDS: [&str; 8] = [
    "partition-one",
    "partition-primaries",
    "pause",
    "freeze",
    "clock-jump",
    "clock-drift",
    "link-slow",
    "link-duplicating",
];

/// Descriptors and threads of the agent of a node.
async fn held(session: &Session) -> (usize, usize) {
    let script = "pid=$(cat /var/lib/tribunal-agent/lock); ls /proc/$pid/fd | wc -l; ls /proc/$pid/task | wc -l";
    let printed = session.run_ok(script).await.unwrap();
    let mut numbers = printed.split_whitespace().map(|number| number.parse().unwrap());
    (numbers.next().unwrap(), numbers.next().unwrap())
}

/// `FAULTS` says how many.
pub async fn many_faults_leave_nothing_behind() {
    let Some(nodes) = Nodes::up("many") else { return };
    let cluster = local::find(Some(&nodes.0)).unwrap();
    let sessions = cluster.connect().await.unwrap();
    let names: Vec<Name> = sessions.iter().map(|session| session.node().id.clone()).collect();
    let daemons = Arc::new(Daemons::default());
    for session in &sessions {
        daemons.set(Leaderless.start(session).await.unwrap());
    }
    let (agent, wire) = (Path::new(TRIBUNAL), cluster.wire.as_deref());
    let lease = Duration::from_secs(10);
    let injector = Injector::connect(&sessions, daemons, Arc::new(Leaderless), agent, wire, lease);
    let mut injector = injector.await.unwrap();
    let count = std::env::var("FAULTS").ok().and_then(|count| count.parse().ok());
    let mut before = None;
    for id in 0..count.unwrap_or(120) {
        let kind = KINDS[id as usize % KINDS.len()];
        let call = call(&names, id, kind, Value::Null);
        let injected = injector.invoke(&call).await;
        assert_eq!(injected.error, None);
        let effect = injected.note.effect.unwrap();
        assert!(effect.observed, "{kind}: {:?}", effect.evidence);
        assert_eq!(injector.invoke(&healing(&call)).await.error, None);
        // Each kind has been there once.
        if id as usize == KINDS.len() {
            before = Some(held(&sessions[0]).await);
        }
    }
    assert_eq!(before, Some(held(&sessions[0]).await));
    for session in &sessions {
        assert_eq!(session.run_ok("nft list ruleset").await.unwrap(), "");
        assert_eq!(session.run_ok(GROUPS).await.unwrap(), "");
    }
}
