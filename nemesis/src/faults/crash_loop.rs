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
    seen: "the first kill is confirmed as that of `kill`; the others are counted",
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
        for node in &aim.nodes {
            kill(field, node, id).await?;
        }
        for node in &aim.nodes {
            let (field, node, moments) = (field.clone(), node.clone(), aim.moments.clone());
            let name = format!("{id}/{node}");
            field.clone().background(name, |stop| go_round(field, node, id, moments, stop));
        }
        Ok(())
    }

    async fn observe(&self, _: &Field, _: u64, aim: &Aim) -> Effect {
        let evidence = aim.nodes.iter().map(|node| format!("{node}: killed for the first time"));
        Effect { observed: true, evidence: evidence.collect() }
    }

    async fn heal(&self, field: &Field, id: u64, aim: &Aim) -> Result<Effect, String> {
        let (mut evidence, mut errors) = (Vec::new(), Vec::new());
        for node in &aim.nodes {
            match field.end_background(&format!("{id}/{node}")).await {
                Some(Ok(told)) => evidence.push(format!("{node}: {told}")),
                Some(Err(why)) => errors.push(format!("{node}: {why}")),
                None => {}
            }
        }
        evidence.extend(aim::start_again(field, &aim.nodes).await?);
        match errors.is_empty() {
            true => Ok(Effect { observed: false, evidence }),
            false => Err(errors.join("; ")),
        }
    }
}

/// Starts and kills by turns until it is told to stop; then the daemon is dead.
async fn go_round(
    field: Field,
    node: Name,
    id: u64,
    moments: Vec<u64>,
    mut stop: watch::Receiver<bool>,
) -> Result<String, String> {
    let (mut starts, mut last) = (0_u32, 0);
    for moment in moments.iter().cycle() {
        if *stop.borrow() {
            break;
        }
        field.start(&node).await?;
        starts += 1;
        last = *moment;
        let stopped = stop.wait_for(|stop| *stop);
        if timeout(Duration::from_millis(*moment), stopped).await.is_err() {
            kill(&field, &node, id).await?;
        } else {
            // Whether it would have lived is not for the loop to say.
            kill(&field, &node, id).await?;
            break;
        }
        // A database that starts in no time must not be started without end.
        sleep(Duration::from_millis(10)).await;
    }
    Ok(format!("killed {starts} times more, the last time within {last} ms of its start"))
}

/// Kills a node's daemon; one that is dead already has been spared the trouble.
async fn kill(field: &Field, node: &Name, id: u64) -> Result<(), String> {
    if field.has_ended(node).await? {
        return Ok(());
    }
    let harm = Harm::Kill { pid: field.daemon(node)? };
    let requests = [Request::Inject { fault: id, harm }, Request::Heal { fault: id }];
    for request in requests {
        for (_, reply) in field.ask_all([(node.clone(), request)]).await {
            let _: Reply = reply?;
        }
    }
    Ok(())
}
