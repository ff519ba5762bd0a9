//! The machine that commands are applied to: a database's state, and what each client was
//! answered last, so that a change that is sent again happens once.
//!
//! Which database it is of is forgotten here ([`Machine`]), so that Raft and all around it is compiled
//! once for all databases.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::database::{Database, Flaw};
use crate::message::Order;
use crate::types::Command;

/// Any database's machine.
pub trait Machine: Send {
    /// Performs a command, unless it was performed before, and answers it.
    fn apply(&mut self, command: &Command) -> Value;
    /// Answers a question.
    fn look(&self, question: &Value) -> Value;
    /// The changes that are due by now, by this node's clock.
    fn due(&mut self) -> Vec<Value>;
    /// Whether this is an order that the database knows.
    fn knows(&self, order: &Order) -> bool;
    /// Under [`Flaw::AppliesUncommitted`]: whether a command is answered before it is committed.
    fn answers_early(&self, command: &Command) -> bool;
    /// What a snapshot keeps of it.
    fn save(&self) -> Value;
    /// The same machine with what a snapshot kept.
    fn restore(&mut self, saved: Value) -> serde_json::Result<()>;
    /// Another one like it.
    fn copy(&self) -> Box<dyn Machine>;
}

/// A new machine of a database.
pub fn machine<D: Database>(bug: D::Bug) -> Box<dyn Machine> {
    Box::new(Of::<D> { data: Data::default(), clock: D::Clock::default(), bug })
}

/// The machine of one database.
struct Of<D: Database> {
    data: Data<D::State>,
    clock: D::Clock,
    bug: D::Bug,
}

/// State and sessions. A client has one request in flight, so its last answer is enough
/// (Ongaro, "Consensus: Bridging Theory and Practice", 2014, 6.3).
#[derive(Clone, Default, Serialize, Deserialize)]
struct Data<S> {
    state: S,
    sessions: BTreeMap<String, (u64, Value)>,
}

impl<D: Database> Machine for Of<D> {
    fn apply(&mut self, command: &Command) -> Value {
        let Command { client, sequence, change } = command;
        let Data { state, sessions } = &mut self.data;
        // THE BUG `AppliesRetries`: nobody looks whether this one was there before.
        if D::flaw(self.bug) != Some(Flaw::AppliesRetries)
            && let Some((last, answer)) = sessions.get(client)
            && sequence <= last
        {
            // Nobody waits for the answer to one that the client has given up.
            return if sequence == last { answer.clone() } else { Value::Null };
        }
        let answer = json(&D::apply(state, known(change), self.bug));
        sessions.insert(client.clone(), (*sequence, answer.clone()));
        answer
    }

    fn look(&self, question: &Value) -> Value {
        json(&D::look(&self.data.state, known(question)))
    }

    fn due(&mut self) -> Vec<Value> {
        D::due(&self.data.state, &mut self.clock).iter().map(json).collect()
    }

    fn knows(&self, order: &Order) -> bool {
        match order {
            Order::Change(command) => D::Change::deserialize(&command.change).is_ok(),
            Order::Ask(question) => D::Question::deserialize(question).is_ok(),
        }
    }

    fn answers_early(&self, command: &Command) -> bool {
        D::answers_early(&known(&command.change), self.bug)
    }

    fn save(&self) -> Value {
        json(&self.data)
    }

    fn restore(&mut self, saved: Value) -> serde_json::Result<()> {
        self.data = serde_json::from_value(saved)?;
        Ok(())
    }

    fn copy(&self) -> Box<dyn Machine> {
        let clock = D::Clock::default();
        Box::new(Of::<D> { data: self.data.clone(), clock, bug: self.bug })
    }
}

/// What JSON says that was made of such a value.
fn known<T: for<'de> Deserialize<'de>>(json: &Value) -> T {
    T::deserialize(json).expect("a node takes no order that it does not know")
}

/// As JSON, which all that a database sends and keeps can be.
pub fn json(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("it has string keys only")
}
