//! Orders for the writes whose order nobody saw, so that snapshot isolation is kept.
//!
//! Serializability asks for none: where a graph has no cycle, any order of it will do. A snapshot
//! forbids two writers of one key to overlap, so the writes that no read shows must have an order
//! that closes no cycle either (Cerone and Gotsman, JACM 2018, theorem 10). One is guessed, after
//! what the known dependencies imply, and verified; a guess that fails says nothing.

use super::cycles::{Product, product};
use super::graph::{Builder, Graph, Kind};
use super::phenomenon::Scope;
use super::transaction::TxnId;

/// Whether the writers of unknown order can be put into one that keeps snapshot isolation in a
/// scope. `unordered` has those of each key.
pub fn exists(
    graph: &Graph,
    edges: &mut Vec<Builder>,
    unordered: &[Vec<TxnId>],
    scope: Scope,
) -> bool {
    if unordered.is_empty() {
        return true;
    }
    let Product { components, state } = product(graph, scope);
    let mut guess = Builder::default();
    for writers in unordered {
        let mut writers = writers.clone();
        // Components are numbered against the edges.
        writers.sort_by_key(|&txn| std::cmp::Reverse(components.get(state(txn, 1))));
        writers.windows(2).for_each(|pair| guess.add(pair[0], pair[1], Kind::WriteWrite));
    }
    edges.push(guess);
    let completed = Graph::new(graph.len(), edges);
    edges.pop();
    product(&completed, scope).components.cyclic().is_empty()
}
