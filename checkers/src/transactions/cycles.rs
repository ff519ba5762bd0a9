//! Which kinds of cycles a graph of dependencies has, with a short one of each.
//!
//! Kinds after Adya, "Weak Consistency" (1999), and Cerone and Gotsman, "Analysing Snapshot
//! Isolation" (JACM 2018): snapshot isolation is broken exactly by cycles without adjacent
//! anti-dependencies. Runs on the residue alone, what is left when everything that is on no
//! cycle has been taken away.

use super::graph::{Components, Edge, Graph, Kind, Kinds, Node, Quest, shortest};
use super::phenomenon::{Cycle, Phenomenon, Scope};
use super::transaction::TxnId;

/// Edges that may be looked at for one phenomenon.
const BUDGET: u64 = 40_000_000;

/// Witnesses of one phenomenon.
const WITNESSES: usize = 4;

/// Edges at which the search for a short cycle of a component begins.
const STARTS: usize = 16;

/// One step of a cycle: from transaction to transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hop {
    /// The earlier.
    pub from: TxnId,
    /// The later.
    pub to: TxnId,
    /// Why.
    pub kind: Kind,
}

/// A cycle and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its kind.
    pub phenomenon: Phenomenon,
    /// Its steps; each ends where the next begins, and the last where the first does.
    pub hops: Vec<Hop>,
}

/// What was found, and what could not be told.
#[derive(Clone, Debug, Default)]
pub struct Cycles {
    /// The cycles, few of each kind.
    pub found: Vec<Found>,
    /// The kinds whose search ended at the budget, with none found.
    pub undecided: Vec<Phenomenon>,
    /// All nodes that may be on one.
    pub on: Vec<Node>,
}

/// A graph all of whose nodes may be on cycles.
pub struct Residue<'g> {
    graph: Graph,
    /// The number of each node in the whole graph.
    names: &'g [Node],
    /// Whole-graph numbers below this are transactions.
    transactions: usize,
}

impl<'g> Residue<'g> {
    /// The part of `graph` between `names`, of which those below `transactions` are such.
    pub fn new(graph: &Graph, names: &'g [Node], transactions: usize) -> Self {
        Self { graph: graph.part(names), names, transactions }
    }

    /// Looks for every kind of cycle. A kind that leans on sessions or real time is looked for
    /// only if there is none that leans on less.
    pub fn cycles(&self) -> Cycles {
        let mut cycles = Cycles::default();
        for scope in Scope::ALL {
            for kind in Cycle::ALL {
                if cycles.covers(kind, scope) {
                    continue;
                }
                let mut quest = Quest { budget: BUDGET };
                let found = self.look(kind, scope, &mut quest);
                if found.is_empty() && quest.is_over() {
                    cycles.undecided.push(Phenomenon::Cycle(kind, scope));
                }
                found.into_iter().for_each(|hops| cycles.add(hops));
            }
        }
        cycles
    }

    fn look(&self, kind: Cycle, scope: Scope, quest: &mut Quest) -> Vec<Vec<Hop>> {
        let writes = scope.kinds().with(Kind::WriteWrite);
        let reads = writes.with(Kind::WriteRead);
        let paths = match kind {
            Cycle::G0 => self.through(writes, Kind::WriteWrite, quest),
            Cycle::G1c => self.through(reads, Kind::WriteRead, quest),
            Cycle::GSingle => self.single(reads, quest),
            Cycle::GNonadjacent => self.nonadjacent(scope, quest),
            Cycle::G2Item => self.through(reads.with(Kind::ReadWrite), Kind::ReadWrite, quest),
        };
        paths.into_iter().map(|path| self.hops(&path)).collect()
    }

    /// A short cycle of some kinds of edges through one edge of `kind`, for every component.
    fn through(&self, kinds: Kinds, kind: Kind, quest: &mut Quest) -> Vec<Vec<Edge>> {
        let components = Components::within(&self.graph, kinds);
        let mut cycles = Vec::new();
        for nodes in components.cyclic().into_iter().take(WITNESSES) {
            let inside = |edge: Edge| components.get(edge.from) == components.get(edge.to);
            let mut starts: Vec<Edge> = nodes
                .iter()
                .flat_map(|&node| self.graph.edges(node))
                .filter(|&edge| edge.kind == kind && inside(edge))
                .collect();
            starts.sort_by_key(|edge| edge.from.abs_diff(edge.to));
            starts.truncate(STARTS);
            let step = |_, edge: Edge| (kinds.has(edge.kind) && inside(edge)).then_some(0);
            let back = starts.iter().filter_map(|&start| self.close(start, quest, step));
            cycles.extend(back.min_by_key(Vec::len));
        }
        cycles
    }

    /// The shortest cycle that begins with an edge.
    fn close(
        &self,
        start: Edge,
        quest: &mut Quest,
        step: impl Fn(u8, Edge) -> Option<u8>,
    ) -> Option<Vec<Edge>> {
        let found = |(node, _)| node == start.from;
        let back = shortest(&self.graph, quest, (start.to, 0), step, found)?;
        Some([start].into_iter().chain(back).collect())
    }

    /// Cycles of `kinds` and one anti-dependency.
    fn single(&self, kinds: Kinds, quest: &mut Quest) -> Vec<Vec<Edge>> {
        // Components are numbered against the edges, so what leads from b to a lies between.
        let components = Components::within(&self.graph, kinds);
        let at = |node| components.get(node);
        let anti = (0..self.graph.len() as Node).flat_map(|node| self.graph.edges(node));
        let mut anti: Vec<Edge> = anti
            .filter(|edge| edge.kind == Kind::ReadWrite && at(edge.to) >= at(edge.from))
            .collect();
        anti.sort_by_key(|edge| at(edge.to) - at(edge.from));
        let mut cycles = Vec::new();
        for start in anti {
            let step = |_, edge: Edge| {
                // A helper after the anti-dependency only says whom it leads to.
                (kinds.has(edge.kind) && at(edge.to) >= at(start.from)).then_some(0)
            };
            cycles.extend(self.close(start, quest, step));
            if cycles.len() >= WITNESSES || quest.is_over() {
                break;
            }
        }
        cycles
    }

    /// Cycles without adjacent anti-dependencies.
    fn nonadjacent(&self, scope: Scope, quest: &mut Quest) -> Vec<Vec<Edge>> {
        let Product { components, state } = product(&self.graph, scope);
        let mut cycles = Vec::new();
        for states in components.cyclic().into_iter().take(WITNESSES) {
            let component = components.get(states[0]);
            let inside = |after: u8, edge: Edge| {
                let next = apart(scope, after, edge)?;
                (components.get(state(edge.to, next)) == component).then_some(next)
            };
            // After an anti-dependency.
            let starts = states.iter().filter(|&&state| state % 2 == 1).take(STARTS);
            let found = starts.filter_map(|&from| {
                let from = (from / 2, 1);
                shortest(&self.graph, quest, from, inside, |state| state == from)
            });
            cycles.extend(found.min_by_key(Vec::len));
        }
        cycles
    }

    /// A cycle from transaction to transaction.
    fn hops(&self, cycle: &[Edge]) -> Vec<Hop> {
        let name = |node: Node| self.names[node as usize];
        let is_transaction = |node: Node| (name(node) as usize) < self.transactions;
        let first = cycle.iter().position(|edge| is_transaction(edge.from));
        let (behind, ahead) = cycle.split_at(first.expect("helpers alone are on no cycle"));
        let mut hops: Vec<Hop> = Vec::new();
        let mut open: Option<Hop> = None;
        for edge in ahead.iter().chain(behind) {
            let hop = open.take().unwrap_or(Hop { from: name(edge.from), to: 0, kind: edge.kind });
            match is_transaction(edge.to) {
                true => hops.push(Hop { to: name(edge.to), ..hop }),
                false => open = Some(hop),
            }
        }
        hops
    }
}

/// A graph in which every node stands twice: as one that an anti-dependency has just led to, and
/// as any. A cycle in it is one without adjacent anti-dependencies.
pub struct Product {
    /// Its components.
    pub components: Components,
    /// The number of a node, after an anti-dependency (1) or not (0).
    pub state: fn(Node, u8) -> Node,
}

/// The product of a graph, of which the data and the edges of a scope count.
pub fn product(graph: &Graph, scope: Scope) -> Product {
    let state = |node: Node, after: u8| 2 * node + u32::from(after);
    let components = Components::of(2 * graph.len(), |from, followed| {
        let (node, after) = (from / 2, (from % 2) as u8);
        if after == 0 && *followed == 0 {
            // Whoever may go on by anything may go on by less.
            *followed = 1;
            return Some(state(node, 1));
        }
        let skip = usize::from(after == 0);
        for (at, edge) in graph.edges(node).enumerate().skip(*followed - skip) {
            if let Some(next) = apart(scope, after, edge) {
                *followed = at + skip + 1;
                return Some(state(edge.to, next));
            }
        }
        *followed = usize::MAX;
        None
    });
    Product { components, state }
}

/// Whether an edge is just after an anti-dependency, if it may be taken after one or not.
fn apart(scope: Scope, after: u8, edge: Edge) -> Option<u8> {
    match edge.kind {
        Kind::ReadWrite => (after == 0).then_some(1),
        Kind::Onward => Some(after),
        Kind::WriteWrite | Kind::WriteRead => Some(0),
        kind => scope.kinds().has(kind).then_some(0),
    }
}

impl Cycles {
    /// Notes a cycle under what it is, whatever it was that was looked for.
    fn add(&mut self, hops: Vec<Hop>) {
        let hops = from_least(hops);
        let phenomenon = phenomenon(&hops);
        let same = self.found.iter().filter(|found| found.phenomenon == phenomenon);
        if same.clone().count() < WITNESSES && same.into_iter().all(|found| found.hops != hops) {
            self.found.push(Found { phenomenon, hops });
        }
    }

    /// Whether one breaks snapshot isolation, leaning on no more than a scope.
    pub fn break_snapshots(&self, scope: Scope) -> bool {
        self.found.iter().any(|found| {
            matches!(found.phenomenon, Phenomenon::Cycle(cycle, there)
                if cycle <= Cycle::GNonadjacent && there <= scope)
        })
    }

    /// Whether there is no need to look for a kind: it was found leaning on no more, or it is
    /// made of several anti-dependencies where there are cycles of fewer, which say all.
    fn covers(&self, kind: Cycle, scope: Scope) -> bool {
        self.found.iter().any(|found| {
            let Phenomenon::Cycle(other, there) = found.phenomenon else { return false };
            let few = other >= Cycle::GSingle && other < kind && kind >= Cycle::GNonadjacent;
            there <= scope && (other == kind && there < scope || few)
        })
    }
}

/// A cycle from its least transaction on.
fn from_least(mut hops: Vec<Hop>) -> Vec<Hop> {
    let least = (0..hops.len()).min_by_key(|&at| hops[at].from).unwrap_or(0);
    hops.rotate_left(least);
    hops
}

/// What a cycle is.
pub fn phenomenon(hops: &[Hop]) -> Phenomenon {
    let has = |kind| hops.iter().any(|hop| hop.kind == kind);
    let anti = |hop: &Hop| hop.kind == Kind::ReadWrite;
    let adjacent = |(one, next)| anti(one) && anti(next);
    let pairs = || hops.iter().zip(hops.iter().cycle().skip(1));
    let cycle = match hops.iter().filter(|hop| anti(hop)).count() {
        0 if has(Kind::WriteRead) => Cycle::G1c,
        0 => Cycle::G0,
        1 => Cycle::GSingle,
        _ if pairs().any(adjacent) => Cycle::G2Item,
        _ => Cycle::GNonadjacent,
    };
    let scope = match () {
        () if has(Kind::RealTime) => Scope::RealTime,
        () if has(Kind::Session) => Scope::Session,
        () => Scope::Data,
    };
    Phenomenon::Cycle(cycle, scope)
}
