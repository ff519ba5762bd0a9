//! A node: the replica for peers, the office for clients, and the candidate.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use substrate::{Listeners, listen};
use tokio::time::Instant;

use crate::election::stand;
use crate::group::Group;
use crate::leader::answer_by_lease;
use crate::message::{ClientAnswer, ClientRequest, Operation};
use crate::office::Office;
use crate::replica::Replica;
use crate::{PORT, Serve};

/// Runs a node until it is killed.
#[tokio::main]
pub async fn run(Serve { seat, bug }: Serve) -> anyhow::Result<ExitCode> {
    let Listeners { peers, clients } = seat.listen(PORT).await?;
    let replica = Replica::open(&seat.data_dir, bug)
        .with_context(|| format!("cannot open the log in {}", seat.data_dir.display()))?;
    let replica = Arc::new(replica);
    println!("{} serves with bug {bug:?}", seat.node);
    let group = Group::new(bug, &seat, replica.clone())?;
    let (group, office) = (Arc::new(group), Arc::new(Office::default()));
    tokio::join!(
        stand(group.clone(), office.clone()),
        listen(peers, move |request| {
            let replica = replica.clone();
            async move { replica.answer(request).await }
        }),
        listen(clients, move |request| {
            let (group, office) = (group.clone(), office.clone());
            async move { answer(&group, &office, request).await }
        }),
    );
    Ok(ExitCode::SUCCESS)
}

async fn answer(group: &Group, office: &Office, request: ClientRequest) -> ClientAnswer {
    let operation = match request {
        ClientRequest::Role => return role(group, office).await,
        ClientRequest::Perform(operation) => operation,
    };
    if let Some(answer) = answer_by_lease(group, office, &operation) {
        return answer;
    }
    let probe = operation == Operation::Probe;
    match office.perform(operation).await {
        Some(ClientAnswer::NotLeader { .. }) | None if probe => follower(group).await,
        Some(ClientAnswer::NotLeader { .. }) | None => not_leader(group).await,
        Some(answer) => answer,
    }
}

async fn role(group: &Group, office: &Office) -> ClientAnswer {
    match office.term() {
        Some(term) => ClientAnswer::Role { node: group.own.id.clone(), leader: true, term },
        None => follower(group).await,
    }
}

async fn follower(group: &Group) -> ClientAnswer {
    let term = group.replica.promised().await;
    ClientAnswer::Role { node: group.own.id.clone(), leader: false, term }
}

async fn not_leader(group: &Group) -> ClientAnswer {
    let (leader, until) = group.replica.lease().await;
    let leader = leader.filter(|leader| *leader != group.own.id && Instant::now() < until);
    let leader = leader.and_then(|leader| group.member(&leader).cloned());
    ClientAnswer::NotLeader { leader }
}
