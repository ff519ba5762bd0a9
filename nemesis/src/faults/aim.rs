//! A plan brought down to the nodes as they are now, and what is done with it: what is the same for
//! all faults. Which harms it is made of, each fault says itself.

use std::collections::BTreeMap;

use tribunal_harness::cluster::local::wire::{Ruled, Tallied};
use tribunal_history::{Effect, Map, Name, Value};

use super::link;
use crate::agent::protocol::{Harm, Reply, Request};
use crate::field::Field;

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

/// Has every victim's agent do it, and the wire; where one cannot, all is healed.
pub(super) async fn inject<F>(
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
pub(super) async fn heal(field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
    let heal = |node: &Name| (node.clone(), Request::Heal { fault: id });
    let (effect, mut errors) = gather(field.ask_all(aim.harms.keys().map(heal)).await);
    let effect = with_links(effect, aim, field.lift(id, aim).await, &mut errors);
    if errors.is_empty() { Ok(effect) } else { Err(errors.join("; ")) }
}

/// Heals, and starts the database again wherever it has ended: what was seen at the end, and what came
/// of the start. Whatever the agents say it is started: a database that is left dead is the worse.
pub(super) async fn heal_and_start(field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
    let healed = heal(field, id, aim).await;
    let started = start_again(field, &aim.nodes).await?;
    let Effect { observed, mut evidence } = healed?;
    evidence.extend(started);
    Ok(Effect { observed, evidence })
}

/// Starts the database again wherever it has ended: what came of it, a sentence a node.
pub(super) async fn start_again(field: &Field, nodes: &[Name]) -> Result<Vec<String>, String> {
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
pub(super) async fn look(field: &Field, id: u64, aim: &Aim) -> Effect {
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
