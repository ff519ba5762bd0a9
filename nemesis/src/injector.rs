//! The nemesis of a run: performs the schedule's calls through the agents.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Deserialize;
use tokio::task::JoinSet;
use tribunal_harness::cluster::local::wire;
use tribunal_harness::cluster::{Node, Session};
use tribunal_harness::database::{Daemons, Database};
use tribunal_harness::nemesis::{Nemesis, NemesisReply};
use tribunal_history::{Call, Effect, FaultNote, Name, Stage};

use crate::agent::protocol::{Ground, Harm, Reply, Request};
use crate::agent::{DIRECTORY, GROUND};
use crate::faults::{self, Aim, Fault, Plan};
use crate::field::Field;
use crate::launch::{Executable, Launch, OverSsh};

/// Why faults cannot be injected at all. A set-up failure is never a verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConnectError(String);

/// Injects and heals faults. Dropping it ends the agents, which undo all they hold.
pub struct Injector {
    field: Field,
    active: BTreeMap<u64, Active>,
    /// What each node has not.
    lacks: BTreeMap<Name, BTreeMap<String, String>>,
    /// What is to be laid under the database's data.
    ground: Option<Ground>,
    /// What ground is known by.
    tenant: String,
}

/// A fault that may be doing harm.
struct Active {
    fault: &'static dyn Fault,
    aim: Aim,
    observed: bool,
    /// How many agents each victim had had when it was injected.
    lives: BTreeMap<Name, u64>,
}

impl Injector {
    /// Starts an agent on every node, over its session. What an earlier run left
    /// there is undone first; what cannot be undone is an error.
    pub async fn connect(
        sessions: &[Arc<Session>],
        daemons: Arc<Daemons>,
        database: Arc<dyn Database>,
        agent: &Path,
        wire: Option<&Path>,
        lease: Duration,
    ) -> Result<Self, ConnectError> {
        let executable = Executable::read(agent).await.map_err(ConnectError)?;
        let tenant = tenant();
        let launch = |session: &Arc<Session>| {
            let (session, executable) = (session.clone(), executable.clone());
            let (node, tenant) = (session.node().clone(), tenant.clone());
            (node, Arc::new(OverSsh { session, executable, lease, tenant }) as Arc<dyn Launch>)
        };
        let launches = sessions.iter().map(launch).collect();
        let wire = match wire {
            Some(path) => Some(wire::Line::open(path, lease).await.map_err(ConnectError)?),
            None => None,
        };
        let mut injector = Self::over(launches, daemons, sessions.to_vec(), database, wire).await?;
        injector.tenant = tenant;
        Ok(injector)
    }

    /// The ground that it is to lay.
    pub fn on(self, ground: Option<Ground>) -> Self {
        Self { ground, ..self }
    }

    /// The same over agents that are started in any other way.
    pub async fn over(
        launches: Vec<(Node, Arc<dyn Launch>)>,
        daemons: Arc<Daemons>,
        sessions: Vec<Arc<Session>>,
        database: Arc<dyn Database>,
        wire: Option<wire::Line>,
    ) -> Result<Self, ConnectError> {
        let opened = Field::open(launches, daemons, sessions, database, wire).await;
        let (field, greetings) = opened.map_err(ConnectError)?;
        let mut lacks = BTreeMap::new();
        for (node, greeting) in greetings {
            lacks.insert(node.clone(), greeting.lacks);
            for undone in greeting.undone {
                tracing::info!(%node, undone, "left by an earlier run, undone");
            }
            if let Some(left) = greeting.left.first() {
                let text = format!("node {node}: an earlier run left a fault behind: {left}");
                return Err(ConnectError(text));
            }
        }
        Ok(Self { field, active: BTreeMap::new(), lacks, ground: None, tenant: tenant() })
    }

    /// Whether the nodes have what faults of these names need; else what a node lacks.
    pub fn check<'n>(&self, faults: impl IntoIterator<Item = &'n str>) -> Result<(), ConnectError> {
        for name in faults {
            let fault = faults::find(name).map_err(|error| ConnectError(error.to_string()))?;
            let Some(needed) = fault.needs().name() else { continue };
            for (node, lacks) in &self.lacks {
                if let Some(why) = lacks.get(needed) {
                    let text = format!("the fault `{name}` cannot be done on node {node}: {why}");
                    return Err(ConnectError(text));
                }
            }
        }
        Ok(())
    }

    async fn inject(&mut self, name: &str, note: &FaultNote) -> Result<FaultNote, String> {
        let fault = faults::find(name).map_err(|error| error.to_string())?;
        let plan = Plan {
            nodes: note.nodes.clone(),
            summary: note.summary.clone(),
            data: note.plan.clone(),
        };
        let aim = fault.aim(&self.field, &plan).await?;
        let lives = aim.harms.keys().map(|node| (node.clone(), self.field.lives(node))).collect();
        // Held from here on: if injecting fails half-way and taking it back does
        // too, healing it later is tried again.
        let active = Active { fault, aim: aim.clone(), observed: false, lives };
        self.active.insert(note.id, active);
        fault.inject(&self.field, note.id, &aim).await?;
        let effect = fault.observe(&self.field, note.id, &aim).await;
        if let Some(active) = self.active.get_mut(&note.id) {
            active.observed = effect.observed;
        }
        let injected = FaultNote {
            nodes: aim.nodes,
            summary: aim.summary,
            effect: Some(effect),
            plan: aim.learned,
            ..answer(note, Stage::Injected)
        };
        Ok(injected)
    }

    async fn heal(&mut self, note: &FaultNote) -> Result<FaultNote, String> {
        // One that could not even be aimed left nothing to heal.
        let Some(active) = self.active.get_mut(&note.id) else {
            return Ok(answer(note, Stage::Healed));
        };
        let Active { fault, aim, observed, lives } = active;
        let Effect { observed: at_the_end, evidence } =
            fault.heal(&self.field, note.id, aim).await?;
        let died: Vec<String> = lives
            .iter()
            .filter(|(node, lives)| self.field.lives(node) != **lives)
            .map(|(node, _)| {
                format!("{node}: the agent died while it held the fault, so it was undone early")
            })
            .collect();
        let effect = Effect { observed: *observed || at_the_end, evidence };
        self.active.remove(&note.id);
        if died.is_empty() {
            return Ok(FaultNote { effect: Some(effect), ..answer(note, Stage::Healed) });
        }
        Err(died.join("; "))
    }
}

/// The note of an answer: who and which, but not the plan over again.
fn answer(note: &FaultNote, stage: Stage) -> FaultNote {
    let (nodes, summary) = (note.nodes.clone(), note.summary.clone());
    FaultNote { id: note.id, stage, nodes, summary, plan: Default::default(), effect: None }
}

#[async_trait]
impl Nemesis for Injector {
    async fn invoke(&mut self, call: &Call) -> NemesisReply {
        let note = match FaultNote::deserialize(&call.value) {
            Ok(note) => note,
            Err(error) => {
                let note = FaultNote {
                    id: u64::MAX,
                    stage: Stage::Injected,
                    nodes: Vec::new(),
                    summary: String::new(),
                    plan: Default::default(),
                    effect: None,
                };
                let error =
                    Some(format!("`{}` is not called with a fault's note: {error}", call.f));
                return NemesisReply { note, error };
            }
        };
        let (done, after) = match note.stage {
            Stage::Inject | Stage::Injected => (self.inject(&call.f, &note).await, Stage::Injected),
            Stage::Heal | Stage::Healed => (self.heal(&note).await, Stage::Healed),
        };
        match done {
            Ok(note) => NemesisReply { note, error: None },
            Err(error) => NemesisReply { note: answer(&note, after), error: Some(error) },
        }
    }

    async fn heal_all(&mut self) -> Vec<String> {
        let mut left = Vec::new();
        for (id, Active { fault, aim, .. }) in std::mem::take(&mut self.active) {
            left.extend(fault.heal(&self.field, id, &aim).await.err());
        }
        // Agents may hold what nobody here knows of any more.
        let nodes: Vec<Name> = self.field.nodes().cloned().collect();
        let requests = nodes.into_iter().map(|node| (node, Request::HealAll));
        for (node, reply) in self.field.ask_all(requests).await {
            match reply {
                Ok(Reply::Left { left: sentences }) => {
                    left.extend(sentences.into_iter().map(|text| format!("{node}: {text}")));
                }
                Ok(_) => {}
                Err(error) => left.push(error),
            }
        }
        left
    }

    async fn lay_ground(&mut self) -> Result<(), String> {
        let Some(ground) = self.ground.clone() else { return Ok(()) };
        let lay = |node: &Name| {
            let at = self.field.data_dir(node)?.into();
            let harm = Harm::Lay { ground: ground.clone(), at, tenant: self.tenant.clone() };
            Ok((node.clone(), Request::Inject { fault: GROUND, harm }))
        };
        let requests = self.field.nodes().map(lay).collect::<Result<Vec<_>, String>>()?;
        let replies = self.field.ask_all(requests).await;
        let errors: Vec<String> =
            replies.into_iter().filter_map(|(_, reply)| reply.err()).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors.join("; ")) }
    }

    async fn lift_ground(&mut self) -> Vec<String> {
        if self.ground.is_none() {
            return Vec::new();
        }
        let nodes: Vec<Name> = self.field.nodes().cloned().collect();
        let lift = |node| (node, Request::Heal { fault: GROUND });
        let replies = self.field.ask_all(nodes.into_iter().map(lift)).await;
        replies.into_iter().filter_map(|(_, reply)| reply.err()).collect()
    }
}

/// A word that no other controller has.
fn tenant() -> String {
    use std::hash::{BuildHasher, Hasher};
    let chance = std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{chance:016x}")
}

/// Undoes what killed agents left on these nodes, and ends agents that still
/// run there (`tribunal heal`). What could not be undone comes back, a sentence
/// a node.
pub async fn heal(sessions: &[Arc<Session>], agent: &Path) -> Vec<String> {
    let executable = match Executable::read(agent).await {
        Ok(executable) => executable,
        Err(error) => return vec![error],
    };
    let mut healing = JoinSet::new();
    for session in sessions {
        let (session, executable) = (session.clone(), executable.clone());
        healing.spawn(async move {
            let name = &session.node().id;
            heal_node(&session, &executable).await.err().map(|why| format!("node {name}: {why}"))
        });
    }
    let mut left: Vec<String> = healing.join_all().await.into_iter().flatten().collect();
    left.sort();
    left
}

async fn heal_node(session: &Session, executable: &Executable) -> Result<(), String> {
    let told = |error: tribunal_harness::cluster::SessionError| error.to_string();
    // Where no agent ever was, there is nothing to heal.
    let there = session.run(&format!("test -e {DIRECTORY}/journal.jsonl")).await.map_err(told)?;
    if there.code != Some(0) {
        return Ok(());
    }
    let path = executable.install(session).await?;
    let healed = session.run(&format!("{path} agent --heal")).await.map_err(told)?;
    match healed.code {
        Some(0) => Ok(()),
        _ => Err(healed.stderr.trim().replace('\n', "; ")),
    }
}
