//! Transactions, read from a history once, in parallel.
//!
//! Nothing is judged here. What cannot be a transaction is a [`BadTransaction`]; it is
//! never guessed at, because a guess may convict a database.

use rayon::prelude::*;
use rustc_hash::FxHashMap;
use tribunal_history::{Datum, History, Kind, Operation, Process, Value, ValueRef};

use super::joined::{begins, joined};
use super::transaction::{Action, Fate, KeyId, MicroOp, NEVER, Name, Transactions, Txn};

/// Operations read at a time.
const CHUNK: usize = 1 << 13;

/// What a key holds, which says what micro-operations there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A list: `["append", k, v]` and `["r", k, [v, …]]`.
    Lists,
    /// A register: `["w", k, v]` and `["r", k, v]`.
    Registers,
}

impl<'h> Transactions<'h> {
    /// Reads the client calls of `history`, all of which must be transactions.
    pub fn read(history: &'h History, shape: Shape) -> Result<Self, BadTransaction> {
        let count = history.operations().len() as u32;
        let words = Words::of(history);
        let firsts: Vec<u32> = (0..count).step_by(CHUNK).collect();
        let chunks: Vec<Result<Chunk, BadTransaction>> = firsts
            .into_par_iter()
            .map(|first| {
                let mut chunk = Chunk::new(history, shape, words);
                chunk.read(first..count.min(first + CHUNK as u32)).map(|()| chunk)
            })
            .collect();
        let chunks = chunks.into_iter().collect::<Result<Vec<_>, _>>()?;
        Ok(join(history, chunks))
    }
}

/// One table of all chunks, with one number for each key.
fn join<'h>(history: &'h History, mut chunks: Vec<Chunk<'h>>) -> Transactions<'h> {
    let mut keys = Keys::default();
    let mut name = |chunk: &Chunk| chunk.keys.list.iter().map(|&name| keys.number(name)).collect();
    let names: Vec<Vec<KeyId>> = chunks.iter().map(&mut name).collect();
    let before = begins(chunks.iter().map(|chunk| chunk.ops.len()));
    let ops = chunks.iter_mut().map(|chunk| std::mem::take(&mut chunk.ops)).collect();
    let named = |chunk: usize, op: MicroOp| MicroOp { key: names[chunk][op.key as usize], ..op };
    let ops = joined(ops, named);
    let table = chunks.into_iter().map(|chunk| chunk.table).collect();
    let table =
        joined(table, |chunk, txn: Txn| Txn { ops_end: before[chunk] + txn.ops_end, ..txn });
    Transactions { history, table, ops, keys: keys.list }
}

/// The names of micro-operations, as the history's values have them.
#[derive(Clone, Copy)]
struct Words {
    read: Datum,
    append: Datum,
    write: Datum,
}

impl Words {
    fn of(history: &History) -> Self {
        let word = |word: &str| history.values().find(&Value::from(word));
        Self { read: word("r"), append: word("append"), write: word("w") }
    }
}

/// Numbers for keys, in the order in which they come. Most keys are small numbers, and need no hashing.
#[derive(Default)]
struct Keys {
    list: Vec<Name>,
    /// A key's number and one more; 0 where there is none.
    small: Vec<KeyId>,
    large: FxHashMap<Datum, KeyId>,
    /// Those of transactions that have a key themselves.
    keyed: FxHashMap<Name, KeyId>,
}

impl Keys {
    /// Keys below this have a place of their own.
    const SMALL: usize = 1 << 16;

    fn number(&mut self, name: Name) -> KeyId {
        let Name { of, key } = name;
        if of != Datum::NOWHERE {
            return *self.keyed.entry(name).or_insert_with(|| added(&mut self.list, name));
        }
        let place = key.as_i64().and_then(|key| usize::try_from(key).ok());
        let Some(place) = place.filter(|&place| place < Self::SMALL) else {
            return *self.large.entry(key).or_insert_with(|| added(&mut self.list, name));
        };
        if self.small.len() <= place {
            self.small.resize(place + 1, 0);
        }
        let number = &mut self.small[place];
        if *number == 0 {
            *number = added(&mut self.list, name) + 1;
        }
        *number - 1
    }
}

/// The number of a key that is new.
fn added(list: &mut Vec<Name>, name: Name) -> KeyId {
    list.push(name);
    (list.len() - 1) as KeyId
}

/// The transactions of a part of the history.
struct Chunk<'h> {
    history: &'h History,
    shape: Shape,
    words: Words,
    keys: Keys,
    table: Vec<Txn>,
    ops: Vec<MicroOp>,
}

impl<'h> Chunk<'h> {
    fn new(history: &'h History, shape: Shape, words: Words) -> Self {
        let (keys, table, ops) = (Keys::default(), Vec::with_capacity(CHUNK), Vec::new());
        Self { history, shape, words, keys, table, ops }
    }

    fn read(&mut self, numbers: std::ops::Range<u32>) -> Result<(), BadTransaction> {
        for number in numbers {
            let operation = self.history.operation(number);
            self.transaction(&operation).map_err(|problem| {
                // The first event that says it: what was called, or what came back.
                let mut called = operation.argument().elements().into_iter().flatten();
                let of_call = matches!(problem, Problem::Function(_))
                    || called.any(|step| self.micro_op(Datum::NOWHERE, step).is_err());
                let end = operation.end().filter(|_| !of_call);
                BadTransaction { index: end.unwrap_or(operation.start()), problem }
            })?;
        }
        Ok(())
    }

    fn transaction(&mut self, operation: &Operation<'h>) -> Result<(), Problem> {
        if operation.f() != "txn" {
            return Err(Problem::Function(operation.f().to_owned()));
        }
        let fate = match operation.kind() {
            Kind::Ok => Fate::Committed,
            Kind::Fail => Fate::Aborted,
            Kind::Info | Kind::Invoke => Fate::Unknown,
        };
        let steps = operation.result().unwrap_or_else(|| operation.argument());
        let not_a_list = || Problem::NotAList(excerpt(steps));
        let count = |steps: ValueRef| steps.elements().map(|steps| steps.len());
        if let (Some(asked), Some(answered)) = (count(operation.argument()), count(steps))
            && asked != answered
        {
            return Err(Problem::OtherSteps { asked, answered });
        }
        let of = operation.key().map_or(Datum::NOWHERE, ValueRef::datum);
        for step in steps.elements().ok_or_else(not_a_list)? {
            let op = self.micro_op(of, step)?;
            if fate == Fate::Committed || op.action != Action::Read {
                self.ops.push(op);
            }
        }
        let Process::Client(process) = operation.process() else { unreachable!("clients call") };
        self.table.push(Txn {
            start: operation.start() as u32,
            end: operation.end().map_or(NEVER, |index| index as u32),
            session: process as u32,
            fate,
            ops_end: self.ops.len() as u32,
        });
        Ok(())
    }

    fn micro_op(&mut self, of: Datum, step: ValueRef<'h>) -> Result<MicroOp, Problem> {
        let unknown = || Problem::MicroOp { found: excerpt(step), known: self.shape.calls() };
        let elements = step.elements().ok_or_else(unknown)?;
        let &[word, key, value] = elements.data() else { return Err(unknown()) };
        let action = match self.shape {
            _ if word == self.words.read => Action::Read,
            Shape::Lists if word == self.words.append => Action::Append,
            Shape::Registers if word == self.words.write => Action::Write,
            _ => return Err(unknown()),
        };
        let read = self.history.values().get(value);
        match (self.shape, action) {
            (Shape::Lists, Action::Read) if !value.is_null() && read.elements().is_none() => {
                return Err(Problem::NoListRead(excerpt(step)));
            }
            (_, Action::Append | Action::Write) if value.is_null() => {
                return Err(Problem::NoValue(excerpt(step)));
            }
            _ => {}
        }
        Ok(MicroOp { action, key: self.keys.number(Name { of, key }), value })
    }
}

impl Shape {
    fn calls(self) -> &'static str {
        match self {
            Shape::Lists => r#"["r", key, [values] or null] and ["append", key, value]"#,
            Shape::Registers => r#"["r", key, value or null] and ["w", key, value]"#,
        }
    }
}

/// A value in a sentence: its beginning, where it is long.
fn excerpt(value: ValueRef) -> String {
    const LONGEST: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// A call that is no transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {index}: {problem}")]
pub struct BadTransaction {
    /// Index of the event that says so.
    pub index: u64,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What can be wrong with a transaction.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// Another function.
    #[error("`{0}` is not a call of transactions; every one must be a `txn`")]
    Function(String),
    /// A value that is no list of steps.
    #[error("the value of a txn must be a list of micro-operations, and this one is {0}")]
    NotAList(String),
    /// An answer to other steps than those that were called.
    #[error(
        "{answered} micro-operations were answered where {asked} were called; an ok repeats all of them, \
         with what the reads found"
    )]
    OtherSteps {
        /// How many the call had.
        asked: usize,
        /// How many the answer has.
        answered: usize,
    },
    /// A step that is none.
    #[error("{found} is no micro-operation here; there are {known}")]
    MicroOp {
        /// What is there.
        found: String,
        /// What could be.
        known: &'static str,
    },
    /// A read of a list that found something else.
    #[error("{0} read no list; a key here holds a list, or null where nothing was appended yet")]
    NoListRead(String),
    /// A write of nothing. Null stands for what was there before the first write.
    #[error("{0} has no value to set; null stands for a key that nobody has written")]
    NoValue(String),
}
