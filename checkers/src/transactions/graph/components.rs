//! Strongly connected components (Tarjan, SIAM J. Comput. 1972), without recursion: a
//! path may be a million nodes long.

use super::{Graph, Node};

/// The components of a graph.
#[derive(Clone, Debug)]
pub struct Components {
    /// The component of each node. An edge never leads to a component of a higher number.
    of: Vec<u32>,
    count: u32,
}

/// The number of a node that was not come by yet.
const NEW: u32 = u32::MAX;

impl Components {
    /// The components of a graph of `nodes` nodes, whose edges `follow` lists: it gets a node
    /// and how many of its edges were followed, and tells the next one's end.
    pub fn of(nodes: usize, follow: impl Fn(Node, &mut usize) -> Option<Node>) -> Self {
        let mut walk = Walk {
            of: vec![NEW; nodes],
            lowest: vec![NEW; nodes],
            stack: Vec::new(),
            reached: 0,
            count: 0,
        };
        for node in 0..nodes as Node {
            walk.from(node, &follow);
        }
        Self { of: walk.of, count: walk.count }
    }

    /// The components of a graph of which only the edges of some kinds count.
    pub fn within(graph: &Graph, kinds: super::Kinds) -> Self {
        Self::of(graph.len(), |node, at| {
            let targets = &graph.targets(node)[*at..];
            let next = targets.iter().position(|target| kinds.has(target.kind()));
            *at += next.map_or(targets.len(), |next| next + 1);
            next.map(|next| targets[next].node())
        })
    }

    /// The component of a node.
    pub fn get(&self, node: Node) -> u32 {
        self.of[node as usize]
    }

    /// The nodes of every component that has at least two, each in the order of their numbers.
    pub fn cyclic(&self) -> Vec<Vec<Node>> {
        let mut sizes = vec![0_u32; self.count as usize];
        for &component in &self.of {
            sizes[component as usize] += 1;
        }
        let mut places = vec![u32::MAX; self.count as usize];
        let mut cyclic: Vec<Vec<Node>> = Vec::new();
        for (node, &component) in (0..).zip(&self.of) {
            let (size, place) = (sizes[component as usize], &mut places[component as usize]);
            if size < 2 {
                continue;
            }
            if *place == u32::MAX {
                *place = cyclic.len() as u32;
                cyclic.push(Vec::with_capacity(size as usize));
            }
            cyclic[*place as usize].push(node);
        }
        cyclic
    }
}

struct Walk {
    of: Vec<u32>,
    /// The earliest reached node that each may lead back to.
    lowest: Vec<u32>,
    stack: Vec<Node>,
    reached: u32,
    count: u32,
}

impl Walk {
    fn from(&mut self, start: Node, follow: &impl Fn(Node, &mut usize) -> Option<Node>) {
        if self.lowest[start as usize] != NEW {
            return;
        }
        let mut path = vec![self.enter(start)];
        while let Some((node, number, followed)) = path.last_mut() {
            let (node, number) = (*node, *number);
            match follow(node, followed) {
                Some(next) if self.lowest[next as usize] == NEW => {
                    let entered = self.enter(next);
                    path.push(entered);
                }
                // Still on the stack: on a path to here.
                Some(next) if self.of[next as usize] == NEW => self.lower(node, next),
                Some(_) => {}
                None => {
                    path.pop();
                    if self.lowest[node as usize] == number {
                        self.close(node);
                    }
                    if let Some(&(before, ..)) = path.last() {
                        self.lower(before, node);
                    }
                }
            }
        }
    }

    fn enter(&mut self, node: Node) -> (Node, u32, usize) {
        let number = self.reached;
        self.lowest[node as usize] = number;
        self.reached += 1;
        self.stack.push(node);
        (node, number, 0)
    }

    fn lower(&mut self, node: Node, to: Node) {
        let lowest = self.lowest[to as usize];
        let own = &mut self.lowest[node as usize];
        *own = lowest.min(*own);
    }

    fn close(&mut self, root: Node) {
        while let Some(node) = self.stack.pop() {
            self.of[node as usize] = self.count;
            // Closed nodes lower nobody.
            self.lowest[node as usize] = NEW - 1;
            if node == root {
                break;
            }
        }
        self.count += 1;
    }
}
