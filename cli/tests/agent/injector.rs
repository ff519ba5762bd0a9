//! The injector over nodes in namespaces: whole faults, from the call to the note.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;
use tribunal_generator::Seed;
use tribunal_harness::cluster::{Node, Session};
use tribunal_harness::database::{Daemon, Database, DatabaseError};
use tribunal_harness::nemesis::{Nemesis, NemesisReply};
use tribunal_history::{Call, FaultNote, Name, Stage};
use tribunal_nemesis::faults::{self, FAULTS, Needs};
use tribunal_nemesis::launch::Launch;
use tribunal_nemesis::link::{Greeting, Link};
use tribunal_nemesis::{ConnectError, Injector};

use crate::process::{Piped, TRIBUNAL, compile, daemon, states, wait_until};
use crate::wire::Wire;

/// Starts agents in a namespace, over pipes instead of SSH.
struct InNamespace {
    namespace: String,
    state: PathBuf,
    /// The process id of the last one.
    pid: AtomicU32,
    child: Mutex<Option<tokio::process::Child>>,
}

#[async_trait]
impl Launch for InNamespace {
    async fn launch(&self) -> Result<(Link, Greeting), String> {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &self.namespace, TRIBUNAL, "agent", "--state"]);
        command.arg(&self.state).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        self.pid.store(child.id().unwrap_or(0), Ordering::Relaxed);
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        *self.child.lock().unwrap() = Some(child);
        let opened = Link::open(stdout, stdin, Duration::from_secs(2)).await;
        opened.map_err(|error| error.to_string())
    }
}

/// A database of which only the primary matters here.
struct Primary(Vec<Name>);

#[async_trait]
impl Database for Primary {
    async fn install(&self, _: &Session) -> Result<(), DatabaseError> {
        Ok(())
    }
    async fn start(&self, node: &Session) -> Result<Daemon, DatabaseError> {
        Ok(Daemon { node: node.node().id.clone(), pid: 0 })
    }
    async fn ready(&self, _: &Session, _: &Daemon) -> Result<(), DatabaseError> {
        Ok(())
    }
    async fn stop(&self, _: &Session, _: &Daemon) -> Result<(), DatabaseError> {
        Ok(())
    }
    async fn wipe(&self, _: &Session) -> Result<(), DatabaseError> {
        Ok(())
    }
    async fn primaries(&self, _: &[Arc<Session>]) -> Result<Vec<Name>, DatabaseError> {
        Ok(self.0.clone())
    }
}

/// Three nodes with a daemon each.
struct Cluster {
    wire: Wire,
    launches: Vec<Arc<InNamespace>>,
    daemons: Vec<Piped>,
    names: Vec<Name>,
    _folder: TempDir,
}

impl Cluster {
    fn new() -> Option<Self> {
        let wire = Wire::new(3)?;
        let folder = TempDir::new().unwrap();
        let program = compile("clocks.c", folder.path())?;
        let launch = |node: u8| {
            let (namespace, state) = (wire.name(node), folder.path().join(format!("n{node}")));
            let (pid, child) = (AtomicU32::new(0), Mutex::new(None));
            Arc::new(InNamespace { namespace, state, pid, child })
        };
        let start = |_| {
            let mut victim = daemon(&program, &[]);
            victim.say("now");
            victim.hear();
            victim
        };
        let (launches, daemons) = ((1..=3).map(launch).collect(), (1..=3).map(start).collect());
        let names = (1..=3).map(|node| format!("n{node}").into()).collect();
        Some(Self { wire, launches, daemons, names, _folder: folder })
    }

    async fn injector(&self) -> Result<Injector, ConnectError> {
        let node = |index: usize| Node {
            id: self.names[index].clone(),
            index,
            ip: self.wire.address(index as u8 + 1),
            destination: self.names[index].to_string(),
        };
        let launches = self.launches.iter().enumerate();
        let launches = launches.map(|(at, launch)| (node(at), launch.clone() as Arc<dyn Launch>));
        let daemons = self.names.iter().zip(&self.daemons);
        let daemons = daemons.map(|(node, daemon)| (node.clone(), daemon.child.id()));
        let daemons = daemons.map(|(node, pid)| Daemon { node, pid }).collect();
        let daemons = Arc::new(daemons);
        let primary = Arc::new(Primary(vec![self.names[1].clone()]));
        Injector::over(launches.collect(), daemons, Vec::new(), primary, None).await
    }

    /// A drawn fault's call.
    fn call(&self, id: u64, name: &str, options: Value) -> Call {
        let fault = faults::find(name).unwrap();
        let options = options.as_object().cloned().unwrap_or_default();
        let mut rng = Seed(7).stream(name);
        let plan = faults::plan(fault, &self.names, &options, &mut rng).unwrap();
        let (nodes, summary, plan) = (plan.nodes, plan.summary, plan.data);
        let note = FaultNote { id, stage: Stage::Inject, nodes, summary, plan, effect: None };
        Call::new(name).value(json!(note))
    }
}

fn healing(call: &Call) -> Call {
    let mut call = call.clone();
    call.value["stage"] = json!("heal");
    call
}

fn evidence(reply: &NemesisReply) -> String {
    assert_eq!(reply.error, None);
    reply.note.effect.as_ref().map(|effect| effect.evidence.join("; ")).unwrap_or_default()
}

pub async fn every_fault_is_injected_observed_and_healed() {
    let Some(cluster) = Cluster::new() else { return };
    let mut injector = cluster.injector().await.unwrap();
    // These nodes have no wire of ours, no control groups (`ip netns` hides them), no database that
    // could be started (again), and no disk of their own: ssh_faults has all that.
    let possible = |needs: Needs| match needs {
        Needs::Wire | Needs::Start | Needs::Files | Needs::Cgroup(_) | Needs::Data => false,
        Needs::Membership | Needs::Upgrade => false,
        other => other.ground().is_none(),
    };
    let faults = FAULTS.iter().filter(|fault| possible(fault.needs()));
    for (id, fault) in faults.enumerate() {
        let options = Value::Object(fault.example(&cluster.names));
        let call = cluster.call(id as u64, fault.name(), options);
        let injected = injector.invoke(&call).await;
        let seen = evidence(&injected);
        assert_eq!(injected.note.stage, Stage::Injected);
        assert!(!injected.note.nodes.is_empty() && !injected.note.summary.is_empty());
        assert!(injected.note.effect.unwrap().observed, "{}: {seen}", fault.name());
        let healed = injector.invoke(&healing(&call)).await;
        let seen = evidence(&healed);
        assert_eq!(healed.note.stage, Stage::Healed);
        assert!(healed.note.effect.unwrap().observed, "{}: {seen}", fault.name());
        println!("{} {}: {seen}", fault.name(), injected.note.summary);
    }
    for node in 1..=3 {
        assert_eq!(cluster.wire.rules(node), "");
    }
}

pub async fn primaries_are_looked_up_when_the_time_has_come() {
    let Some(cluster) = Cluster::new() else { return };
    let mut injector = cluster.injector().await.unwrap();
    let call = cluster.call(0, "pause", json!({"target": "primaries"}));
    assert_eq!(call.value.get("nodes"), None, "nobody knows before: {call:?}");
    let injected = injector.invoke(&call).await;
    assert_eq!(injected.note.nodes, [cluster.names[1].clone()]);
    assert_eq!(injected.note.summary, "primaries: n2");
    assert_eq!(evidence(&injected), "n2: 5 of 5 threads stopped");
    let stopped = |node: usize| states(cluster.daemons[node].child.id()).starts_with('T');
    assert!(stopped(1) && !stopped(0) && !stopped(2));
    assert_eq!(injector.heal_all().await, [] as [&str; 0]);
    assert!(!stopped(1));

    let call = cluster.call(1, "partition-primaries", json!({"with": 1, "ports": 7000}));
    assert_eq!((call.value.get("nodes"), call.value["plan"].get("cuts")), (None, None));
    let injected = injector.invoke(&call).await;
    assert!(injected.note.effect.as_ref().unwrap().observed, "{}", evidence(&injected));
    let [one, other] = &injected.note.nodes[..] else { panic!("{:?}", injected.note) };
    assert!(*one == cluster.names[1] || *other == cluster.names[1]);
    let summary = &injected.note.summary;
    assert!(summary.ends_with("} on port 7000 (primary: n2)"), "{summary}");
    // Whose packets are dropped is told as soon as it is known.
    let cuts = injected.note.plan["cuts"].as_object().unwrap();
    assert_eq!(cuts.len(), 3);
    assert!(cuts["n2"].as_array().unwrap().len() == 1);
    assert!(cluster.wire.rules(2).contains("dport 7000"), "{}", cluster.wire.rules(2));
    assert!(evidence(&injector.invoke(&healing(&call)).await).contains("packets dropped from"));
    assert_eq!(cluster.wire.rules(2), "");
}

pub async fn two_partitions_at_once_are_both_seen_and_each_heals_alone() {
    let Some(cluster) = Cluster::new() else { return };
    let mut injector = cluster.injector().await.unwrap();
    let calls = [("partition-one", 0), ("partition-halves", 1), ("partition-given", 2)];
    let calls = calls.map(|(name, id)| {
        let options = json!({"cuts": ["n1>n2", "n2>n1", "n1>n3", "n3>n1", "n2>n3", "n3>n2"]});
        let given = name == "partition-given";
        cluster.call(id, name, if given { options } else { Value::Null })
    });
    for call in &calls {
        let injected = injector.invoke(call).await;
        assert!(injected.note.effect.as_ref().unwrap().observed, "{}", evidence(&injected));
    }
    for call in &calls {
        assert_ne!(cluster.wire.rules(1), "");
        let healed = injector.invoke(&healing(call)).await;
        assert!(healed.note.effect.as_ref().unwrap().observed, "{}", evidence(&healed));
    }
    for node in 1..=3 {
        assert_eq!(cluster.wire.rules(node), "");
    }
}

pub async fn an_agent_that_dies_is_replaced_and_its_fault_called_failed() {
    let Some(cluster) = Cluster::new() else { return };
    let mut injector = cluster.injector().await.unwrap();
    let call = cluster.call(0, "pause", json!({"target": "all"}));
    assert!(injector.invoke(&call).await.error.is_none());
    let stopped = |node: usize| states(cluster.daemons[node].child.id()).contains('T');
    assert!(stopped(0) && stopped(1) && stopped(2));
    let child = cluster.launches[1].child.lock().unwrap().take();
    child.unwrap().kill().await.unwrap();
    wait_until("the successor undoes the pause", || !stopped(1));
    assert!(stopped(0) && stopped(2));
    let healed = injector.invoke(&healing(&call)).await;
    let error = healed.error.expect("it did not act throughout");
    assert!(error.starts_with("n2: the agent died while it held the fault"), "{error}");
    assert!(!stopped(0) && !stopped(2));
    // The successor serves.
    let call = cluster.call(1, "pause", json!({"target": "all"}));
    assert!(evidence(&injector.invoke(&call).await).contains("n2: 5 of 5 threads stopped"));
    drop(injector);
    wait_until("agents without an injector undo all", || (0..3).all(|node| !stopped(node)));
}

pub async fn half_a_fault_is_taken_back() {
    let Some(mut cluster) = Cluster::new() else { return };
    let mut injector = cluster.injector().await.unwrap();
    let gone = cluster.daemons.remove(2);
    let pid = gone.child.id();
    drop(gone);
    let call = cluster.call(0, "pause", json!({"target": "all"}));
    let injected = injector.invoke(&call).await;
    assert_eq!(injected.error, Some(format!("n3: the daemon (pid {pid}) is gone")));
    for daemon in &cluster.daemons {
        assert!(!states(daemon.child.id()).contains('T'));
    }
    assert_eq!(injector.invoke(&healing(&call)).await.error, None);
}
