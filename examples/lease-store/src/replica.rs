//! What one node stores and has promised, on disk before anybody is told.
//!
//! A replica follows one term at a time and refuses everything of lower ones:
//! that is the fence, on which the safety of writes rests. The lease it grants
//! runs on its monotonic clock and keeps elections apart; a leader's reads rest
//! on that.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use substrate::Log;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::bug::Bug;
use crate::message::{Entry, PeerAnswer, PeerRequest, State, Term};

/// How long a replica that granted a lease votes for nobody else.
pub const LEASE: Duration = Duration::from_millis(1000);

/// A node's part of the data.
pub struct Replica {
    held: Mutex<Held>,
    log: Log,
    bug: Bug,
}

struct Held {
    /// The highest term that was voted for or followed.
    promised: Term,
    state: State,
    lease: Lease,
}

struct Lease {
    /// Nobody yet, after a restart.
    leader: Option<String>,
    until: Instant,
}

impl Lease {
    fn of(leader: String) -> Self {
        Self { leader: Some(leader), until: Instant::now() + LEASE }
    }

    fn keeps_out(&self, candidate: &str) -> bool {
        Instant::now() < self.until && self.leader.as_deref() != Some(candidate)
    }
}

/// A line of the log.
#[derive(Serialize, Deserialize)]
enum Record {
    Promised(Term),
    Appended(Vec<Entry>),
    Installed(State),
}

impl Replica {
    /// Opens what `folder` holds. A lease may have been granted just before a
    /// restart, so one is assumed.
    pub fn open(folder: &Path, bug: Bug) -> io::Result<Self> {
        let (log, records) = Log::open::<Record>(&folder.join("data.log"), bug != Bug::NoSync)?;
        let lease = Lease { leader: None, until: Instant::now() + LEASE };
        let mut held = Held { promised: 0, state: State::default(), lease };
        for record in records {
            match record {
                Record::Promised(term) => held.promised = term,
                Record::Appended(entries) => held.state.extend(&entries),
                Record::Installed(state) => {
                    held.promised = held.promised.max(state.term);
                    held.state = state;
                }
            }
        }
        Ok(Self { held: Mutex::new(held), log, bug })
    }

    /// Answers a candidate or a leader.
    pub async fn answer(&self, request: PeerRequest) -> PeerAnswer {
        match request {
            PeerRequest::Vote { term, candidate, binds } => self.vote(term, candidate, binds).await,
            PeerRequest::Append { term, leader, after, entries } => {
                self.append(term, leader, after, &entries).await
            }
            PeerRequest::Install { leader, state } => self.install(leader, &state).await,
        }
    }

    /// The highest term promised.
    pub async fn promised(&self) -> Term {
        self.held.lock().await.promised
    }

    /// Who holds the lease, and when it ends.
    pub async fn lease(&self) -> (Option<String>, Instant) {
        let held = self.held.lock().await;
        (held.lease.leader.clone(), held.lease.until)
    }

    /// Votes at most once a term, and not while somebody else's lease runs.
    async fn vote(&self, term: Term, candidate: String, binds: bool) -> PeerAnswer {
        let mut held = self.held.lock().await;
        if term <= held.promised || held.lease.keeps_out(&candidate) {
            return PeerAnswer::Refused { promised: held.promised };
        }
        if !binds {
            return PeerAnswer::Granted(State::default());
        }
        self.log.append(&Record::Promised(term)).await;
        held.promised = term;
        held.lease = Lease::of(candidate);
        PeerAnswer::Granted(held.state.clone())
    }

    async fn append(
        &self,
        term: Term,
        leader: String,
        after: u64,
        entries: &[Entry],
    ) -> PeerAnswer {
        let mut held = self.held.lock().await;
        if self.is_fenced_off(term, &held) {
            return PeerAnswer::Refused { promised: held.promised };
        }
        let has = held.state.term == term && after + entries.len() as u64 <= held.state.seq;
        if !has {
            if held.state.term != term || held.state.seq != after {
                return PeerAnswer::Behind;
            }
            self.log.append(&Record::Appended(entries.to_vec())).await;
            held.state.extend(entries);
        }
        held.lease = Lease::of(leader);
        PeerAnswer::Kept
    }

    async fn install(&self, leader: String, state: &State) -> PeerAnswer {
        let mut held = self.held.lock().await;
        if self.is_fenced_off(state.term, &held) {
            return PeerAnswer::Refused { promised: held.promised };
        }
        if (held.state.term, held.state.seq) < (state.term, state.seq) {
            self.log.append(&Record::Installed(state.clone())).await;
            held.promised = state.term;
            held.state = state.clone();
        }
        held.lease = Lease::of(leader);
        PeerAnswer::Kept
    }

    /// Whether a leader of that term is one no longer.
    fn is_fenced_off(&self, term: Term, held: &Held) -> bool {
        term < held.promised && self.bug != Bug::NoFencing
    }
}

impl State {
    /// What a key has; null where nothing was written.
    pub fn value_of(&self, key: &str) -> Value {
        self.map.get(key).cloned().unwrap_or_default()
    }

    /// The state after `entries`.
    pub fn extend(&mut self, entries: &[Entry]) {
        self.seq += entries.len() as u64;
        self.map.extend(entries.iter().cloned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn vote(term: Term, candidate: &str, binds: bool) -> PeerRequest {
        PeerRequest::Vote { term, candidate: candidate.into(), binds }
    }

    fn append(term: Term, after: u64, values: &[u64]) -> PeerRequest {
        let entries = values.iter().map(|&value| ("x".to_owned(), value.into())).collect();
        PeerRequest::Append { term, leader: "a".into(), after, entries: Arc::new(entries) }
    }

    fn install(term: Term, seq: u64, value: u64) -> PeerRequest {
        let map = [("x".to_owned(), value.into())].into();
        PeerRequest::Install { leader: "a".into(), state: Arc::new(State { term, seq, map }) }
    }

    struct Folder(std::path::PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let name = format!("lease-replica-{}-{name}", std::process::id());
            Self(std::env::temp_dir().join(name))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_lease_keeps_all_others_out_until_it_ends() {
        let folder = Folder::new("lease");
        let replica = Replica::open(&folder.0, Bug::None).unwrap();
        let refused = PeerAnswer::Refused { promised: 0 };
        assert_eq!(replica.answer(vote(1, "a", true)).await, refused, "just restarted");
        tokio::time::advance(LEASE).await;
        assert!(matches!(replica.answer(vote(1, "a", true)).await, PeerAnswer::Granted(_)));
        assert_eq!(
            replica.answer(vote(2, "b", true)).await,
            PeerAnswer::Refused { promised: 1 },
            "a's lease runs"
        );
        assert!(matches!(replica.answer(vote(2, "a", false)).await, PeerAnswer::Granted(_)));
        tokio::time::advance(LEASE).await;
        assert!(matches!(replica.answer(vote(2, "b", false)).await, PeerAnswer::Granted(_)));
        assert_eq!(replica.promised().await, 1, "what does not bind is not promised");
    }

    #[tokio::test(start_paused = true)]
    async fn lower_terms_are_refused_and_promises_outlive_a_restart() {
        let folder = Folder::new("fence");
        {
            let replica = Replica::open(&folder.0, Bug::None).unwrap();
            assert_eq!(replica.answer(append(3, 0, &[1])).await, PeerAnswer::Behind);
            assert_eq!(replica.answer(install(3, 0, 1)).await, PeerAnswer::Kept);
            assert_eq!(replica.answer(append(3, 0, &[2, 3])).await, PeerAnswer::Kept);
            assert_eq!(replica.answer(append(3, 0, &[2])).await, PeerAnswer::Kept, "it has that");
            assert_eq!(replica.answer(append(3, 7, &[9])).await, PeerAnswer::Behind);
            tokio::time::advance(LEASE).await;
            let granted = replica.answer(vote(5, "b", true)).await;
            let map = [("x".to_owned(), 3.into())].into();
            assert_eq!(granted, PeerAnswer::Granted(State { term: 3, seq: 2, map }));
        }
        let replica = Replica::open(&folder.0, Bug::None).unwrap();
        let refused = PeerAnswer::Refused { promised: 5 };
        assert_eq!(replica.answer(append(3, 2, &[4])).await, refused);
        assert_eq!(replica.answer(install(4, 9, 4)).await, refused);
        tokio::time::advance(LEASE).await;
        assert_eq!(replica.answer(vote(5, "c", true)).await, refused, "one vote a term");
    }

    #[tokio::test]
    async fn a_late_install_does_not_take_entries_away() {
        let folder = Folder::new("late");
        let replica = Replica::open(&folder.0, Bug::None).unwrap();
        assert_eq!(replica.answer(install(1, 4, 4)).await, PeerAnswer::Kept);
        assert_eq!(replica.answer(install(1, 2, 2)).await, PeerAnswer::Kept);
        assert_eq!(replica.answer(append(1, 4, &[5])).await, PeerAnswer::Kept, "still at 4");
    }
}
