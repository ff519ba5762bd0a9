//! Committed logs of nodes that cannot both be: split brain as it is left on disk.
//!
//! What a node shows as committed is decided for good (Raft's state machine safety,
//! Ongaro and Ousterhout 2014, figure 3; every replicated log promises it). So two reads
//! that show different entries at one index convict, be they of two nodes or of one,
//! and whatever their times. A log may begin late (what is before was compacted), have
//! gaps, and show less than before (a node that restarted knows less).
//!
//! It is no matter of the model `log`: that one is the log which clients append to and
//! poll, one object; this is about the replicas behind it, and their terms.

use rustc_hash::{FxHashMap, FxHashSet};
use tribunal_history::{Datum, Operation, ValueRef};

/// An entry, as a read of a node's committed log shows it.
#[derive(Clone, Copy)]
pub(super) struct Shown<'h> {
    pub op: Operation<'h>,
    pub node: &'h str,
    pub term: i64,
    pub value: ValueRef<'h>,
}

impl Shown<'_> {
    fn content(&self) -> (i64, Datum) {
        (self.term, self.value.datum())
    }
}

/// Two reads that show different entries at one index.
pub(super) struct Fork<'h> {
    /// The least of the indexes at which the two nodes, or the one, differ.
    pub index: i64,
    pub first: Shown<'h>,
    pub second: Shown<'h>,
    /// At how many indexes they do.
    pub count: usize,
}

/// What the committed logs of a group of nodes prove.
#[derive(Default)]
pub(super) struct Committed<'h> {
    /// One for each two nodes that differ, and each that differs from itself.
    pub forks: Vec<Fork<'h>>,
    pub reads: usize,
    pub entries: usize,
    /// Reads whose answer is not a log.
    pub unreadable: usize,
}

/// So many different showings of an index are kept. The first is always there to
/// differ from, so only more of the same anomaly is passed over.
const KEPT: usize = 16;

impl<'h> Committed<'h> {
    /// Compares reads, in the order of their starts, with each other.
    pub fn of(reads: &[Operation<'h>]) -> Self {
        let mut committed = Self { reads: reads.len(), ..Self::default() };
        let mut indexes: FxHashMap<i64, Vec<Shown<'h>>> = FxHashMap::default();
        let mut forks = Forks::default();
        for &op in reads {
            let Some(entries) = entries(op) else {
                committed.unreadable += 1;
                continue;
            };
            committed.entries += entries.len();
            for (index, shown) in entries {
                let known = indexes.entry(index).or_default();
                let same = |it: &Shown| it.node == shown.node && it.content() == shown.content();
                if known.iter().any(same) {
                    continue;
                }
                let others = known.iter().filter(|it| it.content() != shown.content());
                others.for_each(|other| forks.add(index, *other, shown));
                if known.len() < KEPT {
                    known.push(shown);
                }
            }
        }
        committed.forks = forks.all;
        committed
    }
}

/// `{"node": n, "log": [[index, term, value], ..]}`; the node asked, where none is named.
fn entries(op: Operation) -> Option<Vec<(i64, Shown)>> {
    let answer = op.result()?;
    let node = answer.get("node").and_then(ValueRef::as_str).or(op.node())?;
    let shown = |it| {
        let (index, term, value) = entry(it)?;
        Some((index, Shown { op, node, term, value }))
    };
    answer.get("log")?.elements()?.map(shown).collect()
}

/// `[index, term, value]`.
fn entry(entry: ValueRef) -> Option<(i64, i64, ValueRef)> {
    let mut parts = entry.elements()?;
    let (index, term, value) = (parts.next()?.as_i64()?, parts.next()?.as_i64()?, parts.next()?);
    parts.next().is_none().then_some((index, term, value))
}

/// Forks, one for each two nodes.
#[derive(Default)]
struct Forks<'h> {
    all: Vec<Fork<'h>>,
    places: FxHashMap<(&'h str, &'h str), usize>,
    counted: FxHashSet<(usize, i64)>,
}

impl<'h> Forks<'h> {
    fn add(&mut self, index: i64, first: Shown<'h>, second: Shown<'h>) {
        let nodes = (first.node.min(second.node), first.node.max(second.node));
        let place = *self.places.entry(nodes).or_insert_with(|| {
            self.all.push(Fork { index, first, second, count: 0 });
            self.all.len() - 1
        });
        let fork = &mut self.all[place];
        fork.count += usize::from(self.counted.insert((place, index)));
        if index < fork.index {
            (fork.index, fork.first, fork.second) = (index, first, second);
        }
    }
}
