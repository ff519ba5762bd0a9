//! The calls on registers, read from a history once, in parallel.
//!
//! Nothing is judged here. What cannot be a call of a register is a
//! [`BadCall`]; it is never guessed at, because a guess may convict a database.

use std::ops::Range;

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use serde_json::Value;
use tribunal_history::{Datum, History, Kind, Operation};

use super::object::Object;
use super::op::{Action, INITIAL, NEVER, Op, Point, ValueId};
use super::renaming::Renaming;

/// Operations read at a time.
const CHUNK: usize = 1 << 14;

/// Values below are whole numbers, plus one; those from here on are all others.
const OTHERS: ValueId = 1 << 31;

/// All calls of a history on registers, with one name for each value of all of them.
pub struct Calls<'h> {
    source: Source<'h>,
    /// By operation. `None` for those that did not happen, or did nothing if they did.
    ops: Vec<Option<Op>>,
    keys: Keys,
}

/// Where calls are from.
pub(super) struct Source<'h> {
    pub(super) history: &'h History,
    pub(super) initial: &'h Value,
    /// The operations that would have set a value and certainly did not, by number.
    pub(super) failed: Vec<u32>,
}

impl<'h> Calls<'h> {
    /// Reads the client calls of `history`.
    pub fn read(history: &'h History, initial: &'h Value) -> Result<Self, BadCall> {
        let mut ops = vec![None; history.operations().len()];
        let chunks = ops.par_chunks_mut(CHUNK).enumerate();
        let chunks: Vec<_> = chunks
            .map(|(nth, chunk)| Reader::new(history, initial).read((nth * CHUNK) as u32, chunk))
            .collect();
        let (mut failed, mut others) = (Vec::new(), Others::default());
        for (nth, chunk) in chunks.into_iter().enumerate() {
            let reader = chunk?;
            failed.extend(reader.failed);
            let names: Vec<ValueId> =
                reader.others.list.iter().map(|&datum| others.name(datum)).collect();
            let end = ops.len().min((nth + 1) * CHUNK);
            rename(&mut ops[nth * CHUNK..end], &names);
        }
        Ok(Self { source: Source { history, initial, failed }, ops, keys: Keys::of(history) })
    }

    /// How many objects there are.
    pub fn objects(&self) -> usize {
        self.keys.ranges.len().max(1).min(self.ops.len())
    }

    /// How many calls there are.
    pub fn len(&self) -> usize {
        self.ops.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ops.is_empty()
    }

    /// Does something with every object, in parallel. They are in the order of the first events
    /// of their keys.
    pub fn map<T: Send>(self, with: impl Fn(Object) -> T + Sync) -> Vec<T> {
        let Self { source, ops, keys } = self;
        if keys.ranges.is_empty() {
            let Some(first) = source.history.operations().next() else { return Vec::new() };
            // In place: the one object may be the largest there is.
            #[allow(clippy::filter_map_identity, reason = "flatten would copy")]
            let mut ops: Vec<Op> = ops.into_iter().filter_map(|op| op).collect();
            let values = Renaming::default().rename(&mut ops);
            return vec![with(Object { source: &source, key: first.key(), ops, values })];
        }
        let object = |renaming: &mut Renaming, range: &Range<usize>| {
            let numbers = &keys.numbers[range.clone()];
            let mut own: Vec<Op> = Vec::with_capacity(numbers.len());
            own.extend(numbers.iter().filter_map(|&number| ops[number as usize]));
            let values = renaming.rename(&mut own);
            let key = source.history.operation(numbers[0]).key();
            with(Object { source: &source, key, ops: own, values })
        };
        keys.ranges.par_iter().map_init(Renaming::default, object).collect()
    }
}

/// The operations on each key.
struct Keys {
    /// By key, and those on each key in their order.
    numbers: Vec<u32>,
    /// Where those on each key are. None at all where there is only one key.
    ranges: Vec<Range<usize>>,
}

impl Keys {
    fn of(history: &History) -> Self {
        // Without a key, or with one: each has a place of its own.
        let place =
            |operation: &Operation| history.key_place(operation).map_or(0, |place| 1 + place);
        let mut ends = vec![0; 1 + history.keys().len()];
        for operation in history.operations() {
            ends[place(&operation)] += 1;
        }
        if ends.iter().filter(|&&end| end > 0).count() <= 1 {
            return Self { numbers: Vec::new(), ranges: Vec::new() };
        }
        let (mut before, mut ranges) = (0, Vec::new());
        for end in &mut ends {
            if *end > 0 {
                ranges.push(before..before + *end);
            }
            before += std::mem::replace(end, before);
        }
        let mut numbers = vec![0; before];
        for operation in history.operations() {
            let end = &mut ends[place(&operation)];
            numbers[*end] = operation.number();
            *end += 1;
        }
        Self { numbers, ranges }
    }
}

/// Gives the values that are no whole numbers their names among those of all chunks.
fn rename(ops: &mut [Option<Op>], names: &[ValueId]) {
    let name = |value: &mut ValueId| {
        if let Some(at) = value.checked_sub(OTHERS) {
            *value = names[at as usize];
        }
    };
    // The initial value has the same name everywhere.
    if names.is_empty() {
        return;
    }
    for op in ops.iter_mut().flatten() {
        match &mut op.action {
            Action::Read(value) | Action::Write(value) | Action::Differs(value) => name(value),
            Action::Cas(old, new) => {
                name(old);
                name(new);
            }
        }
    }
}

/// Names for values that are no whole numbers.
#[derive(Default)]
struct Others {
    list: Vec<Datum>,
    names: FxHashMap<Datum, ValueId>,
}

impl Others {
    fn name(&mut self, datum: Datum) -> ValueId {
        let Self { list, names } = self;
        *names.entry(datum).or_insert_with(|| {
            list.push(datum);
            OTHERS + (list.len() - 1) as ValueId
        })
    }
}

/// Reads a chunk of operations.
struct Reader<'h> {
    history: &'h History,
    initial: Datum,
    others: Others,
    failed: Vec<u32>,
}

impl<'h> Reader<'h> {
    fn new(history: &'h History, initial: &Value) -> Self {
        let initial = history.values().find(initial);
        Self { history, initial, others: Others::default(), failed: Vec::new() }
    }

    fn read(mut self, first: u32, chunk: &mut [Option<Op>]) -> Result<Self, BadCall> {
        for (number, op) in (first..).zip(chunk) {
            let operation = self.history.operation(number);
            let read = self.action(&operation);
            let action = read.map_err(|problem| BadCall { index: operation.start(), problem })?;
            let Some(action) = action else { continue };
            if operation.kind() == Kind::Fail {
                self.failed.push(number);
                continue;
            }
            let start = operation.start() as Point + 1;
            let end = operation.end().map_or(NEVER, |index| index as Point + 1);
            *op = Some(Op { action, start, end, call: number });
        }
        Ok(self)
    }

    /// What the call did or may have done; `None` where it cannot have mattered.
    fn action(&mut self, operation: &Operation<'h>) -> Result<Option<Action>, Problem> {
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
        if value == self.initial {
            return INITIAL;
        }
        match value.as_i64() {
            Some(number) if (0..i64::from(OTHERS) - 1).contains(&number) => number as ValueId + 1,
            _ => self.others.name(value),
        }
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
