//! What a database on this floor is: a deterministic machine, and Tribunal's calls as requests of it.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tribunal_client::{Call, Failure, Outcome};

pub use crate::message::Request;

/// A database. `apply` and `look` are pure: every node comes to the same state and the same answers.
pub trait Database: Sized + Send + Sync + 'static {
    /// The command's name, for its messages.
    const NAME: &'static str;
    /// The workloads that its client serves.
    const WORKLOADS: &'static [&'static str];
    /// The port of clients; the one of peers is the next.
    const PORT: u16;
    /// What it may be guilty of.
    type Bug: clap::ValueEnum + Copy + Send + Sync + 'static;
    /// All data.
    type State: Default + Clone + Serialize + DeserializeOwned + Send + 'static;
    /// What alters them.
    type Change: Serialize + DeserializeOwned + Send + 'static;
    /// What only looks at them.
    type Question: Serialize + DeserializeOwned + Send + 'static;
    /// What comes back from either.
    type Answer: Serialize + DeserializeOwned + Send + 'static;
    /// What a node remembers of when things happened, by its own clock.
    type Clock: Default + Send + 'static;
    /// What a client remembers from call to call.
    type Memory: Send + 'static;

    /// What the floor itself does wrong under this bug.
    fn flaw(bug: Self::Bug) -> Option<Flaw>;

    /// Performs a change.
    fn apply(state: &mut Self::State, change: Self::Change, bug: Self::Bug) -> Self::Answer;

    /// Answers a question.
    fn look(state: &Self::State, question: Self::Question) -> Self::Answer;

    /// What is due by now, by this node's clock: while it leads, it has these changes made.
    fn due(_: &Self::State, _: &mut Self::Clock) -> Vec<Self::Change> {
        Vec::new()
    }

    /// Under [`Flaw::AppliesUncommitted`]: whether this change is one that is answered early.
    fn answers_early(_: &Self::Change, _: Self::Bug) -> bool {
        true
    }

    /// What a client of this workload remembers at first.
    fn memory(workload: &str) -> Self::Memory;

    /// The request that a call is.
    fn request(
        memory: &Self::Memory,
        call: &Call,
    ) -> Result<Request<Self::Change, Self::Question>, Failure>;

    /// How the call ended, by the answer to its request.
    fn conclude(memory: &mut Self::Memory, call: &Call, answer: Self::Answer) -> Outcome;
}

/// What can be wrong with a floor. Each is one small difference, at one place in the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flaw {
    /// The log says that entries are on disk while they are in the operating system's memory
    /// (`log_store.rs`). What a majority acknowledged is gone when the power is.
    AcknowledgesBeforeSync,
    /// Votes, and terms with them, are kept in memory alone (`log_store.rs`). A node that was
    /// killed votes again in a term in which it has voted, and follows leaders of the past.
    ForgetsVote,
    /// A leader answers questions from its own state, without asking a majority whether it is
    /// still the leader (`node.rs`).
    ReadsWithoutAsking,
    /// Any node answers questions from its own state, whoever leads and however far it is behind
    /// (`node.rs`).
    ReadsLocally,
    /// A leader applies changes when it appends them, and answers before anybody else has them
    /// (`node.rs`).
    AppliesUncommitted,
    /// A change that is sent a second time, because the answer to the first was lost, is
    /// applied a second time (`machine.rs`).
    AppliesRetries,
}
