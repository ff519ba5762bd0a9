//! Registers, sets and logs on Raft, and their client for Tribunal. What `--bug` makes wrong is wrong
//! with Raft itself, and is in `../raft-floor`.

mod calls;
mod state;

use std::process::ExitCode;

use raft_floor::{Database, Flaw, Request};
use tribunal_client::{Call, Failure, Outcome};

use crate::calls::Memory;
use crate::state::{Answer, Change, Question, State};

struct RaftStore;

/// What the database is guilty of.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Bug {
    /// Nothing: registers, several at once, sets and logs are linearizable.
    None,
    /// Entries count as durable when they are in the operating system's memory.
    AckBeforeFsync,
    /// A leader answers reads from its own state, unconfirmed.
    StaleReads,
    /// Every node answers reads from its own state.
    LocalReads,
    /// A node that starts again knows neither its term nor whom it voted for.
    ForgetsVote,
    /// A leader applies and answers changes when it appends them.
    AppliesUncommitted,
}

impl Database for RaftStore {
    const NAME: &'static str = "raft-store";
    const WORKLOADS: &'static [&'static str] = &[
        "cas-register",
        "register",
        "multi-register",
        "sessions",
        "causal",
        "set",
        "set-full",
        "causal-reverse",
        "log",
        "watch",
    ];
    const PORT: u16 = 7210;
    type Bug = Bug;
    type State = State;
    type Change = Change;
    type Question = Question;
    type Answer = Answer;
    type Clock = ();
    type Memory = Memory;

    fn flaw(bug: Bug) -> Option<Flaw> {
        match bug {
            Bug::None => None,
            Bug::AckBeforeFsync => Some(Flaw::AcknowledgesBeforeSync),
            Bug::StaleReads => Some(Flaw::ReadsWithoutAsking),
            Bug::LocalReads => Some(Flaw::ReadsLocally),
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

    fn memory(workload: &str) -> Memory {
        Memory::of(workload)
    }

    fn request(memory: &Memory, call: &Call) -> Result<Request<Change, Question>, Failure> {
        calls::request(memory, call)
    }

    fn conclude(memory: &mut Memory, call: &Call, answer: Answer) -> Outcome {
        calls::conclude(memory, call, answer)
    }
}

fn main() -> ExitCode {
    raft_floor::run::<RaftStore>()
}
