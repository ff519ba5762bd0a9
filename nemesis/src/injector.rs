//! The nemesis of a run: performs the schedule's calls through the agents.

use std::collections::{BTreeMap, BTreeSet};
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
use crate::faults::{self, Aim, Family, Fault, Plan, Toll};
use crate::field::Field;
use crate::launch::{Executable, Launch, OverSsh};
use crate::schedule::down;

/// Why faults cannot be injected at all. A set-up failure is never a verdict.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConnectError(String);

/// Injects and heals faults. Dropping it ends the agents, which undo all they hold.
pub struct Injector {
    field: Field,
    active: BTreeMap<u64, Active>,
    /// How many nodes may be down at once.
    max_down: Option<usize>,
    /// Nodes that were down: they may be on their way back.
    recovering: BTreeSet<Name>,
    /// Nodes whose database was killed for good.
    dead: BTreeSet<Name>,
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
    toll: Toll,
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
        Ok(Self {
            field,
            active: BTreeMap::new(),
            max_down: None,
            recovering: BTreeSet::new(),
            dead: BTreeSet::new(),
            lacks,
            ground: None,
            tenant: tenant(),
        })
    }

    /// The same that never takes down more nodes than this at once, whatever it is told to.
    pub fn limited_to(self, max_down: Option<usize>) -> Self {
        Self { max_down, ..self }
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
        let (aim, toll) = self.aimed(fault, plan).await?;
        let lives = aim.harms.keys().map(|node| (node.clone(), self.field.lives(node))).collect();
        // Held from here on: if injecting fails half-way and taking it back does
        // too, healing it later is tried again.
        let active = Active { fault, aim: aim.clone(), toll, observed: false, lives };
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
        let Active { fault, aim, observed, lives, .. } = active;
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
        if let Some(healed) = self.active.remove(&note.id) {
            let there = if healed.aim.stays_dead { &mut self.dead } else { &mut self.recovering };
            there.extend(healed.toll.out);
        }
        if died.is_empty() {
            return Ok(FaultNote { effect: Some(effect), ..answer(note, Stage::Healed) });
        }
        Err(died.join("; "))
    }
}

impl Injector {
    /// Aims, and where that would take too many nodes down, at fewer.
    async fn aimed(&mut self, fault: &dyn Fault, plan: Plan) -> Result<(Aim, Toll), String> {
        let plan = if fault.family() == Family::Processes { self.living(plan) } else { plan };
        let aim = fault.aim(&self.field, &plan).await?;
        let hit = Plan { nodes: aim.nodes.clone(), ..plan.clone() };
        let toll = fault.toll(&hit);
        let Some(most) = self.max_down else { return Ok((aim, toll)) };
        if toll == Toll::default() {
            return Ok((aim, toll));
        }
        self.await_recovered().await?;
        if self.down_with(&toll) <= most {
            return Ok((aim, toll));
        }
        // Who is hit was known only now: as many of them as there may be.
        let mut kept = Vec::new();
        for node in aim.nodes.iter().filter(|_| plan.nodes.is_empty()) {
            kept.push(node.clone());
            if self.down_with(&Toll { out: kept.clone(), ..Toll::default() }) > most {
                kept.pop();
            }
        }
        if kept.is_empty() {
            let down = self.down_with(&toll);
            let others: Vec<String> = self.active.values().map(Active::told).collect();
            let others = if others.is_empty() { "nothing else".into() } else { others.join(", ") };
            return Err(format!(
                "left out: {} would be down with it, beside {others}, and `max_down` is {most}",
                if down == 1 { "1 node".to_owned() } else { format!("{down} nodes") },
            ));
        }
        let left: Vec<_> = aim.nodes.iter().filter(|node| !kept.contains(node)).cloned().collect();
        let summary = format!("{}, but not {}: `max_down`", aim.summary, left.join(" "));
        let mut plan = Plan { nodes: kept, summary, data: plan.data };
        plan.data.remove("target");
        let (aim, toll) = (fault.aim(&self.field, &plan).await?, fault.toll(&plan));
        match aim.nodes == plan.nodes {
            true => Ok((aim, toll)),
            false => Err(format!("left out: it would be too much: {}", aim.summary)),
        }
    }

    /// The plan with living nodes in the places of dead ones: whom primaries were when one of them was
    /// killed for good, nobody could know when the plan was made.
    fn living(&self, plan: Plan) -> Plan {
        let mut plan = plan;
        for dead in &self.dead {
            let named = |node: &&Name| !self.dead.contains(*node) && !plan.nodes.contains(node);
            let Some(living) = self.field.nodes().find(named).cloned() else { continue };
            plan = plan.with_instead(dead, &living);
        }
        plan
    }

    /// How many nodes would be down under this, and all that is held already.
    fn down_with(&self, toll: &Toll) -> usize {
        let nodes: Vec<Name> = self.field.nodes().cloned().collect();
        let dead = Toll { out: self.dead.iter().cloned().collect(), ..Toll::default() };
        let held = self.active.values().map(|active| active.toll.clone()).chain([dead]);
        down(&nodes, &held.chain([toll.clone()]).collect::<Vec<_>>())
    }

    /// Waits for nodes that were down: until they serve again, they are.
    async fn await_recovered(&mut self) -> Result<(), String> {
        let out: Vec<&Name> = self.active.values().flat_map(|it| &it.toll.out).collect();
        let back: Vec<Name> =
            self.recovering.iter().filter(|node| !out.contains(node)).cloned().collect();
        let ready = |field: Field, node: Name| async move { field.ready(&node).await };
        self.field.on_each(&back, ready).await.map_err(|why| {
            format!("left out: the nodes of an earlier fault are not back: {why}")
        })?;
        self.recovering.retain(|node| !back.contains(node));
        Ok(())
    }
}

impl Active {
    /// In words, for a sentence.
    fn told(&self) -> String {
        format!("{} {}", self.fault.name(), self.aim.summary)
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
