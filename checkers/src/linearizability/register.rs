//! The calls on registers, parsed once into a dense typed array per object.
//!
//! Nothing is judged here. What cannot be a call of a register is a
//! [`BadCall`]; it is never guessed at, because a guess may convict a database.

use rustc_hash::FxHashMap;
use serde_json::Value;
use tribunal_history::{Datum, History, Kind, Operation, ValueRef};

/// Where an event stands in the log: its index plus one. 0 is before the history.
///
/// The log's order decides, not the wall times: indexes never tie.
pub type Point = u32;

/// The end of a call that may still take effect at any later time.
pub const NEVER: Point = u32::MAX;

/// A register's value, as a position in [`Object::values`].
pub type ValueId = u32;

/// The value every register holds before the first call.
pub const INITIAL: ValueId = 0;

/// What a call does to the register, or learned of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Found this value.
    Read(ValueId),
    /// Sets this value.
    Write(ValueId),
    /// Finds the first value and sets the second, another one.
    Cas(ValueId, ValueId),
    /// Found some value other than this: a compare-and-set that did not swap.
    Differs(ValueId),
}

impl Action {
    /// The value the register must hold for this to happen.
    pub fn observes(self) -> Option<ValueId> {
        match self {
            Action::Read(value) | Action::Cas(value, _) => Some(value),
            Action::Write(_) | Action::Differs(_) => None,
        }
    }

    /// The value the register holds afterwards, if this sets one.
    pub fn produces(self) -> Option<ValueId> {
        match self {
            Action::Write(value) | Action::Cas(_, value) => Some(value),
            Action::Read(_) | Action::Differs(_) => None,
        }
    }
}

/// One call on one register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Op {
    /// What it did.
    pub action: Action,
    /// When it was invoked.
    pub start: Point,
    /// When it was acknowledged; [`NEVER`] where that is not known.
    pub end: Point,
    /// Its position in [`Object::calls`].
    pub call: u32,
}

impl Op {
    /// Whether nobody knows if it happened.
    pub fn crashed(&self) -> bool {
        self.end == NEVER
    }
}

/// All calls on one register.
#[derive(Clone, Debug)]
pub struct Object<'h> {
    /// Its key; `None` where the history has only one object.
    pub key: Option<ValueRef<'h>>,
    /// The calls as they were recorded, in the order of their invocations.
    pub calls: Vec<Operation<'h>>,
    /// Those that happened or may have, in the same order. A read without an answer says nothing.
    pub ops: Vec<Op>,
    /// Those that would have set a value and certainly did not.
    pub failed: Vec<Op>,
    /// Every value that occurs; the first is the initial one.
    pub values: Vec<Datum>,
    ids: FxHashMap<Datum, ValueId>,
    history: &'h History,
    initial: &'h Value,
}

/// Parses the client calls of `history`, one object per key in the order of their first calls.
pub fn parse<'h>(history: &'h History, initial: &'h Value) -> Result<Vec<Object<'h>>, BadCall> {
    let mut objects: Vec<Object> = Vec::new();
    // Without a key, or with one: each has a place of its own.
    let mut places = vec![usize::MAX; 1 + history.keys().len()];
    for operation in history.operations() {
        let place = &mut places[history.key_place(&operation).map_or(0, |place| 1 + place)];
        if *place == usize::MAX {
            *place = objects.len();
            objects.push(Object::new(history, operation.key(), initial));
        }
        objects[*place].push(operation)?;
    }
    Ok(objects)
}

impl<'h> Object<'h> {
    fn new(history: &'h History, key: Option<ValueRef<'h>>, initial: &'h Value) -> Self {
        let (calls, ops, failed) = (Vec::new(), Vec::new(), Vec::new());
        let (values, ids) = (Vec::new(), FxHashMap::default());
        let mut object = Self { key, calls, ops, failed, values, ids, history, initial };
        object.value(history.values().find(initial));
        object
    }

    /// A value as JSON.
    pub fn shown(&self, value: ValueId) -> Value {
        match self.values[value as usize] {
            // No event need hold the initial value.
            _ if value == INITIAL => self.initial.clone(),
            datum => self.history.values().get(datum).to_value(),
        }
    }

    fn push(&mut self, operation: Operation<'h>) -> Result<(), BadCall> {
        let parsed = self.parse_call(&operation);
        let action = parsed.map_err(|problem| BadCall { index: operation.start(), problem })?;
        let call = self.calls.len() as u32;
        self.calls.push(operation);
        let Some(action) = action else { return Ok(()) };
        let end = operation.end().map_or(NEVER, |index| index as Point + 1);
        let op = Op { action, start: operation.start() as Point + 1, end, call };
        match operation.kind() {
            Kind::Fail => self.failed.push(op),
            _ => self.ops.push(op),
        }
        Ok(())
    }

    /// What the call did or may have done; `None` where it cannot have mattered.
    fn parse_call(&mut self, operation: &Operation<'h>) -> Result<Option<Action>, Problem> {
        match operation.f() {
            "read" => Ok(operation.result().map(|value| Action::Read(self.value(value.datum())))),
            "write" if operation.argument().is_null() => Err(Problem::NoValue),
            "write" => Ok(Some(Action::Write(self.value(operation.argument().datum())))),
            "cas" => self.cas(operation),
            other => Err(Problem::Function(other.to_owned())),
        }
    }

    fn cas(&mut self, operation: &Operation<'h>) -> Result<Option<Action>, Problem> {
        let argument = operation.argument();
        let Some([old, new]) = argument.pair() else {
            return Err(Problem::NotAPair(argument.to_string()));
        };
        let (old, new) = (self.value(old.datum()), self.value(new.datum()));
        if operation.is_ok() && !swapped(operation)? {
            let found = operation.ext("found").map(|found| Action::Read(self.value(found.datum())));
            return Ok(Some(found.unwrap_or(Action::Differs(old))));
        }
        // Swapping a value for itself is reading it; when nobody knows, it is nothing.
        Ok(match old == new {
            false => Some(Action::Cas(old, new)),
            true => operation.is_ok().then_some(Action::Read(old)),
        })
    }

    fn value(&mut self, value: Datum) -> ValueId {
        *self.ids.entry(value).or_insert_with(|| {
            self.values.push(value);
            (self.values.len() - 1) as ValueId
        })
    }
}

fn swapped(operation: &Operation) -> Result<bool, Problem> {
    let Some(swapped) = operation.ext("swapped") else { return Ok(true) };
    swapped.as_bool().ok_or_else(|| Problem::Swapped(swapped.to_string()))
}

/// A call that is none of a register's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {index}: {problem}")]
pub struct BadCall {
    /// Index of its invocation.
    pub index: u64,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Another function.
    #[error("`{0}` is not a call of a register; its calls are read, write and cas")]
    Function(String),
    /// A write of nothing. Null stands for an absent value, which `write` cannot set.
    #[error("this write has no value; its invocation must carry the value to write")]
    NoValue,
    /// A compare-and-set without both values.
    #[error("the value of a cas must be [old, new], and this one is {0}")]
    NotAPair(String),
    /// A compare-and-set that leaves open whether it swapped.
    #[error("`ext.swapped` of a cas must be true or false, and here it is {0}")]
    Swapped(String),
}
