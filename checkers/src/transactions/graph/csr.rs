//! A graph at rest: all edges in one row, those of a node side by side.

use super::{Edge, Kind, Node, Target};

/// Edges as they are found, in no order.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    edges: Vec<(Node, Target)>,
}

impl Builder {
    /// Adds an edge; one from a node to itself says nothing and is left out.
    pub fn add(&mut self, from: Node, to: Node, kind: Kind) {
        if from != to {
            self.edges.push((from, Target::new(to, kind)));
        }
    }

    /// Takes over the edges of another.
    pub fn append(&mut self, other: &mut Builder) {
        self.edges.append(&mut other.edges);
    }
}

/// Nodes from 0 and their edges, in compressed rows.
#[derive(Clone, Debug)]
pub struct Graph {
    /// Where the edges of each node begin; one more at the end.
    begins: Vec<u32>,
    targets: Vec<Target>,
}

impl Graph {
    /// The graph of `nodes` nodes with the edges of all builders.
    pub fn new(nodes: usize, parts: &[Builder]) -> Self {
        let mut begins = vec![0_u32; nodes + 1];
        let edges = || parts.iter().flat_map(|part| &part.edges);
        for &(from, _) in edges() {
            begins[from as usize + 1] += 1;
        }
        let mut sum = 0;
        for begin in &mut begins {
            sum += *begin;
            *begin = sum;
        }
        let mut targets = vec![Target::new(0, Kind::Onward); sum as usize];
        // Filled from the back: afterwards each number is where its node's edges begin.
        for &(from, target) in edges() {
            let end = &mut begins[from as usize + 1];
            *end -= 1;
            targets[*end as usize] = target;
        }
        begins.rotate_left(1);
        *begins.last_mut().expect("one more than nodes") = sum;
        Self { begins, targets }
    }

    /// How many nodes there are.
    pub fn len(&self) -> usize {
        self.begins.len() - 1
    }

    /// Where the edges of a node lead.
    pub fn targets(&self, node: Node) -> &[Target] {
        let at = node as usize;
        &self.targets[self.begins[at] as usize..self.begins[at + 1] as usize]
    }

    /// The edges of a node.
    pub fn edges(&self, from: Node) -> impl Iterator<Item = Edge> + '_ {
        let edge = move |target: &Target| Edge { from, to: target.node(), kind: target.kind() };
        self.targets(from).iter().map(edge)
    }

    /// The same with every edge turned round.
    pub fn reversed(&self) -> Graph {
        let mut reversed = Builder::default();
        for node in 0..self.len() as Node {
            self.edges(node).for_each(|edge| reversed.add(edge.to, edge.from, edge.kind));
        }
        Graph::new(self.len(), &[reversed])
    }

    /// The part of the graph between `nodes`, which get the numbers of their places.
    pub fn part(&self, nodes: &[Node]) -> Graph {
        let mut places = vec![Node::MAX; self.len()];
        for (place, &node) in (0..).zip(nodes) {
            places[node as usize] = place;
        }
        let mut inside = Builder::default();
        for (place, &node) in (0..).zip(nodes) {
            for edge in self.edges(node).filter(|edge| places[edge.to as usize] != Node::MAX) {
                inside.add(place, places[edge.to as usize], edge.kind);
            }
        }
        Graph::new(nodes.len(), &[inside])
    }
}
