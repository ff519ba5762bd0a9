//! What a leader does, in the two modes. Both apply operations in order to a
//! state of their own, and both renew the lease at the same pace; they differ in
//! when they answer.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc::UnboundedReceiver, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::group::Group;
use crate::message::{ClientAnswer, Entry, Operation, State};
use crate::office::{Office, Pending};
use crate::replica::LEASE;

/// How often the lease is renewed.
const RENEWAL: Duration = Duration::from_millis(300);

/// How many renewals in a row must fail before an unfenced leader gives up: as
/// many as there are in a lease.
const MISSES: u32 = LEASE.as_millis().div_ceil(RENEWAL.as_millis()) as u32;

/// Whether the leader's term fences it off from a successor's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Fencing {
    /// The leader answers from its own state while it believes in its lease, and
    /// replicates afterwards. It measures the lease by renewals that failed, not
    /// by time that passed: a pause costs none of it, so a leader that was
    /// paused wakes up and goes on beside its successor.
    Off,
    /// The leader answers after a majority has kept the changes under its term,
    /// reads and probes included: its successor's term would have been refused.
    On,
}

/// Leads from `state` on, until that is over.
pub async fn lead(group: &Arc<Group>, office: &Office, state: State, fencing: Fencing) {
    let mut operations = office.open(state.term);
    match fencing {
        Fencing::Off => lead_unfenced(group, state, &mut operations).await,
        Fencing::On => lead_fenced(group, state, &mut operations).await,
    }
    office.close(operations);
}

async fn lead_fenced(
    group: &Arc<Group>,
    mut state: State,
    operations: &mut UnboundedReceiver<Pending>,
) {
    let mut renewed = Instant::now();
    loop {
        let batch = next_batch(operations, renewed + RENEWAL).await;
        let mut entries = Vec::new();
        let mut answers = Vec::new();
        for (operation, waiting) in batch {
            let (answer, entry) = apply(group, &mut state, operation);
            answers.push((waiting, answer, entry.is_some()));
            entries.extend(entry);
        }
        let Some(confirmed) = confirm(group, &state, entries, renewed).await else {
            return give_up(answers);
        };
        renewed = confirmed;
        for (waiting, answer, _) in answers {
            let _ = waiting.send(answer);
        }
        if group.highest() > state.term {
            return;
        }
    }
}

/// All operations that wait; none, when none has come by `due`.
async fn next_batch(operations: &mut UnboundedReceiver<Pending>, due: Instant) -> Vec<Pending> {
    let mut batch = Vec::new();
    let _ = timeout_at(due, operations.recv_many(&mut batch, 1000)).await;
    batch
}

/// Has a majority keep the state: the time at which the round that did it began,
/// or nothing when the lease ran out or a higher term is known.
async fn confirm(
    group: &Arc<Group>,
    state: &State,
    mut entries: Vec<Entry>,
    renewed: Instant,
) -> Option<Instant> {
    let kept = Arc::new(state.clone());
    loop {
        let begun = Instant::now();
        if group.keeps(kept.clone(), std::mem::take(&mut entries)).await {
            return Some(begun);
        }
        if group.highest() > state.term || renewed.elapsed() > LEASE {
            return None;
        }
        sleep(RENEWAL / 10).await;
    }
}

/// Changes may have reached somebody; what changes nothing did not happen.
fn give_up(answers: Vec<(oneshot::Sender<ClientAnswer>, ClientAnswer, bool)>) {
    for (waiting, _, changes) in answers {
        let _ = waiting.send(match changes {
            true => ClientAnswer::Unknown("no majority confirmed the change".into()),
            false => ClientAnswer::NotLeader { leader: None },
        });
    }
}

async fn lead_unfenced(
    group: &Arc<Group>,
    mut state: State,
    operations: &mut UnboundedReceiver<Pending>,
) {
    let mut changes: Vec<Entry> = Vec::new();
    let mut rounds: JoinSet<bool> = JoinSet::new();
    let mut begun = Instant::now();
    let mut missed = 0;
    loop {
        let due = Instant::now() >= begun + RENEWAL;
        if rounds.is_empty() && (due || (missed == 0 && !changes.is_empty())) {
            begun = Instant::now();
            let (group, kept) = (group.clone(), Arc::new(state.clone()));
            let entries = std::mem::take(&mut changes);
            rounds.spawn(async move { group.keeps(kept, entries).await });
        }
        tokio::select! {
            Some((operation, waiting)) = operations.recv() => {
                let (answer, entry) = apply(group, &mut state, operation);
                let _ = waiting.send(answer);
                changes.extend(entry);
            }
            Some(kept) = rounds.join_next() => {
                let kept = kept.unwrap_or(false);
                missed = if kept { 0 } else { missed + 1 };
                // A minority that follows a higher term is won back by an election.
                if missed >= MISSES || (kept && group.highest() > state.term && changes.is_empty()) {
                    return;
                }
            }
            () = sleep_until(begun + RENEWAL), if rounds.is_empty() => {}
        }
    }
}

/// Performs an operation on the leader's state: its answer, and its change if it
/// makes one.
fn apply(group: &Group, state: &mut State, operation: Operation) -> (ClientAnswer, Option<Entry>) {
    let (node, term) = (group.own.id.clone(), state.term);
    let value_of = |key: &str| state.map.get(key).cloned().unwrap_or_default();
    let done =
        |value: Value, swapped| ClientAnswer::Done { node: node.clone(), term, value, swapped };
    let (answer, entry) = match operation {
        Operation::Probe => (ClientAnswer::Role { node, leader: true, term }, None),
        Operation::Read { key } => (done(value_of(&key), false), None),
        Operation::Write { key, value } => (done(value.clone(), false), Some((key, value))),
        Operation::Cas { key, old, new } => match value_of(&key) {
            found if found == old => (done(found, true), Some((key, new))),
            found => (done(found, false), None),
        },
    };
    state.extend(entry.as_slice());
    (answer, entry)
}
