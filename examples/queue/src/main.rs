//! Queues on Raft, first in, first out, and stacks, and their client for Tribunal. What `--bug` makes wrong
//! is when a leader answers.

mod state;

use std::process::ExitCode;

use raft_floor::{Database, Flaw, Request};
use tribunal_client::{Call, Failure, Outcome, Reply, Value};

use crate::state::{Answer, Change, Question, Queues};

struct Queue;

/// What the database is guilty of.
#[derive(Clone, Copy, clap::ValueEnum)]
enum Bug {
    /// Nothing: what was acknowledged comes out, once, in order.
    None,
    /// A leader hands a value out before the others know that it is gone: its successor hands it
    /// out again.
    Redelivers,
    /// A leader acknowledges what it puts in before the others have it.
    LosesOnFailover,
}

impl Database for Queue {
    const NAME: &'static str = "queue";
    const WORKLOADS: &'static [&'static str] = &["queue", "fifo-queue", "stack"];
    const PORT: u16 = 7240;
    type Bug = Bug;
    type State = Queues;
    type Change = Change;
    type Question = Question;
    type Answer = Answer;
    type Clock = ();
    type Memory = ();

    fn flaw(bug: Bug) -> Option<Flaw> {
        match bug {
            Bug::None => None,
            Bug::Redelivers | Bug::LosesOnFailover => Some(Flaw::AppliesUncommitted),
        }
    }

    /// THE BUGS: the one half of the calls, or the other.
    fn answers_early(change: &Change, bug: Bug) -> bool {
        match change {
            Change::Dequeue { .. } | Change::Pop { .. } => matches!(bug, Bug::Redelivers),
            Change::Enqueue { .. } => matches!(bug, Bug::LosesOnFailover),
        }
    }

    fn apply(queues: &mut Queues, change: Change, _: Bug) -> Answer {
        queues.apply(change)
    }

    fn look(_: &Queues, question: Question) -> Answer {
        match question {}
    }

    fn memory(_: &str) {}

    fn request((): &(), call: &Call) -> Result<Request<Change, Question>, Failure> {
        let key = call.key.as_ref().map(ToString::to_string).unwrap_or_default();
        match (&*call.f, &call.value) {
            ("enqueue" | "push", value) => {
                Ok(Request::Change(Change::Enqueue { key, value: value.clone() }))
            }
            ("dequeue", Value::Null) => Ok(Request::Change(Change::Dequeue { key })),
            ("pop", Value::Null) => Ok(Request::Change(Change::Pop { key })),
            (f, value) => Err(Failure::fail(format!("queue has no `{f}` of {value}"))),
        }
    }

    fn conclude((): &mut (), call: &Call, answer: Answer) -> Outcome {
        Ok(match answer {
            Answer::Enqueued => Reply::of(call.value.clone()),
            Answer::Dequeued(value) => Reply::of(value),
        })
    }
}

fn main() -> ExitCode {
    raft_floor::run::<Queue>()
}
