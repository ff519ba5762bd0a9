//! Shortest paths, within bounds.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::{Edge, Graph, Node};

/// A search for paths that counts its steps, so that it can be stopped.
#[derive(Clone, Debug)]
pub struct Quest {
    /// How many more edges may be looked at.
    pub budget: u64,
}

impl Quest {
    /// Whether the budget ran out.
    pub fn is_over(&self) -> bool {
        self.budget == 0
    }
}

/// A state of a search: a node, and a mark of the searcher's own.
type State = (Node, u8);

/// The shortest path from `from` to a state that `found` accepts, of at least one edge.
///
/// `step` says with which mark an edge leads on from a state, if it may be taken. `None` where
/// there is no path, or the budget ran out first.
pub fn shortest(
    graph: &Graph,
    quest: &mut Quest,
    from: State,
    step: impl Fn(u8, Edge) -> Option<u8>,
    found: impl Fn(State) -> bool,
) -> Option<Vec<Edge>> {
    let mut came: FxHashMap<State, (u8, Edge)> = FxHashMap::default();
    let mut queue = VecDeque::from([from]);
    while let Some((node, mark)) = queue.pop_front() {
        for edge in graph.edges(node) {
            quest.budget = quest.budget.checked_sub(1).filter(|&left| left > 0).unwrap_or(0);
            if quest.is_over() {
                return None;
            }
            let Some(next) = step(mark, edge).map(|mark| (edge.to, mark)) else { continue };
            if came.contains_key(&next) {
                continue;
            }
            came.insert(next, (mark, edge));
            if found(next) {
                return Some(trace(&came, from, next));
            }
            queue.push_back(next);
        }
    }
    None
}

/// The path to a state, from where it began.
fn trace(came: &FxHashMap<State, (u8, Edge)>, from: State, to: State) -> Vec<Edge> {
    let (mut path, mut at) = (Vec::new(), to);
    loop {
        let (mark, edge) = came[&at];
        path.push(edge);
        at = (edge.from, mark);
        if at == from {
            path.reverse();
            return path;
        }
    }
}
