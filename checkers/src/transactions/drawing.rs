//! A cycle as a drawing: DOT for Graphviz and whoever reads it, SVG for a page.
//!
//! The SVG has the transactions in a column, in the order of the cycle: an arrow to the next goes down, with its
//! reason beside it, any other one goes around on the right, and its reason stands below all. Nothing in it has an
//! id or a style, so that several may stand on one page, whatever that page allows.

use petgraph::dot::{Config, Dot};
use petgraph::graph::{DiGraph, EdgeReference, NodeIndex};
use petgraph::visit::{EdgeRef, IntoNodeReferences};

use super::cycles::Found;
use super::transaction::{Transactions, TxnId};
use super::words;

/// A cycle as a graph: each transaction with its steps, each edge with its kind.
pub struct Drawing {
    graph: DiGraph<Box, &'static str>,
    reasons: Vec<String>,
}

/// What is drawn of a transaction.
#[derive(Debug)]
struct Box {
    name: String,
    /// Its steps, in lines.
    steps: Vec<String>,
}

/// Characters of a line, and how many lines of one transaction are drawn; what is longer is no longer a drawing.
const COLUMNS: usize = 64;
const LINES: usize = 40;

/// The width of a character and the height of a line, in pixels.
const CHARACTER: f64 = 7.3;
const LINE: f64 = 16.0;

/// The left side of the boxes, and their right one.
const LEFT: f64 = 10.0;
const RIGHT: f64 = LEFT + 20.0 + COLUMNS as f64 * CHARACTER;

/// Between two boxes at the least, and between two arrows that go around.
const GAP: f64 = 44.0;
const LANE: f64 = 36.0;

impl Drawing {
    /// The graph of a cycle, with the reason of every step.
    pub fn of(transactions: &Transactions, found: &Found, reasons: &[String]) -> Self {
        let steps = found.hops.iter().map(|hop| (hop.from, hop.to, hop.kind.short()));
        Self::of_steps(transactions, steps, reasons)
    }

    /// The same of steps from one transaction to another, each with its kind in two letters.
    pub fn of_steps(
        transactions: &Transactions,
        steps: impl Iterator<Item = (TxnId, TxnId, &'static str)>,
        reasons: &[String],
    ) -> Self {
        let mut graph = DiGraph::new();
        let mut nodes: Vec<(TxnId, NodeIndex)> = Vec::new();
        for (from, to, kind) in steps {
            let [from, to] = [from, to].map(|txn| {
                let there = nodes.iter().find(|&&(there, _)| there == txn).map(|&(_, node)| node);
                there.unwrap_or_else(|| {
                    let node = graph.add_node(Box::of(transactions, txn));
                    nodes.push((txn, node));
                    node
                })
            });
            graph.add_edge(from, to, kind);
        }
        Self { graph, reasons: reasons.to_vec() }
    }

    /// In the DOT language.
    pub fn dot(&self) -> String {
        type Graph = DiGraph<Box, &'static str>;
        let edge = |_: &Graph, edge: EdgeReference<&str>| {
            let why = &self.reasons[edge.id().index()];
            let lines = wrapped(&format!("{}: {why}", edge.weight()), LINES);
            format!("label = {:?}", lines.join("\n"))
        };
        let node = |_: &Graph, (_, drawn): (NodeIndex, &Box)| {
            let label = format!("{}\n{}", drawn.name, drawn.steps.join("\n"));
            format!("label = {label:?} shape = box")
        };
        let own = [Config::EdgeNoLabel, Config::NodeNoLabel];
        format!("{:?}", Dot::with_attr_getters(&self.graph, &own, &edge, &node))
    }

    /// As an SVG.
    pub fn svg(&self) -> String {
        let mut pen = Pen { body: String::new(), y: 10.0 };
        let mut sides = Vec::new();
        for (node, drawn) in self.graph.node_references() {
            if node.index() > 0 {
                self.arrow_down(&mut pen, node);
            }
            sides.push(pen.draw(drawn));
        }
        let mut lanes = 0;
        for edge in self.graph.edge_references().filter(|edge| !goes_down(edge)) {
            lanes += 1;
            let [from, to] = [edge.source(), edge.target()].map(|node| sides[node.index()]);
            pen.arrow_around(lanes, from, to, edge.weight());
        }
        pen.y += LINE;
        for edge in self.graph.edge_references().filter(|edge| !goes_down(edge)) {
            let why = &self.reasons[edge.id().index()];
            for line in wrapped(&format!("{}: {why}", edge.weight()), LINES) {
                pen.text(LEFT, &line, "");
            }
        }
        let (width, height) = (RIGHT + 20.0 + LANE * f64::from(lanes) + 24.0, pen.y + 4.0);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"monospace\" font-size=\"12\">\
             <rect width=\"100%\" height=\"100%\" fill=\"white\"/>{}</svg>",
            pen.body
        )
    }

    /// The arrows from the one above, with their reasons.
    fn arrow_down(&self, pen: &mut Pen, node: NodeIndex) {
        let top = pen.y;
        let from_above = |edge: &EdgeReference<&str>| edge.target() == node && goes_down(edge);
        let mut drawn = false;
        pen.y += LINE / 2.0;
        for edge in self.graph.edge_references().filter(from_above) {
            let why = format!("{}: {}", edge.weight(), self.reasons[edge.id().index()]);
            for line in wrapped(&why, LINES) {
                pen.text(LEFT + 50.0, &line, "");
            }
            drawn = true;
        }
        pen.y = (pen.y + LINE / 2.0).max(top + GAP);
        if drawn {
            let (x, end) = (LEFT + 30.0, pen.y);
            pen.body +=
                &format!("<path d=\"M{x} {top:.0}V{end:.0}\" fill=\"none\" stroke=\"black\"/>");
            pen.tip([(x, end), (x - 4.0, end - 9.0), (x + 4.0, end - 9.0)]);
        }
    }
}

/// Whether it leads to the transaction below its own.
fn goes_down(edge: &EdgeReference<&str>) -> bool {
    edge.target().index() == edge.source().index() + 1
}

impl Box {
    fn of(transactions: &Transactions, txn: TxnId) -> Self {
        let call = transactions.operation(txn);
        let value = call.result().unwrap_or_else(|| call.argument());
        let steps = match value.elements() {
            Some(steps) => steps.map(|step| step.to_string()).collect::<Vec<_>>().join(" "),
            None => value.to_string(),
        };
        let who = format!("{} ({})", words::name(transactions, txn), call.process());
        Self { name: who, steps: wrapped(&steps, LINES) }
    }
}

/// What has been drawn so far, and below what.
struct Pen {
    body: String,
    y: f64,
}

impl Pen {
    /// A line of text, below what there is.
    fn text(&mut self, x: f64, line: &str, style: &str) {
        self.y += LINE;
        let y = self.y - 4.0;
        self.body += &format!("<text x=\"{x:.0}\" y=\"{y:.0}\"{style}>{}</text>", escaped(line));
    }

    /// A transaction; where its top and its bottom are.
    fn draw(&mut self, drawn: &Box) -> (f64, f64) {
        let top = self.y;
        self.y += 4.0;
        self.text(LEFT + 10.0, &drawn.name, " font-weight=\"bold\"");
        for line in &drawn.steps {
            self.text(LEFT + 10.0, line, "");
        }
        self.y += 6.0;
        self.body += &format!(
            "<rect x=\"{LEFT:.0}\" y=\"{top:.0}\" width=\"{:.0}\" height=\"{:.0}\" rx=\"4\" \
             fill=\"none\" stroke=\"black\"/>",
            RIGHT - LEFT,
            self.y - top
        );
        (top, self.y)
    }

    /// An arrow on the right, from the lower part of one box to the upper part of another.
    fn arrow_around(&mut self, lane: u32, from: (f64, f64), to: (f64, f64), kind: &str) {
        let (ay, by) = (from.1 - 10.0, to.0 + 10.0);
        let x = RIGHT + LANE * f64::from(lane);
        self.body += &format!(
            "<path d=\"M{RIGHT:.0} {ay:.0}H{x:.0}V{by:.0}H{RIGHT:.0}\" fill=\"none\" \
             stroke=\"black\"/>"
        );
        self.tip([(RIGHT, by), (RIGHT + 9.0, by - 4.0), (RIGHT + 9.0, by + 4.0)]);
        let middle = (ay + by) / 2.0;
        self.body += &format!(
            "<text x=\"{:.0}\" y=\"{middle:.0}\" font-weight=\"bold\">{}</text>",
            x + 4.0,
            escaped(kind)
        );
    }

    fn tip(&mut self, [(ax, ay), (bx, by), (cx, cy)]: [(f64, f64); 3]) {
        self.body += &format!("<path d=\"M{ax:.0} {ay:.0}L{bx:.0} {by:.0}L{cx:.0} {cy:.0}z\"/>");
    }
}

/// A text in lines, broken at blanks where there are any; what is too much for them all is counted.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut width = 0;
    for word in text.split(' ') {
        let long = word.chars().count();
        if width > 0 && width + 1 + long > COLUMNS {
            lines.push(String::new());
            width = 0;
        }
        if width > 0 {
            lines.last_mut().expect("there is one").push(' ');
            width += 1;
        }
        for character in word.chars() {
            if width == COLUMNS {
                lines.push(String::new());
                width = 0;
            }
            lines.last_mut().expect("there is one").push(character);
            width += 1;
        }
    }
    if let Some(hidden @ 1..) = lines.len().checked_sub(most) {
        lines.truncate(most);
        lines.push(format!("… and {hidden} lines more"));
    }
    lines
}

fn escaped(text: &str) -> String {
    let shown = |character: char| if character.is_control() { '\u{fffd}' } else { character };
    let text: String = text.chars().map(shown).collect();
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
