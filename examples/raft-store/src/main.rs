//! Registers and logs on Raft, and their client for Tribunal. What `--bug` makes wrong is wrong
//! with Raft itself, and is in `../raft-floor`.

mod calls;
mod state;

use std::process::ExitCode;

use raft_floor::{Database, Flaw, Request};
use tribunal_client::{Call, Failure, Outcome};

use crate::calls::Places;
use crate::state::{Answer, Change, Question, State};

struct RaftStore;

/// What the database is guilty of.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Bug {
    /// Nothing: registers and logs are linearizable.
    None,
    /// Entries count as durable when they are in the operating system's memory.
    AckBeforeFsync,
    /// A leader answers reads from its own state, unconfirmed.
    StaleReads,
    /// A node that starts again knows neither its term nor whom it voted for.
    ForgetsVote,
    /// A leader applies and answers changes when it appends them.
    AppliesUncommitted,
}

impl Database for RaftStore {
    const NAME: &'static str = "raft-store";
    const WORKLOADS: &'static [&'static str] = &["cas-register", "register", "log"];
    const PORT: u16 = 7210;
    type Bug = Bug;
    type State = State;
    type Change = Change;
    type Question = Question;
    type Answer = Answer;
    type Clock = ();
    type Memory = Places;

    fn flaw(bug: Bug) -> Option<Flaw> {
        match bug {
            Bug::None => None,
            Bug::AckBeforeFsync => Some(Flaw::AcknowledgesBeforeSync),
            Bug::StaleReads => Some(Flaw::ReadsWithoutAsking),
            Bug::ForgetsVote => Some(Flaw::ForgetsVote),
            Bug::AppliesUncommitted => Some(Flaw::AppliesUncommitted),
        }
    }

    fn apply(state: &mut State, change: Change, _: Bug) -> Answer {
        state.apply(change)
    }

    fn look(state: &State, question: Question) -> Answer {
        state.look(&question)
    }

    fn memory(_: &str) -> Places {
        Places::default()
    }

    fn request(places: &Places, call: &Call) -> Result<Request<Change, Question>, Failure> {
        calls::request(places, call)
    }

    fn conclude(places: &mut Places, call: &Call, answer: Answer) -> Outcome {
        calls::conclude(places, call, answer)
    }
}

fn main() -> ExitCode {
    raft_floor::run::<RaftStore>()
}
