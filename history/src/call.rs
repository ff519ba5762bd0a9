//! A call: what a generator asks for and a client performs.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::Name;

/// One call on the object under test, before anybody has made it.
///
/// Values are untyped here; a workload parses them once into its own enum.
/// `docs` of each workload list its functions and the shape of their values.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The function: `read`, `write`, `cas`, `probe`, …
    pub f: Name,
    /// The object, where the workload has more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Value>,
    /// The argument; null where there is none.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
    /// Marks for the checkers, copied into both events and not sent to the
    /// client: `{"final": true}` on the last reads.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub ext: Map<String, Value>,
}

impl Call {
    /// A call of `f` without key or argument.
    pub fn new(f: impl Into<Name>) -> Self {
        Self { f: f.into(), key: None, value: Value::Null, ext: Map::new() }
    }

    /// The same call with an argument.
    pub fn value(mut self, value: impl Into<Value>) -> Self {
        self.value = value.into();
        self
    }

    /// The same call with a mark for the checkers.
    pub fn mark(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.ext.insert(name.to_owned(), value.into());
        self
    }

    /// The same call on one object of several.
    pub fn key(mut self, key: impl Into<Value>) -> Self {
        self.key = Some(key.into());
        self
    }
}
