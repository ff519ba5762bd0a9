//! The data: registers by key, and logs by key. Every node comes to the same by the same changes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The most values that a poll brings.
const POLLED_AT_ONCE: usize = 100;

/// All data.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct State {
    registers: BTreeMap<String, Value>,
    logs: BTreeMap<String, Vec<Value>>,
}

/// What alters them.
#[derive(Serialize, Deserialize)]
pub enum Change {
    /// A new value for a register.
    Write { key: String, value: Value },
    /// A new value for a register that has this old one.
    Cas { key: String, old: Value, new: Value },
    /// Reads and writes of registers, at one moment.
    Transact { steps: Vec<Step> },
    /// One more value at the end of a log.
    Append { key: String, value: Value },
}

/// `["r", register, null]`, or `["w", register, value]`; in an answer, with what was read.
pub type Step = (Access, Value, Value);

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Access {
    #[serde(rename = "r")]
    Read,
    #[serde(rename = "w")]
    Write,
}

/// What only looks at them.
#[derive(Serialize, Deserialize)]
pub enum Question {
    /// The value of a register.
    Read { key: String },
    /// Reads of registers, at one moment.
    Several { steps: Vec<Step> },
    /// All that is in a log.
    Whole { key: String },
    /// What is in a log from an offset on, as much as comes at once.
    Poll { key: String, from: u64 },
}

/// What comes back.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// To a write.
    Written,
    /// To a compare-and-set: whether it swapped, and the value that it found.
    Compared { swapped: bool, found: Value },
    /// To an append: where the value is.
    Appended { offset: u64 },
    /// To a read.
    Value(Value),
    /// To a transaction: its steps with what they read.
    Steps(Vec<Step>),
    /// To a question for a whole log.
    Whole(Vec<Value>),
    /// To a poll: values with their offsets.
    Polled(Vec<(u64, Value)>),
}

impl State {
    /// Performs a change.
    pub fn apply(&mut self, change: Change) -> Answer {
        match change {
            Change::Write { key, value } => {
                self.registers.insert(key, value);
                Answer::Written
            }
            Change::Cas { key, old, new } => {
                let found = self.registers.get(&key).cloned().unwrap_or_default();
                let swapped = found == old;
                if swapped {
                    self.registers.insert(key, new);
                }
                Answer::Compared { swapped, found }
            }
            Change::Transact { steps } => {
                let done = |(access, key, value)| match access {
                    Access::Read => self.read(key),
                    Access::Write => {
                        self.registers.insert(name(&key), Value::clone(&value));
                        (access, key, value)
                    }
                };
                Answer::Steps(steps.into_iter().map(done).collect())
            }
            Change::Append { key, value } => {
                let log = self.logs.entry(key).or_default();
                log.push(value);
                Answer::Appended { offset: log.len() as u64 - 1 }
            }
        }
    }

    /// Answers a question.
    pub fn look(&self, question: &Question) -> Answer {
        match question {
            Question::Read { key } => {
                Answer::Value(self.registers.get(key).cloned().unwrap_or_default())
            }
            Question::Several { steps } => {
                Answer::Steps(steps.iter().map(|(_, key, _)| self.read(key.clone())).collect())
            }
            Question::Whole { key } => Answer::Whole(self.log(key).to_vec()),
            Question::Poll { key, from } => {
                let numbered = (0..).zip(self.log(key).iter().cloned()).skip(*from as usize);
                Answer::Polled(numbered.take(POLLED_AT_ONCE).collect())
            }
        }
    }

    fn read(&self, key: Value) -> Step {
        let value = self.registers.get(&name(&key)).cloned().unwrap_or_default();
        (Access::Read, key, value)
    }

    fn log(&self, key: &str) -> &[Value] {
        self.logs.get(key).map(Vec::as_slice).unwrap_or_default()
    }
}

/// A register's name, which a transaction may give as a text or a number.
fn name(key: &Value) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}
