//! The calls on registers, parsed once into a dense typed array per object.
//!
//! Nothing is judged here. What cannot be a call of a register is a
//! [`BadCall`]; it is never guessed at, because a guess may convict a database.

use rustc_hash::FxHashMap;
use serde_json::Value;
use tribunal_history::{History, Kind, Operation};

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
    pub key: Option<&'h Value>,
    /// The calls as they were recorded, in the order of their invocations.
    pub calls: Vec<Operation<'h>>,
    /// Those that happened or may have, in the same order. A read without an answer says nothing.
    pub ops: Vec<Op>,
    /// Those that would have set a value and certainly did not.
    pub failed: Vec<Op>,
    /// Every value that occurs; the first is the initial one.
    pub values: Vec<&'h Value>,
    ids: Interner<'h>,
}

/// Parses the client calls of `history`, one object per key in the order of their first calls.
pub fn parse<'h>(history: &'h History, initial: &'h Value) -> Result<Vec<Object<'h>>, BadCall> {
    let mut objects: Vec<Object> = Vec::new();
    let mut keys = Interner::default();
    for operation in history.operations() {
        let key = operation.key();
        let at = keys.id(key.unwrap_or(&Value::Null)) as usize;
        if at == objects.len() {
            objects.push(Object::new(key, initial));
        }
        objects[at].push(operation)?;
    }
    Ok(objects)
}

impl<'h> Object<'h> {
    fn new(key: Option<&'h Value>, initial: &'h Value) -> Self {
        let (calls, ops, failed) = (Vec::new(), Vec::new(), Vec::new());
        let mut object =
            Self { key, calls, ops, failed, values: Vec::new(), ids: Interner::default() };
        object.value(initial);
        object
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
            "read" => Ok(operation.result().map(|value| Action::Read(self.value(value)))),
            "write" if operation.argument().is_null() => Err(Problem::NoValue),
            "write" => Ok(Some(Action::Write(self.value(operation.argument())))),
            "cas" => self.cas(operation),
            other => Err(Problem::Function(other.to_owned())),
        }
    }

    fn cas(&mut self, operation: &Operation<'h>) -> Result<Option<Action>, Problem> {
        let argument = operation.argument();
        let Some([old, new]) = argument.as_array().map(Vec::as_slice) else {
            return Err(Problem::NotAPair(argument.to_string()));
        };
        let (old, new) = (self.value(old), self.value(new));
        if operation.is_ok() && !swapped(operation)? {
            let found = operation.ext("found").map(|found| Action::Read(self.value(found)));
            return Ok(Some(found.unwrap_or(Action::Differs(old))));
        }
        // Swapping a value for itself is reading it; when nobody knows, it is nothing.
        Ok(match old == new {
            false => Some(Action::Cas(old, new)),
            true => operation.is_ok().then_some(Action::Read(old)),
        })
    }

    fn value(&mut self, value: &'h Value) -> ValueId {
        let id = self.ids.id(value);
        if id as usize == self.values.len() {
            self.values.push(value);
        }
        id
    }
}

fn swapped(operation: &Operation) -> Result<bool, Problem> {
    match operation.ext("swapped") {
        None => Ok(true),
        Some(Value::Bool(swapped)) => Ok(*swapped),
        Some(other) => Err(Problem::Swapped(other.to_string())),
    }
}

/// Numbers JSON values in the order in which it first sees them.
#[derive(Clone, Debug, Default)]
struct Interner<'h> {
    integers: FxHashMap<u64, u32>,
    others: FxHashMap<&'h Value, u32>,
}

impl<'h> Interner<'h> {
    fn id(&mut self, value: &'h Value) -> u32 {
        let next = (self.integers.len() + self.others.len()) as u32;
        match value.as_u64() {
            Some(integer) => *self.integers.entry(integer).or_insert(next),
            None => *self.others.entry(value).or_insert(next),
        }
    }
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
