//! The data: queues by key. A stack is one that gives back its newest value.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// All queues.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct Queues {
    queues: BTreeMap<String, VecDeque<Value>>,
}

/// What alters them.
#[derive(Serialize, Deserialize)]
pub enum Change {
    /// Puts a value in.
    Enqueue { key: String, value: Value },
    /// Takes the oldest value out.
    Dequeue { key: String },
    /// Takes the newest value out.
    Pop { key: String },
}

/// Nobody only looks at a queue.
#[derive(Serialize, Deserialize)]
pub enum Question {}

/// What comes back.
#[derive(Serialize, Deserialize)]
pub enum Answer {
    /// It is in.
    Enqueued,
    /// What came out; null where nothing was in.
    Dequeued(Value),
}

impl Queues {
    /// Performs a change.
    pub fn apply(&mut self, change: Change) -> Answer {
        match change {
            Change::Enqueue { key, value } => {
                self.queues.entry(key).or_default().push_back(value);
                Answer::Enqueued
            }
            Change::Dequeue { key } => self.take(&key, VecDeque::pop_front),
            Change::Pop { key } => self.take(&key, VecDeque::pop_back),
        }
    }

    fn take(&mut self, key: &str, taken: fn(&mut VecDeque<Value>) -> Option<Value>) -> Answer {
        Answer::Dequeued(self.queues.get_mut(key).and_then(taken).unwrap_or_default())
    }
}
