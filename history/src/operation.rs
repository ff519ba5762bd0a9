//! An operation: an invocation paired with its completion.

use crate::history::OPEN;
use crate::{EventRef, History, Kind, Nanos, Process, ValueRef};

/// A client's call as a whole, borrowed from its [`History`].
#[derive(Clone, Copy, Debug)]
pub struct Operation<'h> {
    history: &'h History,
    number: u32,
    start: u32,
    end: u32,
}

impl<'h> Operation<'h> {
    pub(crate) fn new(history: &'h History, number: u32, (start, end): (u32, u32)) -> Self {
        Self { history, number, start, end }
    }

    /// Which of the history's operations it is, in the order of their invocations.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The event that began it.
    pub fn invocation(&self) -> EventRef<'h> {
        EventRef::new(self.history, self.start)
    }

    /// The event that ended it; `None` where the history stops before.
    pub fn completion(&self) -> Option<EventRef<'h>> {
        (self.end != OPEN).then(|| EventRef::new(self.history, self.end))
    }

    fn acknowledgement(&self) -> Option<EventRef<'h>> {
        self.completion().filter(|event| event.kind() == Kind::Ok)
    }

    /// Who called.
    pub fn process(&self) -> Process {
        self.invocation().process()
    }

    /// The function called.
    pub fn f(&self) -> &'h str {
        self.invocation().f()
    }

    /// The object called, where there are several.
    pub fn key(&self) -> Option<ValueRef<'h>> {
        self.invocation().key()
    }

    /// How it ended; a call without completion is an `info`.
    pub fn kind(&self) -> Kind {
        self.completion().map_or(Kind::Info, EventRef::kind)
    }

    /// Whether it is known to have happened.
    pub fn is_ok(&self) -> bool {
        self.kind() == Kind::Ok
    }

    /// Index of the invocation: the operation's start, and its name in a verdict.
    pub fn start(&self) -> u64 {
        u64::from(self.start)
    }

    /// Index of the completion if it was an `ok`. An `info` never ends: it may
    /// take effect at any later time.
    pub fn end(&self) -> Option<u64> {
        self.acknowledgement().map(EventRef::index)
    }

    /// When it was invoked.
    pub fn invoked_at(&self) -> Nanos {
        self.invocation().time()
    }

    /// When it ended, however it did; `None` where the history stops before.
    pub fn completed_at(&self) -> Option<Nanos> {
        self.completion().map(EventRef::time)
    }

    /// What was given: the invocation's value.
    pub fn argument(&self) -> ValueRef<'h> {
        self.invocation().value()
    }

    /// What came back: the `ok`'s value, if there is one.
    pub fn result(&self) -> Option<ValueRef<'h>> {
        self.acknowledgement().map(EventRef::value)
    }

    /// A field of the completion's `ext`.
    pub fn ext(&self, name: &str) -> Option<ValueRef<'h>> {
        self.completion().and_then(|event| event.ext(name))
    }

    /// The node that was asked, from whichever event names it.
    pub fn node(&self) -> Option<&'h str> {
        self.completion().and_then(EventRef::node).or(self.invocation().node())
    }
}
