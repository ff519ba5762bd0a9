//! One key's writes and reads, each read tied to the write it saw.

use std::collections::BTreeSet;

use rustc_hash::{FxHashMap, FxHashSet};
use tribunal_history::{Datum, EventRef, History, Kind, Nanos, Operation, ValueRef};

/// A key as one register.
pub(super) struct Register<'h> {
    pub key: Option<ValueRef<'h>>,
    /// All writes that may have happened: acknowledged or unanswered.
    pub writes: Vec<Write<'h>>,
    /// The acknowledged final reads.
    pub finals: Vec<Read<'h>>,
    /// Nodes that were asked for a final read and never answered one.
    pub silent: BTreeSet<&'h str>,
    /// Reads of what could not be there.
    pub strays: Vec<Stray<'h>>,
    /// A value that two writes wrote, or that the key began with: nobody can
    /// tell whose a read of it is.
    pub ambiguous: Option<ValueRef<'h>>,
    /// Reads that returned a write older than one acknowledged before they began.
    pub stale_reads: usize,
}

/// A write that may have happened.
pub(super) struct Write<'h> {
    pub op: Operation<'h>,
    pub value: ValueRef<'h>,
    /// The event by which it had certainly taken effect: its `ok`, or the end
    /// of the first read that returned it. `None` if nobody knows.
    pub effect: Option<EventRef<'h>>,
    /// Whether any read returned it.
    pub visible: bool,
    /// The database's own timestamp.
    pub stamp: Stamp,
}

/// An acknowledged read.
#[derive(Clone, Copy)]
pub(super) struct Read<'h> {
    pub op: Operation<'h>,
    /// The write it returned; `None` for the initial value.
    pub writer: Option<usize>,
}

/// A read whose value cannot have been there.
pub(super) struct Stray<'h> {
    pub read: Operation<'h>,
    /// The write of that value which failed, or which had not begun.
    pub write: Option<Operation<'h>>,
}

/// A timestamp in nanoseconds, as far as everybody agrees on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stamp {
    Unknown,
    Known(i128),
    /// The write and its readers told different ones.
    Disputed,
}

impl Stamp {
    pub fn of(op: &Operation) -> Self {
        let number = |value: ValueRef| {
            value.as_i64().map(i128::from).or_else(|| value.as_u64().map(i128::from))
        };
        op.ext("timestamp").and_then(number).map_or(Stamp::Unknown, Stamp::Known)
    }

    fn agree(self, other: Stamp) -> Self {
        match (self, other) {
            (Stamp::Unknown, stamp) | (stamp, Stamp::Unknown) => stamp,
            (one, other) if one == other => one,
            _ => Stamp::Disputed,
        }
    }

    pub fn known(self) -> Option<i128> {
        match self {
            Stamp::Known(stamp) => Some(stamp),
            Stamp::Unknown | Stamp::Disputed => None,
        }
    }
}

impl<'h> Write<'h> {
    fn new(op: Operation<'h>) -> Self {
        let effect = op.completion().filter(|event| event.kind() == Kind::Ok);
        Self { op, value: op.argument(), effect, visible: false, stamp: Stamp::of(&op) }
    }

    /// Whether it had certainly taken effect before that event.
    pub fn took_effect_before(&self, event: u64) -> bool {
        self.effect.is_some_and(|effect| effect.index() < event)
    }

    /// When it can have been stamped, at the latest.
    pub fn latest(&self) -> Nanos {
        self.effect.map_or(Nanos::MAX, |effect| effect.time())
    }

    /// The node that stamped it: the one that says so, or else the one asked.
    pub fn node(&self) -> Option<&'h str> {
        stamper(&self.op)
    }
}

/// The node that stamped a write.
pub(super) fn stamper<'h>(write: &Operation<'h>) -> Option<&'h str> {
    write.ext("node").and_then(ValueRef::as_str).or(write.node())
}

impl<'h> Register<'h> {
    /// What the calls on one key, at least one, tell of it.
    pub fn of(history: &'h History, calls: &[u32], initial: Datum) -> Self {
        let mut register = Register {
            key: history.operation(calls[0]).key(),
            writes: Vec::with_capacity(calls.len()),
            finals: Vec::new(),
            silent: BTreeSet::new(),
            strays: Vec::new(),
            ambiguous: None,
            stale_reads: 0,
        };
        let mut writers = Writers::default();
        writers.by_value.reserve(calls.len());
        let mut reads = Vec::with_capacity(calls.len());
        for op in calls.iter().map(|&number| history.operation(number)) {
            match op.f() {
                "write" => register.add_write(op, initial, &mut writers),
                _ => reads.push(op),
            }
        }
        register.add_reads(&reads, initial, &writers);
        register
    }

    fn add_write(&mut self, op: Operation<'h>, initial: Datum, writers: &mut Writers<'h>) {
        let value = op.argument();
        if op.kind() == Kind::Fail {
            writers.failed.insert(value.datum(), op);
            return;
        }
        // Of several, the first: no read of the value may end before that began.
        let first = *writers.by_value.entry(value.datum()).or_insert(self.writes.len());
        if first < self.writes.len() || value.datum() == initial {
            self.ambiguous = Some(value);
        }
        self.writes.push(Write::new(op));
    }

    fn add_reads(&mut self, called: &[Operation<'h>], initial: Datum, writers: &Writers<'h>) {
        let mut asked = Vec::new();
        let mut reads = Vec::with_capacity(called.len());
        for &op in called {
            let is_final = is_final(&op);
            asked.extend(is_final.then_some(op));
            let Some(value) = op.result() else { continue };
            let writer = (value.datum() != initial).then(|| self.writer(writers, value, op));
            if writer == Some(None) {
                continue;
            }
            let read = Read { op, writer: writer.flatten() };
            reads.push(read);
            self.finals.extend(is_final.then_some(read));
        }
        self.stale_reads = self.count_stale(&reads);
        self.silent = silent(&asked);
    }

    /// Ties a read to the write it returned, and learns from it.
    fn writer(
        &mut self,
        writers: &Writers<'h>,
        value: ValueRef<'h>,
        read: Operation<'h>,
    ) -> Option<usize> {
        let writer = writers.by_value.get(&value.datum()).copied();
        let begun = writer.filter(|&at| self.writes[at].op.start() < read.end().unwrap_or(0));
        let Some(at) = begun else {
            let failed = writers.failed.get(&value.datum()).copied();
            let write = writer.map(|at| self.writes[at].op).or(failed);
            self.strays.push(Stray { read, write });
            return None;
        };
        let write = &mut self.writes[at];
        write.visible = true;
        write.stamp = write.stamp.agree(Stamp::of(&read));
        let end = read.completion();
        if end.is_some_and(|end| !write.took_effect_before(end.index())) {
            write.effect = end;
        }
        Some(at)
    }

    /// One sweep over the acknowledgements in order, with the latest start so far.
    fn count_stale(&self, reads: &[Read]) -> usize {
        let mut acknowledged: Vec<(u64, u64)> = self
            .writes
            .iter()
            .filter_map(|write| Some((write.op.end()?, write.op.start())))
            .collect();
        acknowledged.sort_unstable();
        let (mut next, mut latest, mut stale) = (0, None, 0);
        for read in reads {
            while next < acknowledged.len() && acknowledged[next].0 < read.op.start() {
                latest = latest.max(Some(acknowledged[next].1));
                next += 1;
            }
            let effect =
                read.writer.map(|at| self.writes[at].effect.map_or(0, |event| event.index()));
            stale += usize::from(effect < latest);
        }
        stale
    }
}

/// Who wrote (or failed to write) each value.
#[derive(Default)]
struct Writers<'h> {
    by_value: FxHashMap<Datum, usize>,
    failed: FxHashMap<Datum, Operation<'h>>,
}

/// The nodes of final reads that were asked for, without those that answered one.
fn silent<'h>(finals: &[Operation<'h>]) -> BTreeSet<&'h str> {
    if finals.iter().all(Operation::is_ok) {
        return BTreeSet::new();
    }
    let mut silent: BTreeSet<&str> = finals.iter().filter_map(Operation::node).collect();
    for answered in finals.iter().filter(|op| op.is_ok()).filter_map(Operation::node) {
        silent.remove(answered);
    }
    silent
}

fn is_final(read: &Operation) -> bool {
    let marked = |event: EventRef| event.ext("final").is_some_and(|it| it.datum() == Datum::TRUE);
    marked(read.invocation()) || read.completion().is_some_and(marked)
}

/// All nodes that answered or were asked anything.
pub(super) fn nodes(history: &History) -> BTreeSet<&str> {
    let distinct: FxHashSet<&str> = history.operations().filter_map(|op| op.node()).collect();
    distinct.into_iter().collect()
}
