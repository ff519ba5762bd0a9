//! The dependencies of a history: by the data, by sessions, by real time.

use super::cycles::{Cycles, Residue, product};
use super::graph::{Builder, Graph, Kinds, Node, linear, residue};
use super::level::Level;
use super::phenomenon::{Cycle, Phenomenon, Scope};
use super::solver::{Chains, Solver};
use super::transaction::{NEVER, Transactions, TxnId};
use super::{completion, precedence};

/// Who must come before whom.
pub struct Dependencies<'t, 'h> {
    transactions: &'t Transactions<'h>,
    present: &'t [bool],
    nodes: usize,
    /// By the data and, if there is any, by real time.
    edges: Vec<Builder>,
    /// Whether there is real time. It has the order of the sessions in it.
    pub timed: bool,
}

impl<'t, 'h> Dependencies<'t, 'h> {
    /// Those of the data, on `nodes` nodes, with those of time.
    pub fn new(
        transactions: &'t Transactions<'h>,
        present: &'t [bool],
        nodes: usize,
        mut edges: Vec<Builder>,
    ) -> Self {
        let timed = transactions.history().has_real_time();
        let (time, moments) = match timed {
            true => precedence::real_time(transactions, present, nodes as Node),
            false => (precedence::sessions(transactions, present), 0),
        };
        edges.push(time);
        Self { transactions, present, nodes: nodes + moments, edges, timed }
    }

    /// With the sessions' own order, of which real time has only the sum.
    fn whole(&mut self) -> Graph {
        if !self.timed {
            return Graph::new(self.nodes, &self.edges);
        }
        self.edges.push(precedence::sessions(self.transactions, self.present));
        let graph = Graph::new(self.nodes, &self.edges);
        self.edges.pop();
        graph
    }

    /// The cycles that there are. Of `unordered` writers, where all else is known, it is asked
    /// whether any order of them keeps snapshot isolation.
    pub fn cycles(&mut self, unordered: Option<&[Vec<TxnId>]>) -> Cycles {
        let graph = Graph::new(self.nodes, &self.edges);
        let left = residue(&graph);
        if left.is_empty() {
            return Cycles::default();
        }
        drop(graph);
        let graph = self.whole();
        let mut cycles = Residue::new(&graph, &left, self.transactions.len()).cycles();
        if self.timed {
            self.edges.push(precedence::sessions(self.transactions, self.present));
        }
        self.complete(&graph, &mut cycles, unordered);
        if self.timed {
            self.edges.pop();
        }
        cycles.on = left;
        cycles
    }

    /// Asks whether any order of unordered writers keeps snapshot isolation.
    fn complete(&mut self, graph: &Graph, cycles: &mut Cycles, unordered: Option<&[Vec<TxnId>]>) {
        let Some(unordered) = unordered.filter(|writers| !writers.is_empty()) else { return };
        for scope in Scope::ALL {
            if cycles.break_snapshots(scope) {
                // In every order; whether one of them is at least without G-single nobody asks.
                cycles.undecided.push(Phenomenon::Cycle(Cycle::GSingle, scope));
                continue;
            }
            if !completion::exists(graph, &mut self.edges, unordered, scope) {
                let open = [Cycle::GSingle, Cycle::GNonadjacent];
                cycles.undecided.extend(open.map(|cycle| Phenomenon::Cycle(cycle, scope)));
            }
        }
    }

    /// What can be asked for an order of chains, with all that is certain.
    pub fn solver<'a>(&mut self, chains: &'a Chains) -> Solver<'a, 'h>
    where
        't: 'a,
    {
        let timed = self.timed.then(|| precedence::sessions(self.transactions, self.present));
        let many = self.edges.len();
        self.edges.extend(timed);
        let solver = Solver::new(self.transactions, chains, &mut self.edges, self.nodes);
        self.edges.truncate(many);
        solver
    }

    /// The level that all dependencies together stand for.
    pub fn strictest(&self) -> Level {
        if self.timed { Level::StrictSerializable } else { Level::StrongSessionSerializable }
    }

    /// The levels that more dependencies, which complete the order of every key, show to be kept.
    pub fn shown_by(&mut self, guess: Builder) -> Vec<Level> {
        self.edges.push(guess);
        let graph = Graph::new(self.nodes, &self.edges);
        let serial = residue(&graph).is_empty();
        let shown = if serial {
            vec![self.strictest()]
        } else {
            drop(graph);
            kept_by(&self.whole())
        };
        self.edges.pop();
        shown
    }

    /// The place of every transaction in an order of all that keeps the dependencies, of those
    /// that could come next always the one that was over first. `None` where there is none.
    pub fn order(&self) -> Option<Vec<u32>> {
        let end = |node: Node| match self.transactions.all().get(node as usize) {
            Some(txn) if txn.end != NEVER => txn.end,
            Some(txn) => txn.start,
            None => 0,
        };
        linear(&Graph::new(self.nodes, &self.edges), end)
    }
}

/// The levels that a graph of all dependencies keeps.
fn kept_by(graph: &Graph) -> Vec<Level> {
    let serial =
        [(Scope::Session, Level::StrongSessionSerializable), (Scope::Data, Level::Serializable)];
    let snapshots = [
        (Scope::RealTime, Level::StrongSnapshotIsolation),
        (Scope::Session, Level::StrongSessionSnapshotIsolation),
        (Scope::Data, Level::SnapshotIsolation),
    ];
    let acyclic = |scope: Scope| {
        let kinds = Kinds::DATA.and(scope.kinds());
        super::graph::Components::within(graph, kinds).cyclic().is_empty()
    };
    let apart = |scope| product(graph, scope).components.cyclic().is_empty();
    let serial = serial.into_iter().find(|&(scope, _)| acyclic(scope));
    let snapshots = snapshots.into_iter().find(|&(scope, _)| apart(scope));
    serial.into_iter().chain(snapshots).map(|(_, level)| level).collect()
}
