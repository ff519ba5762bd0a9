//! What an object is: its calls, its states, and what a call does to a state.
//!
//! A [`Model`] is a sequential specification. It says nothing of time: the
//! judges of this folder find an order of the calls that real time allows, or
//! show that there is none. A model may bring an exact judge of its own
//! ([`Model::decide`]) for the histories in which there is a fast one; all
//! others go to the general search.

use std::fmt::Debug;
use std::hash::Hash;

use tribunal_history::{History, Operation, ValueRef};

/// Where an event stands in the log: its index plus one. 0 is before the history.
///
/// The log's order decides, not the wall times: indexes never tie.
pub type Point = u32;

/// The end of a call that may still take effect at any later time, or never.
pub const NEVER: Point = u32::MAX;

/// A sequential object.
pub trait Model: Send + Sync {
    /// A call with all that is known of its answer. Two equal calls do the same.
    type Call: Clone + Eq + Hash + Debug + Send + Sync;
    /// What the object holds.
    type State: Clone + Eq + Hash + Debug + Send + Sync;

    /// What it holds before the first call.
    fn init(&self) -> Self::State;

    /// What it may hold after `call` took effect in `state`; nothing if it cannot have
    /// been answered so. More than one state where the object may choose.
    fn step(&self, state: &Self::State, call: &Self::Call)
    -> impl IntoIterator<Item = Self::State>;

    /// Reads a recorded call that did not fail. `None` if it says nothing and does nothing, such as a
    /// read without an answer; an error, in words, if this object has no such call.
    fn call(&self, operation: &Operation) -> Result<Option<Self::Call>, String>;

    /// The calls as the judges see them. A call that stands for several, each at a moment of its own
    /// between its invocation and its answer, such as a drain, becomes those; they keep its number.
    fn expand(&self, ops: Vec<Op<Self::Call>>) -> Vec<Op<Self::Call>> {
        ops
    }

    /// Whether `call` only looks: it leaves every state as it is. The search lets such a call happen
    /// as soon as it can; `false` is always right, and slower.
    fn looks(&self, _call: &Self::Call) -> bool {
        false
    }

    /// A state in words, for messages: "the object held …".
    fn shown(&self, state: &Self::State, _history: &History) -> String {
        format!("{state:?}")
    }

    /// An exact answer where there is a fast way to one; `None` leaves the object to the search.
    fn decide(&self, _object: &Object<Self::Call>) -> Option<Decision> {
        None
    }
}

/// What a model's own judge found.
pub struct Decision {
    /// The judge: `blocks`, `fifo`, … It goes into the verdict.
    pub judge: &'static str,
    /// Why there is no order, if there is none.
    pub conflict: Option<Conflict>,
}

/// One call on one object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op<C> {
    /// What it did.
    pub call: C,
    /// When it was invoked.
    pub start: Point,
    /// When it was acknowledged; [`NEVER`] where nobody knows whether it happened.
    pub end: Point,
    /// Which of the history's operations it is: [`Operation::number`].
    pub number: u32,
}

impl<C> Op<C> {
    /// Whether nobody knows if it happened.
    pub fn crashed(&self) -> bool {
        self.end == NEVER
    }
}

/// All calls on one object.
pub struct Object<'h, C> {
    /// Where they were recorded.
    pub history: &'h History,
    /// Its key; `None` where the history has only one object.
    pub key: Option<ValueRef<'h>>,
    /// The calls that happened or may have, in the order of their invocations.
    pub ops: Vec<Op<C>>,
    /// The operations that certainly did not happen, by number.
    pub failed: Vec<u32>,
}

impl<'h, C> Object<'h, C> {
    /// A call as it was recorded.
    pub fn operation(&self, number: u32) -> Operation<'h> {
        self.history.operation(number)
    }
}

/// Why the calls on an object cannot be put in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// What kind, for machines: `stale`, `duplicate-dequeue`, …
    pub kind: &'static str,
    /// The case in one or two plain sentences, with values, processes and times.
    pub message: String,
    /// The operations that show it, by number: a closed history of its own that has no order either.
    pub calls: Vec<u32>,
}
