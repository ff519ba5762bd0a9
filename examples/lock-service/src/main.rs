//! Locks with tokens on Raft, leases of them, semaphores, a store that locks guard, and their client
//! for Tribunal.

mod calls;
mod clock;
mod state;

use std::process::ExitCode;
use std::time::Instant;

use raft_floor::{Database, Flaw, Request};
use tribunal_client::{Call, Failure, Outcome};

use crate::clock::Watch;
use crate::state::{Answer, Change, Question, State};

struct LockService;

/// What the database is guilty of.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Bug {
    /// Nothing: one holder a lock, a lease for as long as it was granted, tokens that grow, and
    /// a store that takes no write under an old one.
    None,
    /// The store takes writes under any token, as a store does that knows nothing of locks.
    TokenNotChecked,
    /// A lease that has run out can still be renewed, also when somebody else has the lock.
    RenewedAfterExpiry,
    /// A leader grants before the others know of it: its successor grants the same again.
    GrantsEarly,
}

impl Database for LockService {
    const NAME: &'static str = "lock-service";
    const WORKLOADS: &'static [&'static str] =
        &["lock", "fenced-lock", "lease", "semaphore", "fenced-store"];
    const PORT: u16 = 7260;
    type Bug = Bug;
    type State = State;
    type Change = Change;
    type Question = Question;
    type Answer = Answer;
    type Clock = Watch;
    type Memory = calls::Terms;

    fn flaw(bug: Bug) -> Option<Flaw> {
        match bug {
            Bug::None | Bug::TokenNotChecked | Bug::RenewedAfterExpiry => None,
            Bug::GrantsEarly => Some(Flaw::AppliesUncommitted),
        }
    }

    fn apply(state: &mut State, change: Change, bug: Bug) -> Answer {
        state.apply(change, bug)
    }

    fn look(state: &State, question: Question) -> Answer {
        state.look(&question)
    }

    fn due(state: &State, watch: &mut Watch) -> Vec<Change> {
        watch.due(state, Instant::now())
    }

    fn memory(workload: &str) -> calls::Terms {
        calls::Terms::of(workload)
    }

    fn request(terms: &calls::Terms, call: &Call) -> Result<Request<Change, Question>, Failure> {
        calls::request(*terms, call)
    }

    fn conclude(_: &mut calls::Terms, call: &Call, answer: Answer) -> Outcome {
        calls::conclude(call, answer)
    }
}

fn main() -> ExitCode {
    raft_floor::run::<LockService>()
}
