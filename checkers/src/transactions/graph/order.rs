//! Whether a graph has a cycle at all (Kahn, "Topological sorting of large networks", 1962).

use super::{Graph, Node};

/// The nodes that are on a cycle or behind one, in the order of their numbers. Empty exactly
/// if the graph has no cycle.
pub fn residue(graph: &Graph) -> Vec<Node> {
    let mut waiting = vec![0_u32; graph.len()];
    for node in 0..graph.len() as Node {
        for target in graph.targets(node) {
            waiting[target.node() as usize] += 1;
        }
    }
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
