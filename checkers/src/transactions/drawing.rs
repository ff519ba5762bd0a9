//! A cycle as a drawing: DOT for Graphviz and whoever reads it, SVG for a page.

use petgraph::dot::{Config, Dot};
use petgraph::graph::{DiGraph, EdgeReference, NodeIndex};
use petgraph::visit::EdgeRef;

use super::cycles::Found;
use super::transaction::{Transactions, TxnId};
use super::words;

/// A cycle as a graph: each transaction with its steps, each edge with its kind.
pub struct Drawing {
    graph: DiGraph<[String; 2], &'static str>,
    reasons: Vec<String>,
}

/// The side of the square in which an SVG is drawn, and the radius on which its nodes are.
const SIDE: f64 = 640.0;
const RADIUS: f64 = 220.0;

/// The most characters of a transaction's steps that are drawn.
const STEPS: usize = 60;

impl Drawing {
    /// The graph of a cycle, with the reason of every step.
    pub fn of(transactions: &Transactions, found: &Found, reasons: &[String]) -> Self {
        let mut graph = DiGraph::new();
        let mut nodes: Vec<(TxnId, NodeIndex)> = Vec::new();
        for hop in &found.hops {
            let [from, to] = [hop.from, hop.to].map(|txn| {
                let there = nodes.iter().find(|&&(there, _)| there == txn).map(|&(_, node)| node);
                there.unwrap_or_else(|| {
                    let call = transactions.operation(txn);
                    let steps = call.result().unwrap_or_else(|| call.argument()).to_string();
                    let node = graph.add_node([words::name(transactions, txn), steps]);
                    nodes.push((txn, node));
                    node
                })
            });
            graph.add_edge(from, to, hop.kind.short());
        }
        Self { graph, reasons: reasons.to_vec() }
    }

    /// In the DOT language.
    pub fn dot(&self) -> String {
        type Graph = DiGraph<[String; 2], &'static str>;
        let edge = |_: &Graph, edge: EdgeReference<&str>| {
            let why = &self.reasons[edge.id().index()];
            format!("label = {:?}", format!("{}: {why}", edge.weight()))
        };
        let node = |_: &Graph, (_, [name, steps]): (NodeIndex, &[String; 2])| {
            format!("label = {:?} shape = box", format!("{name} {steps}"))
        };
        let own = [Config::EdgeNoLabel, Config::NodeNoLabel];
        format!("{:?}", Dot::with_attr_getters(&self.graph, &own, &edge, &node))
    }

    /// As an SVG: the transactions on a circle, in the order of the cycle; the reason of an edge
    /// shows under the pointer.
    pub fn svg(&self) -> String {
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {SIDE} {SIDE}\" \
             font-family=\"sans-serif\" font-size=\"13\"><defs><marker id=\"tip\" \
             viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" \
             orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>"
        );
        for edge in self.graph.edge_references() {
            svg += &self.arrow(edge);
        }
        for (node, [name, steps]) in self.graph.node_indices().zip(self.graph.node_weights()) {
            let (x, y) = self.place(node);
            let steps: String = steps.chars().take(STEPS).collect();
            svg += &format!(
                "<g text-anchor=\"middle\"><circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"24\" \
                 fill=\"white\" stroke=\"black\"/><text x=\"{x:.0}\" y=\"{:.0}\">{}</text>\
                 <text x=\"{x:.0}\" y=\"{:.0}\" font-size=\"10\">{}</text></g>",
                y + 5.0,
                escaped(name),
                y + 38.0,
                escaped(&steps)
            );
        }
        svg + "</svg>"
    }

    fn place(&self, node: NodeIndex) -> (f64, f64) {
        let turn = node.index() as f64 / self.graph.node_count() as f64 * std::f64::consts::TAU;
        (SIDE / 2.0 + RADIUS * turn.sin(), SIDE / 2.0 - RADIUS * turn.cos())
    }

    /// An arrow that bends to its left, so that two between the same nodes are apart.
    fn arrow(&self, edge: EdgeReference<&str>) -> String {
        let ((ax, ay), (bx, by)) = (self.place(edge.source()), self.place(edge.target()));
        let length = (bx - ax).hypot(by - ay);
        let (dx, dy) = ((bx - ax) / length, (by - ay) / length);
        // From rim to rim.
        let (ax, ay, bx, by) = (ax + 26.0 * dx, ay + 26.0 * dy, bx - 26.0 * dx, by - 26.0 * dy);
        let (mx, my) = ((ax + bx) / 2.0 + 40.0 * dy, (ay + by) / 2.0 - 40.0 * dx);
        format!(
            "<g><title>{}</title><path d=\"M{ax:.0} {ay:.0}Q{mx:.0} {my:.0} {bx:.0} {by:.0}\" \
             fill=\"none\" stroke=\"black\" marker-end=\"url(#tip)\"/><text x=\"{mx:.0}\" \
             y=\"{my:.0}\" font-weight=\"bold\">{}</text></g>",
            escaped(&self.reasons[edge.id().index()]),
            edge.weight()
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
