//! The graph of a question: it must have no cycle if a level is kept.
//!
//! For a serial order its nodes are the transactions. For snapshots every node stands twice, as
//! the moment at which it begins and the one at which it commits: whoever depends on another
//! begins after that one's commit, and whoever overwrites what another read commits after that
//! one's beginning. A cycle of moments is one without adjacent anti-dependencies (Cerone and
//! Gotsman, JACM 2018, theorem 10).

use crate::transactions::graph::{Edge, Graph, Kind, Kinds, Node};
use crate::transactions::phenomenon::Scope;

/// What is asked of the order of the blind writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Whether snapshots will do; else the order must be serial.
    pub snapshots: bool,
    /// What must be kept beside the data.
    pub scope: Scope,
}

/// A node of the graph, or one of its two moments.
pub type State = u32;

/// A graph in one layer, or in two: at the beginnings and at the commits.
pub struct Layers<'g> {
    ahead: &'g Graph,
    behind: &'g Graph,
    kinds: Kinds,
    /// How many states a node has.
    pub count: u32,
}

/// Nodes of a graph by their two moments.
const BEGINS: u32 = 0;
const COMMITS: u32 = 1;

impl<'g> Layers<'g> {
    /// The graph of a question, from a graph and the same with every edge turned round; only the
    /// edges of its scope count.
    pub fn new(ahead: &'g Graph, behind: &'g Graph, question: Question) -> Self {
        let kinds = Kinds::DATA.and(question.scope.kinds());
        Self { ahead, behind, kinds, count: 1 + u32::from(question.snapshots) }
    }

    /// How many states there are.
    pub fn len(&self) -> usize {
        self.ahead.len() * self.count as usize
    }

    /// A node's state in a layer.
    pub fn state(&self, node: Node, layer: u32) -> State {
        node * self.count + layer
    }

    /// The node of a state.
    pub fn node(&self, state: State) -> Node {
        state / self.count
    }

    /// Whether a state is a beginning that has a commit beside it.
    pub fn begins(&self, state: State) -> bool {
        self.count == 2 && state % 2 == BEGINS
    }

    /// Where the edges of a state lead, and which they are; `None` is from a beginning to its own commit.
    pub fn edges(&self, state: State) -> impl Iterator<Item = (State, Option<Edge>)> + '_ {
        let (node, layer) = (state / self.count, state % self.count);
        let commit = self.begins(state).then_some((state + 1, None));
        let edges = self.ahead.edges(node).filter_map(move |edge| {
            let to = self.onward(layer, edge.kind)?;
            Some((self.state(edge.to, to), Some(edge)))
        });
        commit.into_iter().chain(edges)
    }

    /// Where the edges of a state lead.
    pub fn ahead(&self, state: State) -> impl Iterator<Item = State> + '_ {
        self.edges(state).map(|(to, _)| to)
    }

    /// Where the edges to a state come from.
    pub fn behind(&self, state: State) -> impl Iterator<Item = State> + '_ {
        let (node, layer) = (state / self.count, state % self.count);
        let begin = (self.count == 2 && layer == COMMITS).then(|| state - 1);
        let edges = self.behind.targets(node).iter().filter_map(move |target| {
            let from = self.backward(layer, target.kind())?;
            Some(self.state(target.node(), from))
        });
        begin.into_iter().chain(edges)
    }

    /// The layer that an edge leads to from one.
    fn onward(&self, from: u32, kind: Kind) -> Option<u32> {
        if !self.kinds.has(kind) {
            return None;
        }
        match kind {
            _ if self.count == 1 => Some(from),
            Kind::Onward => Some(from),
            Kind::ReadWrite => (from == BEGINS).then_some(COMMITS),
            _ => (from == COMMITS).then_some(BEGINS),
        }
    }

    /// The layer from which an edge leads to one.
    fn backward(&self, to: u32, kind: Kind) -> Option<u32> {
        // Between two layers an edge leads back as it leads on.
        match kind {
            _ if self.count == 1 || kind == Kind::Onward => self.onward(to, kind),
            _ => (0..self.count).find(|&from| self.onward(from, kind) == Some(to)),
        }
    }
}
