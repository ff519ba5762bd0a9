//! The faults, one file each, and the table that lists them.
//!
//! A fault plans (pure, from nodes and chance), aims (what is to be done on
//! which node, which may need to ask the database), and then injects, observes
//! and heals through the agents. Only aiming and observing differ; the rest is
//! the same for all, and provided.

mod bad_disk;
mod bad_disk_kinds;
mod clock;
mod clock_kinds;
mod crash_loop;
mod damage;
mod damage_kinds;
mod disk;
mod family;
mod freeze;
mod given;
mod kill;
mod limit;
mod limit_kinds;
mod link;
mod link_kinds;
mod link_on_hosts;
mod member;
mod member_leave;
mod member_replace;
mod partition;
mod partition_any;
mod partition_bridge;
mod partition_given;
mod partition_halves;
mod partition_majority;
mod partition_non_transitive;
mod partition_one;
mod partition_one_way;
mod partition_primaries;
mod partition_ring;
mod pause;
pub mod ports;
mod power_loss;
mod restart;
mod rolling;
mod snapshot_restore;
mod target;
mod toll;

use std::collections::BTreeMap;

use async_trait::async_trait;
use tribunal_generator::Rng;
use tribunal_harness::cluster::cgroup::Controller;
use tribunal_harness::cluster::local::wire::{Ruled, Tallied};
use tribunal_history::{Effect, Map, Name, Value};

use crate::agent::protocol::{Harm, Reply, Request};
use crate::field::Field;
use crate::model::{Failures, Synchrony, SystemModel};

pub use family::Family;
pub use toll::Toll;

/// Every fault there is.
pub static FAULTS: &[&dyn Fault] = &[
    &partition_any::FAULT,
    &partition_halves::FAULT,
    &partition_one::FAULT,
    &partition_ring::FAULT,
    &partition_bridge::FAULT,
    &partition_one_way::FAULT,
    &partition_majority::FAULT,
    &partition_primaries::Primaries,
    &partition_non_transitive::FAULT,
    &partition_given::FAULT,
    &pause::Pause,
    &freeze::Freeze,
    &limit_kinds::CPU,
    &limit_kinds::MEMORY,
    &limit_kinds::PROCESSES,
    &limit_kinds::FILES,
    &clock_kinds::JUMP,
    &clock_kinds::DRIFT,
    &clock_kinds::FREEZE,
    &clock_kinds::STROBE,
    &kill::Kill,
    &restart::Restart,
    &crash_loop::CrashLoop,
    &rolling::RESTART,
    &rolling::UPGRADE,
    &member_leave::MemberLeave,
    &member_replace::MemberReplace,
    &power_loss::PowerLoss,
    &disk::FULL,
    &disk::HUNG,
    &bad_disk_kinds::READ_ERROR,
    &bad_disk_kinds::WRITE_ERROR,
    &bad_disk_kinds::SYNC_ERROR,
    &bad_disk_kinds::NO_SPACE,
    &bad_disk_kinds::SLOW,
    &bad_disk_kinds::BIT_FLIPS,
    &bad_disk_kinds::TORN_WRITES,
    &bad_disk_kinds::LOST_SYNC,
    &damage_kinds::TRUNCATED,
    &damage_kinds::FLIPPED,
    &damage_kinds::LOST,
    &damage_kinds::SWAPPED,
    &snapshot_restore::SnapshotRestore,
    &link_kinds::SLOW,
    &link_kinds::LOSSY,
    &link_kinds::DUPLICATING,
    &link_kinds::REORDERING,
    &link_kinds::CORRUPTING,
    &link_kinds::NARROW,
    &link_kinds::HELD,
    &link_kinds::ALTERING,
    &link_kinds::REPLAYING,
];

/// The fault of this name.
pub fn find(name: &str) -> Result<&'static dyn Fault, PlanError> {
    FAULTS.iter().copied().find(|fault| fault.name() == name).ok_or_else(|| {
        let known = FAULTS.iter().map(|fault| fault.name()).collect::<Vec<_>>().join(", ");
        PlanError::Unknown { fault: name.to_owned(), known }
    })
}

/// Something that can be chosen about a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaultOption {
    /// Its key.
    pub name: &'static str,
    /// What it means, and what it is by default.
    pub doc: &'static str,
}

impl FaultOption {
    /// An option, for a fault's table.
    const fn new(name: &'static str, doc: &'static str) -> Self {
        Self { name, doc }
    }
}

/// What was chosen.
pub type Options = Map<String, Value>;

/// What is to be done, drawn up front.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plan {
    /// The nodes that are harmed; empty where only the injection will tell.
    pub nodes: Vec<Name>,
    /// In words.
    pub summary: String,
    /// As data: with it alone the fault can be injected again.
    pub data: Map<String, Value>,
}

/// What a plan's data says of victims that are not to come back.
const STAYS_DEAD: &str = "stays_dead";

impl Plan {
    /// Whether its victims are not to come back.
    pub fn stays_dead(&self) -> bool {
        self.data.get(STAYS_DEAD) == Some(&Value::Bool(true))
    }
}

impl Plan {
    /// The same for another node, wherever this one is named.
    pub fn with_instead(self, gone: &Name, other: &Name) -> Self {
        let named = self.nodes.contains(gone);
        let data = renamed(Value::Object(self.data), gone, other);
        let Value::Object(data) = data else { unreachable!("an object is renamed to one") };
        let summary = match named {
            true => format!("{} ({other} instead of {gone}, which is dead)", self.summary),
            false => self.summary,
        };
        let nodes = self.nodes.into_iter().map(|it| if it == *gone { other.clone() } else { it });
        Self { nodes: nodes.collect(), summary, data }
    }
}

/// A value with another name wherever this one is a word or a key in it.
fn renamed(value: Value, gone: &Name, other: &Name) -> Value {
    match value {
        Value::String(text) if *text == **gone => Value::from(&**other),
        Value::Array(values) => {
            values.into_iter().map(|value| renamed(value, gone, other)).collect()
        }
        Value::Object(map) => {
            let key = |key: String| if *key == **gone { other.to_string() } else { key };
            map.into_iter().map(|(name, value)| (key(name), renamed(value, gone, other))).collect()
        }
        value => value,
    }
}

/// A plan brought down to the nodes as they are now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aim {
    /// What agents do where.
    pub harms: BTreeMap<Name, Harm>,
    /// What the wire does to which links.
    pub links: Vec<Ruled>,
    /// What the wire draws chance from.
    pub seed: u64,
    /// For what is done again and again: after how many milliseconds each time.
    pub moments: Vec<u64>,
    /// The database is not started again at the end.
    pub stays_dead: bool,
    /// The nodes that are harmed.
    pub nodes: Vec<Name>,
    /// In words.
    pub summary: String,
    /// As data: what the plan left open.
    pub learned: Map<String, Value>,
}

/// What a fault cannot be injected without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The packet filter of the nodes.
    Nft,
    /// A database that runs, and nothing else.
    Daemon,
    /// Processes whose vDSO can be patched.
    Clock,
    /// A database that can be started again: a run's.
    Start,
    /// A database of which a run knows how nodes leave and join it.
    Membership,
    /// A database of which a run knows how its other version is installed and started.
    Upgrade,
    /// Control groups that can do this.
    Cgroup(Controller),
    /// The right to limit a process' open files.
    Files,
    /// A wire of ours between the nodes, which local ones have.
    Wire,
    /// Such a wire, or nodes whose kernel has netem.
    Links,
    /// A disk of ours under the data of a run's database.
    Image,
    /// A filesystem of ours between a run's database and its data.
    Fuse,
    /// The folder of the database's data.
    Data,
}

impl Needs {
    /// What a run has to lay under the database's data first.
    pub fn ground(self) -> Option<GroundKind> {
        match self {
            Needs::Image => Some(GroundKind::Image),
            Needs::Fuse => Some(GroundKind::Fuse),
            Needs::Nft
            | Needs::Daemon
            | Needs::Clock
            | Needs::Start
            | Needs::Membership
            | Needs::Upgrade
            | Needs::Cgroup(_)
            | Needs::Files
            | Needs::Wire
            | Needs::Links
            | Needs::Data => None,
        }
    }
}

/// A kind of ground; a run stands on one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroundKind {
    /// A disk of its own, in a file.
    Image,
    /// A filesystem of ours over the folder.
    Fuse,
}

/// Where nodes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On this machine, made by us.
    Local,
    /// Somewhere else, and there before.
    Hosts,
}

impl Needs {
    /// As an agent calls it that finds that its node has not got it.
    pub(crate) fn name(self) -> Option<&'static str> {
        match self {
            Needs::Cgroup(controller) => Some(controller.name()),
            _ => None,
        }
    }
}

/// One kind of harm.
#[async_trait]
pub trait Fault: Send + Sync {
    /// Its name, as users write it.
    fn name(&self) -> &'static str;

    /// What it does, in a sentence.
    fn doc(&self) -> &'static str;

    /// What can be chosen about it.
    fn options(&self) -> &'static [FaultOption] {
        &[]
    }

    /// Options that it cannot do without, as an example for these nodes.
    fn example(&self, _: &[Name]) -> Options {
        Options::new()
    }

    /// What it cannot be injected without.
    fn needs(&self) -> Needs;

    /// Why it cannot be injected there with these options, if it certainly cannot.
    fn refuses(&self, _options: &Options, _place: Place) -> Option<String> {
        None
    }

    /// What it harms: no two of a family are drawn to act at once. Where its needs do not tell, it
    /// says so itself.
    fn family(&self) -> Family {
        Family::of(self.needs())
    }

    /// The mildest system model in which it can happen. What does not say is taken for the wildest.
    fn assumes(&self) -> SystemModel {
        SystemModel::new(Synchrony::PartiallySynchronous, Failures::Byzantine)
    }

    /// What a model leaves of its plan, where the model allows it at all.
    fn within(&self, _: SystemModel, plan: Plan) -> Plan {
        plan
    }

    /// What it takes from the cluster while it acts. The nodes of its plan, if it does not know better.
    fn toll(&self, plan: &Plan) -> Toll {
        Toll::nodes(plan)
    }

    /// Whether the database must be able to say who is primary.
    fn asks_for_primaries(&self) -> bool {
        false
    }

    /// How it is seen to act, from inside its victims.
    fn seen(&self) -> &'static str;

    /// What it costs, as measured: how long injecting and healing take, and what else the harness
    /// does to the database or the nodes meanwhile, beside the harm.
    fn cost(&self) -> &'static str;

    /// Draws one. Options are known ones here ([`plan`] checks); their values are
    /// for the fault to judge.
    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError>;

    /// What to do on which node, now.
    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String>;

    /// Does the harm, on all nodes at once: on all of them, or on none.
    async fn inject(&self, field: &Field, id: u64, aim: &Aim) -> Result<(), String> {
        inject(field, id, aim, || self.heal(field, id, aim)).await
    }

    /// Looks at it from inside every victim.
    async fn observe(&self, field: &Field, id: u64, aim: &Aim) -> Effect {
        look(field, id, aim).await
    }

    /// Undoes it on all nodes at once, and tells what was seen at the end.
    async fn heal(&self, field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
        heal(field, id, aim).await
    }
}

/// Has every victim's agent do it, and the wire; where one cannot, all is healed.
async fn inject<F>(
    field: &Field,
    id: u64,
    aim: &Aim,
    heal: impl FnOnce() -> F,
) -> Result<(), String>
where
    F: Future<Output = Result<Effect, String>>,
{
    let inject = |(node, harm): (&Name, &Harm)| {
        (node.clone(), Request::Inject { fault: id, harm: harm.clone() })
    };
    let replies = field.ask_all(aim.harms.iter().map(inject)).await;
    let mut errors: Vec<String> =
        replies.into_iter().filter_map(|(_, reply)| reply.err()).collect();
    errors.extend(field.impose(id, aim).await.err());
    if errors.is_empty() {
        return Ok(());
    }
    let undone = heal().await.err();
    Err(errors.into_iter().chain(undone).collect::<Vec<_>>().join("; "))
}

/// Has every victim's agent undo it, and the wire.
async fn heal(field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
    let heal = |node: &Name| (node.clone(), Request::Heal { fault: id });
    let (effect, mut errors) = gather(field.ask_all(aim.harms.keys().map(heal)).await);
    let effect = with_links(effect, aim, field.lift(id, aim).await, &mut errors);
    if errors.is_empty() { Ok(effect) } else { Err(errors.join("; ")) }
}

/// Starts the database again wherever it has ended: what came of it, a sentence a node.
async fn start_again(field: &Field, nodes: &[Name]) -> Result<Vec<String>, String> {
    // By hand there may be no database at all.
    let nodes: Vec<Name> =
        nodes.iter().filter(|&node| field.daemon(node).is_ok()).cloned().collect();
    let started = field.on_each(&nodes, |field, node| async move {
        match field.has_ended(&node).await? {
            true => field.start(&node).await.map(|pid| format!("started again as process {pid}")),
            false => Ok("it runs".to_owned()),
        }
    });
    Ok(started.await?.into_iter().map(|(node, told)| format!("{node}: {told}")).collect())
}

/// Asks every victim what it sees, and the wire.
async fn look(field: &Field, id: u64, aim: &Aim) -> Effect {
    let observe = |node: &Name| (node.clone(), Request::Observe { fault: id });
    let (effect, mut errors) = gather(field.ask_all(aim.harms.keys().map(observe)).await);
    let mut effect = with_links(effect, aim, field.tallies(id, aim).await, &mut errors);
    effect.observed &= errors.is_empty();
    effect.evidence.extend(errors);
    effect
}

/// An effect with what the wire saw of it.
fn with_links(
    agents: Effect,
    aim: &Aim,
    seen: Result<Vec<Tallied>, String>,
    errors: &mut Vec<String>,
) -> Effect {
    if aim.links.is_empty() {
        return agents;
    }
    let of_links = link::effect(&seen.unwrap_or_else(|error| {
        errors.push(error);
        Vec::new()
    }));
    let observed = of_links.observed && (aim.harms.is_empty() || agents.observed);
    let evidence = agents.evidence.into_iter().chain(of_links.evidence).collect();
    Effect { observed, evidence }
}

/// One effect from what the nodes saw: observed when every one of them did.
fn gather(replies: Vec<(Name, Result<Reply, String>)>) -> (Effect, Vec<String>) {
    let mut effect = Effect { observed: !replies.is_empty(), evidence: Vec::new() };
    let mut errors = Vec::new();
    for (node, reply) in replies {
        match reply {
            Ok(Reply::Seen(seen)) => {
                effect.observed &= seen.observed;
                effect.evidence.extend(seen.evidence.iter().map(|text| format!("{node}: {text}")));
            }
            Ok(_) => effect.observed = false,
            Err(error) => errors.push(error),
        }
    }
    (effect, errors)
}

/// Draws one fault of a kind, after a look at the options.
pub fn plan(
    fault: &dyn Fault,
    nodes: &[Name],
    options: &Options,
    rng: &mut Rng,
) -> Result<Plan, PlanError> {
    let known = fault.options();
    if let Some(unknown) = options.keys().find(|key| known.iter().all(|option| option.name != *key))
    {
        let listed = known.iter().map(|option| option.name).collect::<Vec<_>>().join(", ");
        return Err(PlanError::UnknownOption {
            fault: fault.name(),
            option: unknown.clone(),
            known: if listed.is_empty() {
                "it has none".into()
            } else {
                format!("it has {listed}")
            },
        });
    }
    fault.draw(nodes, options, rng)
}

/// Why a fault cannot be planned.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum PlanError {
    /// No fault of that name.
    #[error("there is no fault `{fault}`; there are {known}")]
    Unknown {
        /// What was asked for.
        fault: String,
        /// What there is.
        known: String,
    },
    /// No option of that name.
    #[error("the fault `{fault}` has no option `{option}`; {known}")]
    UnknownOption {
        /// Which fault.
        fault: &'static str,
        /// What was given.
        option: String,
        /// What there is.
        known: String,
    },
    /// A value that makes no sense.
    #[error("the fault `{fault}` cannot have {option} = {value}: it must be {wanted}")]
    BadOption {
        /// Which fault.
        fault: &'static str,
        /// Which option.
        option: &'static str,
        /// What was given.
        value: Value,
        /// What can be given.
        wanted: &'static str,
    },
    /// A system model in which it cannot happen.
    #[error(
        "the fault `{fault}` cannot happen in the system model {model}: it takes at least {takes}"
    )]
    NotAllowed {
        /// Which fault.
        fault: &'static str,
        /// The run's model.
        model: SystemModel,
        /// The mildest model that has it.
        takes: SystemModel,
    },
    /// A value that makes no sense for these nodes, or in itself.
    #[error("the fault `{fault}` cannot have {option} = {value}: {why}")]
    Nonsense {
        /// Which fault.
        fault: &'static str,
        /// Which option.
        option: &'static str,
        /// What was given.
        value: Value,
        /// What is wrong with it.
        why: String,
    },
    /// An option that has no default.
    #[error("the fault `{fault}` needs the option `{option}`: {wanted}")]
    MissingOption {
        /// Which fault.
        fault: &'static str,
        /// Which option.
        option: &'static str,
        /// What can be given.
        wanted: &'static str,
    },
    /// A cluster too small for it.
    #[error("the fault `{fault}` needs at least {needs} nodes; there are {has}")]
    TooFewNodes {
        /// Which fault.
        fault: &'static str,
        /// How many it takes.
        needs: usize,
        /// How many there are.
        has: usize,
    },
}

/// Names in a row: "n1 n2".
fn list(names: &[Name]) -> String {
    names.join(" ")
}

#[cfg(test)]
mod tests {
    use tribunal_generator::Seed;

    use super::given::Given;
    use super::*;

    /// A shape's draw for these nodes, with nothing chosen.
    pub fn drawn(
        draw: fn(&[Name], &Given, &mut Rng) -> Result<partition::Drawn, PlanError>,
        nodes: &[Name],
        seed: u64,
    ) -> partition::Drawn {
        draw(nodes, &Given::new("t", &Options::new()), &mut Seed(seed).stream("t")).unwrap()
    }

    pub fn nodes(count: usize) -> Vec<Name> {
        (1..=count).map(|number| format!("n{number}").into()).collect()
    }

    #[test]
    fn unknown_names_are_answered_with_the_known_ones() {
        let error = find("partitoin").err().unwrap().to_string();
        assert!(
            error.starts_with("there is no fault `partitoin`; there are partition, "),
            "{error}"
        );
        assert!(error.contains(", pause, freeze, cpu-limit, "), "{error}");
        let options = Options::from_iter([("targt".to_owned(), Value::from("one"))]);
        let mut rng = Seed(1).stream("t");
        let refused = |fault: &str, rng: &mut Rng| {
            plan(find(fault).unwrap(), &nodes(3), &options, rng).unwrap_err().to_string()
        };
        assert_eq!(
            refused("pause", &mut rng),
            "the fault `pause` has no option `targt`; it has target"
        );
        assert_eq!(
            refused("partition-one", &mut rng),
            "the fault `partition-one` has no option `targt`; it has ports"
        );
    }

    #[test]
    fn every_fault_plans_for_every_cluster_that_is_large_enough() {
        for fault in FAULTS {
            for (count, seed) in (1..12).flat_map(|count| (0..20).map(move |seed| (count, seed))) {
                let mut rng = Seed(seed).stream(fault.name());
                let options = fault.example(&nodes(count));
                match plan(*fault, &nodes(count), &options, &mut rng) {
                    Ok(plan) => assert!(!plan.summary.is_empty() && !plan.data.is_empty()),
                    Err(PlanError::TooFewNodes { needs, has, .. }) => assert!(has < needs),
                    Err(other) => panic!("{}: {other}", fault.name()),
                }
            }
        }
    }
}
