//! How a node becomes leader: it waits until no lease runs, asks whether a
//! majority would vote for it, and only then has a majority promise a new term.
//!
//! Asking first (Ongaro's pre-vote, "Consensus: Bridging Theory and Practice",
//! 2014, 9.6) keeps a node that was cut off from raising terms all by itself.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep, sleep_until};

use crate::group::Group;
use crate::leader::lead;
use crate::message::State;
use crate::office::Office;
use crate::own_lease::OwnLease;

/// Candidates start as far apart as this, so that votes are seldom split.
const SPREAD: Duration = Duration::from_millis(300);

/// Runs for leader again and again, and leads when elected, for ever.
pub async fn stand(group: Arc<Group>, office: Arc<Office>) {
    loop {
        vacancy(&group).await;
        // A leader whom a minority refuses for a higher term runs again at once:
        // nobody else's lease is in its way.
        while let Some((state, lease)) = campaign(&group).await {
            let (term, seq) = (state.term, state.seq);
            println!("{} leads in term {term} from entry {seq}", group.own.id);
            lead(&group, &office, state, lease).await;
            println!("{} leads no longer in term {term}", group.own.id);
            let (leader, _) = group.replica.lease().await;
            if group.highest() <= term || leader.as_deref() != Some(&group.own.id) {
                break;
            }
        }
        sleep(jitter()).await;
    }
}

/// Waits until no lease runs, and a random while more.
async fn vacancy(group: &Group) {
    loop {
        let (_, until) = group.replica.lease().await;
        if until <= Instant::now() {
            return;
        }
        sleep_until(until + jitter()).await;
    }
}

/// The data to go on with as leader of a new term, kept by a majority, and its
/// lease: of all that the voters have, the latest. What was acknowledged before was kept by a
/// majority too, and one of the voters belongs to both.
async fn campaign(group: &Arc<Group>) -> Option<(State, OwnLease)> {
    let term = group.replica.promised().await.max(group.highest()) + 1;
    group.votes(term, false).await?;
    let votes = group.votes(term, true).await?;
    let latest = votes.into_iter().max_by_key(|state| (state.term, state.seq))?;
    let state = State { term, ..latest };
    let lease = OwnLease::now();
    group.keeps(Arc::new(state.clone()), Vec::new()).await.then_some((state, lease))
}

fn jitter() -> Duration {
    let random = RandomState::new().hash_one(());
    SPREAD * (random % 1000) as u32 / 1000
}
