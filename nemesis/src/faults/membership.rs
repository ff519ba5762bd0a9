//! A node leaves the cluster and joins it, by the database's own commands, run on another node; and is
//! seen to, by the database's own word. When that is a fault, `member` says.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tribunal_history::{Effect, Name};

use crate::field::Field;

/// How long the others may take to agree on who is a member.
const AGREED: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(100);

/// Has a node leave, and ends its database once the others say that it is no member.
pub async fn leave(field: &Field, node: &Name) -> Result<(), String> {
    retried(field, node, |field, by| {
        let node = node.clone();
        async move { field.leave(&by, &node).await }
    })
    .await?;
    await_members(field, node, false).await?;
    field.stop(node).await
}

/// Sees to it that the node serves as a member. One that is none joins without any data. One that is a
/// member, because it never left or has joined already, is at most started: what it has on its disk, the
/// others count on.
pub async fn join(field: &Field, node: &Name) -> Result<Vec<String>, String> {
    // Where nobody can say, nothing is deleted.
    if await_word(field, node).await?.contains(node) {
        return stay(field, node).await;
    }
    if !field.has_ended(node).await? {
        field.stop(node).await?;
    }
    field.forget(node).await?;
    retried(field, node, |field, by| {
        let node = node.clone();
        async move { field.join(&by, &node).await }
    })
    .await?;
    let pid = field.start(node).await?;
    field.ready(node).await?;
    let members = await_members(field, node, true).await?;
    Ok(vec![format!(
        "{node}: joined without data, as process {pid}; members: {}",
        members.join(" ")
    )])
}

/// A member stays what it is, and is started where it does not run.
async fn stay(field: &Field, node: &Name) -> Result<Vec<String>, String> {
    let mut evidence = Vec::new();
    if field.has_ended(node).await? {
        let pid = field.start(node).await?;
        field.ready(node).await?;
        evidence.push(format!("{node}: started again with its data, as process {pid}"));
    }
    evidence.extend(seen(field, node, true).await.evidence);
    Ok(evidence)
}

/// What the others say of a node, as an effect: that it is a member, or that it is none.
pub async fn seen(field: &Field, node: &Name, member: bool) -> Effect {
    match members(field, node).await {
        Ok(members) => Effect {
            observed: members.contains(node) == member,
            evidence: vec![format!("{node}: the members are {}", members.join(" "))],
        },
        Err(why) => Effect { observed: false, evidence: vec![why] },
    }
}

/// The members, by the word of the first other node that can say.
async fn members(field: &Field, node: &Name) -> Result<Vec<Name>, String> {
    let mut why = format!("there is no other node than {node}");
    for by in field.nodes().filter(|other| *other != node) {
        match field.members(by).await {
            Ok(members) if !members.is_empty() => return Ok(members),
            Ok(_) => why = format!("{by}: it prints no member"),
            Err(error) => why = format!("{by}: {error}"),
        }
    }
    Err(why)
}

/// The members, as soon as another node can say: right after other faults none may.
async fn await_word(field: &Field, node: &Name) -> Result<Vec<Name>, String> {
    let deadline = Instant::now() + AGREED;
    loop {
        match members(field, node).await {
            Err(why) if Instant::now() > deadline => {
                return Err(format!(
                    "nobody says within {} s whether {node} is a member, so its data stay: {why}",
                    AGREED.as_secs()
                ));
            }
            Err(_) => sleep(POLL).await,
            members => return members,
        }
    }
}

async fn await_members(field: &Field, node: &Name, member: bool) -> Result<Vec<Name>, String> {
    let deadline = Instant::now() + AGREED;
    loop {
        let members = members(field, node).await;
        match &members {
            Ok(there) if there.contains(node) == member => return members,
            _ if Instant::now() > deadline => {
                let told = members.map_or_else(|why| why, |there| there.join(" "));
                let wanted = if member { "a member" } else { "no member" };
                return Err(format!(
                    "{node} is not said to be {wanted} within {} s: {told}",
                    AGREED.as_secs()
                ));
            }
            _ => sleep(POLL).await,
        }
    }
}

/// Has another node do it, one after the other until one can: right after other faults none may.
async fn retried<F>(
    field: &Field,
    node: &Name,
    ask: impl Fn(Field, Name) -> F,
) -> Result<(), String>
where
    F: Future<Output = Result<(), String>>,
{
    let deadline = Instant::now() + AGREED;
    loop {
        let mut why = format!("there is no other node than {node}");
        for by in field.nodes().filter(|other| *other != node) {
            match ask(field.clone(), by.clone()).await {
                Ok(()) => return Ok(()),
                Err(error) => why = format!("{by}: {error}"),
            }
        }
        if Instant::now() > deadline {
            return Err(why);
        }
        sleep(POLL).await;
    }
}
