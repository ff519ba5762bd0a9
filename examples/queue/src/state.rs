//! The data: queues by key.

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
            Change::Dequeue { key } => {
                let queue = self.queues.get_mut(&key);
                Answer::Dequeued(queue.and_then(VecDeque::pop_front).unwrap_or_default())
            }
        }
    }
}
