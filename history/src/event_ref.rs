//! An event of a history, borrowed from its columns.

use serde_json::Value;

use crate::columns::{ERROR, NONE, process};
use crate::{Event, History, Kind, Nanos, Process, ValueRef};

/// One event of a history.
#[derive(Clone, Copy, Debug)]
pub struct EventRef<'h> {
    history: &'h History,
    at: u32,
}

impl<'h> EventRef<'h> {
    pub(crate) fn new(history: &'h History, at: u32) -> Self {
        Self { history, at }
    }

    fn row(self) -> usize {
        self.at as usize
    }

    /// Position in the history, dense from 0.
    pub fn index(self) -> u64 {
        u64::from(self.at)
    }

    /// When, in nanoseconds since the run began.
    pub fn time(self) -> Nanos {
        self.history.columns.time[self.row()]
    }

    /// Who.
    pub fn process(self) -> Process {
        process(self.history.columns.process[self.row()])
    }

    /// Invocation, or which completion.
    pub fn kind(self) -> Kind {
        self.history.columns.kind[self.row()]
    }

    /// The function called.
    pub fn f(self) -> &'h str {
        let columns = &self.history.columns;
        columns.names.get(columns.f[self.row()])
    }

    /// The object, where there is more than one.
    pub fn key(self) -> Option<ValueRef<'h>> {
        let columns = &self.history.columns;
        let place = columns.key[self.row()];
        (place != NONE).then(|| columns.values.get(columns.keys[place as usize]))
    }

    /// The argument, or (on `ok`) what came back.
    pub fn value(self) -> ValueRef<'h> {
        self.history.columns.values.get(self.history.columns.value[self.row()])
    }

    /// The node that was asked.
    pub fn node(self) -> Option<&'h str> {
        let columns = &self.history.columns;
        let place = columns.node[self.row()];
        (place != NONE).then(|| &**columns.names.get(place))
    }

    /// On `fail` and `info`: why; null where nothing was said.
    pub fn error(self) -> ValueRef<'h> {
        let columns = &self.history.columns;
        let extras = columns.extras(self.row());
        let error = extras.iter().find(|&&(name, _)| name == ERROR);
        columns.values.get(error.map_or(crate::Datum::NULL, |&(_, datum)| datum))
    }

    /// What the database exposes beside the value, by name.
    pub fn ext(self, name: &str) -> Option<ValueRef<'h>> {
        // Most events have none, so nothing is looked up for them.
        if self.history.columns.extras(self.row()).is_empty() {
            return None;
        }
        self.exts().find(|&(there, _)| there == name).map(|(_, value)| value)
    }

    /// All of it.
    pub fn exts(self) -> impl Iterator<Item = (&'h str, ValueRef<'h>)> {
        let columns = &self.history.columns;
        let extras = columns.extras(self.row()).iter().filter(|&&(name, _)| name != ERROR);
        extras.map(|&(name, datum)| (&**columns.names.get(name), columns.values.get(datum)))
    }

    /// The same event, owned.
    pub fn to_event(self) -> Event {
        let owned = |(name, value): (&str, ValueRef)| (name.to_owned(), value.to_value());
        let columns = &self.history.columns;
        let node = columns.node[self.row()];
        Event {
            index: self.index(),
            time: self.time(),
            process: self.process(),
            kind: self.kind(),
            f: columns.names.get(columns.f[self.row()]).clone(),
            key: self.key().map(Value::from),
            value: self.value().to_value(),
            node: (node != NONE).then(|| columns.names.get(node).clone()),
            error: self.error().to_value(),
            ext: self.exts().map(owned).collect(),
        }
    }
}
