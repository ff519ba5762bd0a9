//! A graph, and whether it has a cycle.

/// A directed graph whose nodes are numbered from 0.
#[derive(Clone)]
pub(super) struct Graph {
    nodes: u32,
    edges: Vec<(u32, u32)>,
}

impl Graph {
    pub(super) fn new(nodes: usize) -> Self {
        Self { nodes: nodes as u32, edges: Vec::new() }
    }

    /// A new node.
    pub(super) fn node(&mut self) -> u32 {
        self.nodes += 1;
        self.nodes - 1
    }

    /// An edge, unless it leads nowhere else.
    pub(super) fn add(&mut self, from: u32, to: u32) {
        if from != to {
            self.edges.push((from, to));
        }
    }

    /// An order in which no edge leads back; shorter than the nodes are many if there is a cycle (Kahn 1962).
    pub(super) fn order(&self) -> Vec<u32> {
        let nodes = self.nodes as usize;
        let (mut first, mut waits) = (vec![0_u32; nodes + 1], vec![0_u32; nodes]);
        for &(from, to) in &self.edges {
            first[from as usize + 1] += 1;
            waits[to as usize] += 1;
        }
        for node in 0..nodes {
            first[node + 1] += first[node];
        }
        let (mut next, mut heads) = (first.clone(), vec![0; self.edges.len()]);
        for &(from, to) in &self.edges {
            heads[next[from as usize] as usize] = to;
            next[from as usize] += 1;
        }
        let mut order: Vec<u32> =
            (0..self.nodes).filter(|&node| waits[node as usize] == 0).collect();
        let mut at = 0;
        while let Some(&node) = order.get(at) {
            at += 1;
            let (from, until) = (first[node as usize], first[node as usize + 1]);
            for &head in &heads[from as usize..until as usize] {
                waits[head as usize] -= 1;
                if waits[head as usize] == 0 {
                    order.push(head);
                }
            }
        }
        order
    }

    pub(super) fn is_acyclic(&self) -> bool {
        self.order().len() == self.nodes as usize
    }
}
