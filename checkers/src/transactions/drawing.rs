//! A cycle as a drawing: DOT, for Graphviz and whoever reads it.

use petgraph::dot::{Config, Dot};
use petgraph::graph::DiGraph;

use super::cycles::Found;
use super::transaction::{Transactions, TxnId};
use super::words;

/// The cycle in the DOT language: a node for each transaction with its micro-operations, and an
/// edge for each step with its kind and its reason.
pub fn dot(transactions: &Transactions, found: &Found, reasons: &[String]) -> String {
    let mut graph: DiGraph<String, String> = DiGraph::new();
    let mut nodes: Vec<(TxnId, petgraph::graph::NodeIndex)> = Vec::new();
    let mut place = |graph: &mut DiGraph<String, String>, txn| {
        if let Some(&(_, node)) = nodes.iter().find(|&&(there, _)| there == txn) {
            return node;
        }
        let call = transactions.operation(txn);
        let steps = call.result().unwrap_or_else(|| call.argument());
        let node = graph.add_node(format!("{} {steps}", words::name(transactions, txn)));
        nodes.push((txn, node));
        node
    };
    for (hop, why) in found.hops.iter().zip(reasons) {
        let [from, to] = [hop.from, hop.to].map(|txn| place(&mut graph, txn));
        graph.add_edge(from, to, format!("{}: {why}", hop.kind.short()));
    }
    let attributes = [Config::EdgeNoLabel, Config::NodeNoLabel];
    let drawn = Dot::with_attr_getters(
        &graph,
        &attributes,
        &|_, edge| format!("label = {:?}", edge.weight()),
        &|_, (_, label)| format!("label = {label:?} shape = box"),
    );
    format!("{drawn:?}")
}
