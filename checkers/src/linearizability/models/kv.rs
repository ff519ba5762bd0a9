//! A key's text: `put` sets it, `append` lengthens it, `get` returns it.
//!
//! A key that was never set holds what it began with, or the empty text; an answer of null says
//! that it holds the empty text.

use tribunal_history::{History, Operation, ValueRef};

use super::super::model::Model;

/// A text that can be set and appended to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kv {
    /// What each key holds before the first call.
    pub initial: String,
}

/// A call on a text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Entry {
    /// Sets it.
    Put(String),
    /// Adds to its end.
    Append(String),
    /// Found it so.
    Get(String),
}

impl Model for Kv {
    type Call = Entry;
    type State = String;

    fn init(&self) -> String {
        self.initial.clone()
    }

    fn step(&self, held: &String, call: &Entry) -> impl IntoIterator<Item = String> {
        match call {
            Entry::Put(text) => Some(text.clone()),
            Entry::Append(text) => Some(format!("{held}{text}")),
            Entry::Get(text) => (text == held).then(|| held.clone()),
        }
    }

    fn looks(&self, call: &Entry) -> bool {
        matches!(call, Entry::Get(_))
    }

    fn shown(&self, held: &String, _history: &History) -> String {
        /// A long text is told by its end, where appends differ.
        const SHOWN: usize = 40;
        match held.char_indices().rev().nth(SHOWN) {
            Some((at, _)) => format!("…{:?} ({} bytes)", &held[at..], held.len()),
            None => format!("{held:?}"),
        }
    }

    fn call(&self, operation: &Operation) -> Result<Option<Entry>, String> {
        match operation.f() {
            "get" => operation.result().map(|found| text(found).map(Entry::Get)).transpose(),
            "put" => text(operation.argument()).map(|text| Some(Entry::Put(text))),
            "append" => text(operation.argument()).map(|text| Some(Entry::Append(text))),
            other => {
                Err(format!("`{other}` is not a call of a kv; its calls are put, append and get"))
            }
        }
    }
}

fn text(value: ValueRef) -> Result<String, String> {
    match value.as_str() {
        Some(text) => Ok(text.to_owned()),
        None if value.is_null() => Ok(String::new()),
        None => Err(format!("the value of a kv must be text, and this one is {value}")),
    }
}
