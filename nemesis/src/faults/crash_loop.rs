//! `crash-loop`: the database is killed again and again, each time at another moment of its
//! start-up, until it is healed.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tribunal_generator::Rng;
use tribunal_history::{Effect, Name, Value};

use super::about::{About, ENDING};
use super::target;
use super::{Aim, Fault, FaultOption, Needs, Options, Plan, PlanError, aim};
use crate::agent::protocol::{Harm, Reply, Request};
use crate::background::Told;
use crate::field::Field;

/// How long after its start the database is killed at the latest, by default.
const LATEST_MS: u64 = 2000;
/// Moments that are drawn; the loop begins anew after the last.
const MOMENTS: usize = 32;

/// A daemon that is started and killed by turns.
pub(super) struct CrashLoop;

const ABOUT: About = About {
    name: "crash-loop",
    doc: "Kills the database again and again, at random moments of its start-up.",
    options: &[
        target::OPTION,
        FaultOption {
            name: "latest_ms",
            doc: "How long after a start the next kill comes at the latest; by default 2000.",
        },
    ],
    needs: Needs::Start,
    assumes: ENDING,
    seen: "each kill is confirmed as that of `kill`, and counted: at least one on every node",
    cost: "30-50 ms to the first kill, then the database's own start-up in every round; 80-140 ms to heal",
};

#[async_trait]
impl Fault for CrashLoop {
    fn about(&self) -> &About {
        &ABOUT
    }

    fn draw(&self, nodes: &[Name], options: &Options, rng: &mut Rng) -> Result<Plan, PlanError> {
        let mut plan = target::draw(ABOUT.name, nodes, options, rng)?;
        let latest = match options.get("latest_ms") {
            None => LATEST_MS,
            Some(value) => {
                let given = value.as_u64().filter(|ms| (1..=600_000).contains(ms));
                given.ok_or_else(|| PlanError::BadOption {
                    fault: ABOUT.name,
                    option: "latest_ms",
                    value: Value::clone(value),
                    wanted: "a whole number of milliseconds from 1 to 600000",
                })?
            }
        };
        // Squared, so that early moments are as likely to be met as late ones: a start-up is short.
        let moment = |rng: &mut Rng| rng.between(0, latest) * rng.between(0, latest) / latest;
        let moments: Vec<u64> = (0..MOMENTS).map(|_| moment(rng)).collect();
        plan.data.insert("moments_ms".to_owned(), json!(moments));
        Ok(plan)
    }

    async fn aim(&self, field: &Field, plan: &Plan) -> Result<Aim, String> {
        let (nodes, summary) = target::resolve(field, plan).await?;
        let moments = plan.data.get("moments_ms").cloned().unwrap_or_default();
        let moments: Vec<u64> = serde_json::from_value(moments)
            .map_err(|error| format!("the plan's `moments_ms` cannot be read: {error}"))?;
        if moments.is_empty() {
            return Err("the plan has no `moments_ms`".to_owned());
        }
        for node in &nodes {
            field.daemon(node)?;
        }
        Ok(Aim { nodes, summary, moments, ..Aim::default() })
    }

    async fn inject(&self, field: &Field, id: u64, aim: &Aim) -> Result<(), String> {
        let mut counts = Vec::new();
        for node in &aim.nodes {
            counts.push(Count { starts: 0, kills: kill(field, node, id).await?.into() });
        }
        for (node, count) in aim.nodes.iter().zip(counts) {
            let (field, node, moments) = (field.clone(), node.clone(), aim.moments.clone());
            let name = work(id, &node);
            field.clone().background(name, |stop| go_round(field, node, id, moments, count, stop));
        }
        Ok(())
    }

    /// It has only begun: how often it killed is known at the end.
    async fn observe(&self, _: &Field, _: u64, _: &Aim) -> Effect {
        Effect::default()
    }

    async fn heal(&self, field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
        let (mut observed, mut evidence, mut errors) = (true, Vec::new(), Vec::new());
        for node in &aim.nodes {
            match field.end_background(&work(id, node)).await {
                Some(Ok(seen)) => {
                    observed &= seen.observed;
                    evidence.extend(seen.evidence.iter().map(|told| format!("{node}: {told}")));
                }
                Some(Err(why)) => errors.push(format!("{node}: {why}")),
                None => observed = false,
            }
        }
        evidence.extend(aim::start_again(field, &aim.nodes).await?);
        match errors.is_empty() {
            true => Ok(Effect { observed, evidence }),
            false => Err(errors.join("; ")),
        }
    }
}

/// What a loop is called in the background.
fn work(id: u64, node: &Name) -> String {
    format!("{id}/{node}")
}

/// What a loop did. A database that dies by itself is started more often than it is killed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    starts: u32,
    kills: u32,
}

impl Count {
    /// As an effect, with when the last kill was due after its start.
    fn effect(self, last: u64) -> Effect {
        let Self { starts, kills } = self;
        let told = match kills {
            0 => format!("never killed: it was dead already, also after each of {starts} starts"),
            _ => {
                format!(
                    "{kills} kills, {starts} starts; the last kill was due {last} ms after a start"
                )
            }
        };
        Effect { observed: kills > 0, evidence: vec![told] }
    }
}

/// Starts and kills by turns until it is told to stop; then the daemon is dead.
async fn go_round(
    field: Field,
    node: Name,
    id: u64,
    moments: Vec<u64>,
    mut count: Count,
    mut stop: watch::Receiver<bool>,
) -> Told {
    let mut last = 0;
    for moment in moments.iter().cycle() {
        if *stop.borrow() {
            break;
        }
        field.start(&node).await?;
        count.starts += 1;
        last = *moment;
        // When the time has come, or the loop ends: whether it would have lived then is not for it to say.
        let _ = timeout(Duration::from_millis(*moment), stop.wait_for(|stop| *stop)).await;
        count.kills += u32::from(kill(&field, &node, id).await?);
        // A database that starts in no time must not be started without end.
        sleep(Duration::from_millis(10)).await;
    }
    Ok(count.effect(last))
}

/// Kills a node's daemon; whether there was one to kill.
async fn kill(field: &Field, node: &Name, id: u64) -> Result<bool, String> {
    if field.has_ended(node).await? {
        return Ok(false);
    }
    let harm = Harm::Kill { pid: field.daemon(node)? };
    let requests = [Request::Inject { fault: id, harm }, Request::Heal { fault: id }];
    for request in requests {
        for (_, reply) in field.ask_all([(node.clone(), request)]).await {
            let _: Reply = reply?;
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_found_only_the_dead_killed_nobody() {
        let seen = Count { starts: 9, kills: 0 }.effect(7);
        assert!(!seen.observed && seen.evidence[0].contains("never killed"), "{seen:?}");
        let seen = Count { starts: 9, kills: 1 }.effect(7);
        assert!(seen.observed && seen.evidence[0].starts_with("1 kills, 9 starts"), "{seen:?}");
    }
}
