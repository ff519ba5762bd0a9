//! What a leader does: it applies operations in order to a state of its own, has
//! a majority keep it, and answers then. What changes nothing it answers at once
//! from what was kept, while its lease runs.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{mpsc::UnboundedReceiver, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::bug::Bug;
use crate::group::Group;
use crate::message::{ClientAnswer, Entry, Operation, State};
use crate::office::{Office, Pending};
use crate::own_lease::OwnLease;
use crate::replica::LEASE;

/// How often the lease is renewed.
const RENEWAL: Duration = Duration::from_millis(300);

/// How many renewals in a row must fail before a leader gives up that asks no clock: as
/// many as there are in a lease.
const MISSES: u32 = LEASE.as_millis().div_ceil(RENEWAL.as_millis()) as u32;

/// Leads from `state` on, until that is over.
pub async fn lead(group: &Arc<Group>, office: &Office, state: State, lease: OwnLease) {
    let mut operations = office.open(state.term);
    match group.bug {
        Bug::PausedLeader => lead_blindly(group, state, &mut operations).await,
        _ => lead_confirmed(group, office, state, lease, &mut operations).await,
    }
    office.close(operations);
}

/// The answer to a read or a probe, if this node leads and its lease runs: for as long nobody else
/// can have been elected, so the state that was confirmed last is the newest there is.
pub fn answer_by_lease(
    group: &Group,
    office: &Office,
    operation: &Operation,
) -> Option<ClientAnswer> {
    let (state, lease) = office.confirmed()?;
    let answer = look(group, &state, operation)?;
    lease.runs(group.bug).then_some(answer)
}

async fn lead_confirmed(
    group: &Arc<Group>,
    office: &Office,
    mut state: State,
    mut lease: OwnLease,
    operations: &mut UnboundedReceiver<Pending>,
) {
    loop {
        let batch = next_batch(operations, lease.begun + RENEWAL).await;
        let mut entries = Vec::new();
        let mut answers = Vec::new();
        for (operation, waiting) in batch {
            let (answer, entry) = apply(group, &mut state, operation);
            answers.push((waiting, answer, entry.is_some()));
            entries.extend(entry);
        }
        let kept = Arc::new(state.clone());
        let Some(granted) = confirm(group, &kept, entries, lease).await else {
            return give_up(answers);
        };
        lease = granted;
        // Before the answers, so that who was told of a change also reads it.
        office.confirm(kept, lease);
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

/// Has a majority keep the state: the lease that it grants with it, or nothing
/// when the one there is ran out or a higher term is known.
async fn confirm(
    group: &Arc<Group>,
    state: &Arc<State>,
    mut entries: Vec<Entry>,
    lease: OwnLease,
) -> Option<OwnLease> {
    loop {
        let next = OwnLease::now();
        if group.keeps(state.clone(), std::mem::take(&mut entries)).await {
            return Some(next);
        }
        if group.highest() > state.term || !lease.runs(group.bug) {
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

/// Leads for as long as not too many renewals in a row have failed.
async fn lead_blindly(
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
    let done = |value: Value, swapped| done(group, state, value, swapped);
    let (answer, entry) = match operation {
        Operation::Probe => (claim(group, state), None),
        Operation::Read { key } => (done(state.value_of(&key), false), None),
        Operation::Write { key, value } => (done(value.clone(), false), Some((key, value))),
        Operation::Cas { key, old, new } => match state.value_of(&key) {
            found if found == old => (done(found, true), Some((key, new))),
            found => (done(found, false), None),
        },
    };
    state.extend(entry.as_slice());
    (answer, entry)
}

/// The answer to an operation that changes nothing, whatever it finds.
fn look(group: &Group, state: &State, operation: &Operation) -> Option<ClientAnswer> {
    match operation {
        Operation::Probe => Some(claim(group, state)),
        Operation::Read { key } => Some(done(group, state, state.value_of(key), false)),
        Operation::Write { .. } | Operation::Cas { .. } => None,
    }
}

fn claim(group: &Group, state: &State) -> ClientAnswer {
    ClientAnswer::Role { node: group.own.id.clone(), leader: true, term: state.term }
}

fn done(group: &Group, state: &State, value: Value, swapped: bool) -> ClientAnswer {
    ClientAnswer::Done { node: group.own.id.clone(), term: state.term, value, swapped }
}
