//! Whether a graph has a cycle at all, and an order of its nodes where it has none (Kahn,
//! "Topological sorting of large networks", 1962).

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Graph, Node};

/// For each node, how many edges lead to it.
fn degrees(graph: &Graph) -> Vec<u32> {
    let mut degrees = vec![0_u32; graph.len()];
    for node in 0..graph.len() as Node {
        for target in graph.targets(node) {
            degrees[target.node() as usize] += 1;
        }
    }
    degrees
}

/// The place of every node in an order that keeps all edges; of those that could come next it is
/// always the one of the least rank that does. `None` if there is a cycle.
pub fn linear(graph: &Graph, rank: impl Fn(Node) -> u32) -> Option<Vec<u32>> {
    let mut waiting = degrees(graph);
    let free = (0..graph.len() as Node).filter(|&node| waiting[node as usize] == 0);
    let mut ready: BinaryHeap<Reverse<(u32, Node)>> =
        free.map(|node| Reverse((rank(node), node))).collect();
    let mut places = vec![0; graph.len()];
    let mut next = 0;
    while let Some(Reverse((_, node))) = ready.pop() {
        places[node as usize] = next;
        next += 1;
        for target in graph.targets(node) {
            let waits = &mut waiting[target.node() as usize];
            *waits -= 1;
            if *waits == 0 {
                ready.push(Reverse((rank(target.node()), target.node())));
            }
        }
    }
    (next as usize == graph.len()).then_some(places)
}

/// The nodes that are on a cycle or behind one, in the order of their numbers. Empty exactly
/// if the graph has no cycle.
pub fn residue(graph: &Graph) -> Vec<Node> {
    let mut waiting = degrees(graph);
    let mut ready: Vec<Node> = Vec::new();
    let mut left = graph.len();
    // In the order of the numbers, which is nearly one of the graph: what lies close together
    // is done together.
    for first in 0..graph.len() as Node {
        if waiting[first as usize] == 0 {
            waiting[first as usize] = u32::MAX;
            ready.push(first);
        }
        while let Some(node) = ready.pop() {
            left -= 1;
            for target in graph.targets(node) {
                let waits = &mut waiting[target.node() as usize];
                *waits -= 1;
                // Whoever comes later is reached by the outer loop.
                if *waits == 0 && target.node() <= first {
                    *waits = u32::MAX;
                    ready.push(target.node());
                }
            }
        }
    }
    if left == 0 {
        return Vec::new();
    }
    (0..graph.len() as Node).filter(|&node| waiting[node as usize] != u32::MAX).collect()
}
