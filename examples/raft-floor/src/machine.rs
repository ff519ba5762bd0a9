//! The machine that commands are applied to: a database's state, and what each client was
//! answered last, so that a change that is sent again happens once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::database::{Database, Flaw};
use crate::types::Command;

/// State and sessions. A client has one request in flight, so its last answer is enough
/// (Ongaro, "Consensus: Bridging Theory and Practice", 2014, 6.3).
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Machine<S> {
    state: S,
    sessions: BTreeMap<String, (u64, Value)>,
}

impl<S> Machine<S> {
    /// Performs a command, unless it was performed before, and answers it.
    pub fn apply<D: Database<State = S>>(&mut self, command: &Command, bug: D::Bug) -> Value {
        let Command { client, sequence, .. } = command;
        // THE BUG `AppliesRetries`: nobody looks whether this one was there before.
        if D::flaw(bug) != Some(Flaw::AppliesRetries)
            && let Some((last, answer)) = self.sessions.get(client)
            && sequence <= last
        {
            // Nobody waits for the answer to one that the client has given up.
            return if sequence == last { answer.clone() } else { Value::Null };
        }
        let answer = json(&D::apply(&mut self.state, change::<D>(command), bug));
        self.sessions.insert(client.clone(), (*sequence, answer.clone()));
        answer
    }

    /// What is due by this node's clock.
    pub fn due<D: Database<State = S>>(&self, clock: &mut D::Clock) -> Vec<D::Change> {
        D::due(&self.state, clock)
    }

    /// Answers a question.
    pub fn look<D: Database<State = S>>(&self, question: &Value) -> Value {
        let question =
            serde_json::from_value(question.clone()).expect("it was one when it was made");
        json(&D::look(&self.state, question))
    }
}

/// As JSON, which all that a database sends and keeps can be.
pub fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("it has string keys only")
}

/// Whether a change is answered before it is committed.
pub fn early<D: Database>(command: &Command, bug: D::Bug) -> bool {
    D::answers_early(&change::<D>(command), bug)
}

fn change<D: Database>(command: &Command) -> D::Change {
    serde_json::from_value(command.change.clone()).expect("it was one when it was made")
}
