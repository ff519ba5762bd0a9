//! An operation: an invocation paired with its completion.

use serde_json::Value;

use crate::{Event, Kind, Process};

/// A client's call as a whole. Borrowed from its [`History`](crate::History).
#[derive(Clone, Copy, Debug)]
pub struct Operation<'h> {
    /// The event that began it.
    pub invocation: &'h Event,
    /// The event that ended it; `None` where the history stops before.
    pub completion: Option<&'h Event>,
}

impl<'h> Operation<'h> {
    /// Who called.
    pub fn process(&self) -> Process {
        self.invocation.process
    }

    /// The function called.
    pub fn f(&self) -> &'h str {
        &self.invocation.f
    }

    /// The object called, where there are several.
    pub fn key(&self) -> Option<&'h Value> {
        self.invocation.key.as_ref()
    }

    /// How it ended; a call without completion is an `info`.
    pub fn kind(&self) -> Kind {
        self.completion.map_or(Kind::Info, |event| event.kind)
    }

    /// Whether it is known to have happened.
    pub fn is_ok(&self) -> bool {
        self.kind() == Kind::Ok
    }

    /// Index of the invocation: the operation's start, and its name in a verdict.
    pub fn start(&self) -> u64 {
        self.invocation.index
    }

    /// Index of the completion if it was an `ok`. An `info` never ends: it may
    /// take effect at any later time.
    pub fn end(&self) -> Option<u64> {
        self.completion.filter(|event| event.kind == Kind::Ok).map(|event| event.index)
    }

    /// What was given: the invocation's value.
    pub fn argument(&self) -> &'h Value {
        &self.invocation.value
    }

    /// What came back: the `ok`'s value, if there is one.
    pub fn result(&self) -> Option<&'h Value> {
        self.completion.filter(|event| event.kind == Kind::Ok).map(|event| &event.value)
    }

    /// A field of the completion's `ext`.
    pub fn ext(&self, name: &str) -> Option<&'h Value> {
        self.completion.and_then(|event| event.ext.get(name))
    }

    /// The node that was asked, from whichever event names it.
    pub fn node(&self) -> Option<&'h str> {
        let completion = self.completion.and_then(|event| event.node.as_deref());
        completion.or(self.invocation.node.as_deref())
    }
}
