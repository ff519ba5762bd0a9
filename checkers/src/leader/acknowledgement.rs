//! Leaders that went on serving after a newer one had begun.
//!
//! Once a leader of a higher term has acknowledged a write, no leader of a
//! lower term may acknowledge one that begins afterwards: a quorum has moved on.
//! Only writes prove that the higher term had a leader at work, since
//! a follower may know a term that nobody won.

use rustc_hash::FxHashMap;
use tribunal_history::{Operation, ValueRef};

/// What the calls that tell who served them prove.
#[derive(Default)]
pub(super) struct Acknowledgements<'h> {
    /// Writes by a deposed leader, by the two leaders.
    pub writes: Vec<Dual<'h>>,
    /// Reads by a deposed leader.
    pub reads: Vec<Dual<'h>>,
    /// Calls that told their node and term.
    pub served: usize,
}

/// Calls that one deposed leader served, and one by a newer leader from before.
pub(super) struct Dual<'h> {
    pub newer: Served<'h>,
    /// The first call that the older leader served nevertheless.
    pub older: Served<'h>,
    /// How many it served in all.
    pub count: usize,
}

/// A call, and who served it.
#[derive(Clone, Copy)]
pub(super) struct Served<'h> {
    pub op: Operation<'h>,
    pub end: u64,
    pub node: &'h str,
    pub term: i64,
}

impl<'h> Served<'h> {
    fn of(op: Operation<'h>) -> Option<Self> {
        let node = op.ext("node")?.as_str()?;
        let term = op.ext("term").and_then(ValueRef::as_i64)?;
        Some(Self { op, end: op.end()?, node, term })
    }
}

impl<'h> Acknowledgements<'h> {
    /// One sweep in the order of starts; writes count once they have ended.
    pub fn of(calls: &[Operation<'h>]) -> Self {
        let served: Vec<Served> = calls.iter().filter_map(|&op| Served::of(op)).collect();
        let mut ended: Vec<Served> =
            served.iter().filter(|call| call.op.f() == "write").copied().collect();
        ended.sort_unstable_by_key(|write| write.end);
        let mut ended = ended.into_iter().peekable();
        let mut highest = Highest::default();
        let mut duals = Duals::default();
        for &call in &served {
            while let Some(write) = ended.next_if(|write| write.end < call.op.start()) {
                highest.add(write);
            }
            if let Some(newer) = highest.besides(call.node).filter(|newer| newer.term > call.term) {
                duals.add(newer, call);
            }
        }
        Self { writes: duals.writes, reads: duals.reads, served: served.len() }
    }
}

/// The highest terms acknowledged so far, by two different nodes.
#[derive(Default)]
struct Highest<'h>([Option<Served<'h>>; 2]);

impl<'h> Highest<'h> {
    fn add(&mut self, write: Served<'h>) {
        let [first, second] = &mut self.0;
        match first {
            Some(top) if top.node == write.node => {
                if write.term > top.term {
                    *top = write;
                }
            }
            Some(top) if top.term >= write.term => {
                if second.is_none_or(|known| known.term < write.term) {
                    *second = Some(write);
                }
            }
            _ => *second = first.replace(write),
        }
    }

    fn besides(&self, node: &str) -> Option<Served<'h>> {
        self.0.iter().flatten().find(|write| write.node != node).copied()
    }
}

/// One entry for each two leaders, by kind of call.
#[derive(Default)]
struct Duals<'h> {
    writes: Vec<Dual<'h>>,
    reads: Vec<Dual<'h>>,
    places: FxHashMap<(bool, &'h str, i64), usize>,
}

impl<'h> Duals<'h> {
    fn add(&mut self, newer: Served<'h>, older: Served<'h>) {
        let is_write = older.op.f() == "write";
        let list = if is_write { &mut self.writes } else { &mut self.reads };
        let place = *self.places.entry((is_write, older.node, older.term)).or_insert_with(|| {
            list.push(Dual { newer, older, count: 0 });
            list.len() - 1
        });
        list[place].count += 1;
    }
}
