//! Short cycles of what is certain, where no order can be.

use super::super::graph::{
    Builder, Components, Graph, Kind, Kinds, Node, Quest, residue, shortest,
};
use super::super::transaction::TxnId;
use super::saturation::{Learned, Source};
use super::table::Table;

/// One step of a cycle.
#[derive(Clone, Copy, Debug)]
pub struct Hop {
    /// Who comes first.
    pub from: TxnId,
    /// Who comes after.
    pub to: TxnId,
    /// Why.
    pub why: Why,
}

/// Why one transaction comes before another.
#[derive(Clone, Copy, Debug)]
pub enum Why {
    /// Its session ran it before.
    Session,
    /// It was read.
    Read,
    /// The rule of the level says so.
    Rule(Learned),
    /// The versions of a key that both wrote do.
    Versions,
}

/// Cycles that are told.
const MOST: usize = 8;

/// Transactions from which the shortest cycle of a component is looked for.
const STARTS: usize = 32;

/// Edges that may be looked at for each start.
const BUDGET: u64 = 20_000_000;

/// A short cycle of each component, of the first few.
pub fn cycles(table: &Table, learned: &[Learned]) -> Vec<Vec<Hop>> {
    let graph = graph(table, learned);
    let left = residue(&graph);
    let part = graph.part(&left);
    let components = Components::within(&part, Kinds::ALL).cyclic();
    let cycle = |nodes: &Vec<Node>| {
        let step = nodes.len().div_ceil(STARTS);
        let starts = nodes.iter().step_by(step);
        starts.filter_map(|&start| around(&part, start)).min_by_key(Vec::len)
    };
    let named = |(from, to, kind): (Node, Node, Kind)| {
        let (from, to) = (left[from as usize], left[to as usize]);
        let why = match kind {
            Kind::Session => Why::Session,
            Kind::WriteRead => Why::Read,
            _ => match reason(learned, from, to) {
                it if it.source == Source::Versions => Why::Versions,
                it => Why::Rule(it),
            },
        };
        Hop { from, to, why }
    };
    let found = components.iter().filter_map(cycle).take(MOST);
    found.map(|cycle| cycle.into_iter().map(named).collect()).collect()
}

fn graph(table: &Table, learned: &[Learned]) -> Graph {
    let mut edges = Builder::default();
    for txn in (0..table.len() as TxnId).filter(|&txn| table.present[txn as usize]) {
        if let Some(before) = table.before(txn) {
            edges.add(before, txn, Kind::Session);
        }
        for read in table.reads(txn).iter().filter(|read| (read.writer as usize) < table.len()) {
            edges.add(read.writer, txn, Kind::WriteRead);
        }
    }
    for it in learned {
        edges.add(it.before, it.after, Kind::WriteWrite);
    }
    Graph::new(table.len(), &[edges])
}

/// The shortest cycle through a node.
fn around(graph: &Graph, start: Node) -> Option<Vec<(Node, Node, Kind)>> {
    let mut quest = Quest { budget: BUDGET };
    let path = shortest(graph, &mut quest, (start, 0), |_, _| Some(0), |(node, _)| node == start)?;
    Some(path.into_iter().map(|edge| (edge.from, edge.to, edge.kind)).collect())
}

fn reason(learned: &[Learned], from: TxnId, to: TxnId) -> Learned {
    let at = learned.binary_search_by_key(&(to, from), |it| (it.after, it.before));
    learned[at.expect("every edge was learned")]
}

/// How one transaction saw another: those in between, the first to see it first. By the shortest way;
/// empty if it saw it itself.
pub fn through(table: &Table, seen: TxnId, by: TxnId) -> Vec<TxnId> {
    let mut came = rustc_hash::FxHashMap::default();
    let mut queue = std::collections::VecDeque::from([by]);
    while let Some(txn) = queue.pop_front() {
        for next in table.saw(txn) {
            if next == by || came.contains_key(&next) {
                continue;
            }
            came.insert(next, txn);
            if next == seen {
                let up = std::iter::successors(came.get(&seen), |txn| came.get(txn));
                return up.copied().take_while(|&txn| txn != by).collect();
            }
            queue.push_back(next);
        }
    }
    Vec::new()
}
