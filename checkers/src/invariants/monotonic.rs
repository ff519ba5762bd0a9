//! `monotonic`: counters that only grow are seen in one order by all (Jepsen's `monotonic`).
//!
//! Calls: `inc` k -> {k: n}; `read` [k, …] -> {k: n, …}. Each acknowledged answer is a state of
//! some counters. A state that shows less of one counter is before one that shows more; it must
//! not show more of another, nor may a chain of states come round. Real time is not asked for.

use rustc_hash::FxHashMap;
use tribunal_history::{History, Operation};

use super::{anomaly, no_answer, no_call, who};
use crate::transactions::graph::{
    Builder, Components, Edge, Graph, Kind, Kinds, Node, Quest, residue, shortest,
};
use crate::{Anomaly, Checker, Verdict};

const CALLS: &str = "inc k -> {k: n} and read [k, …] -> {k: n, …}";

/// Judges states of counters by whether they have an order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Monotonic;

/// An answer: a number for each counter that it shows.
struct State<'h> {
    call: Operation<'h>,
    counters: Vec<(&'h str, i64)>,
}

impl Checker for Monotonic {
    fn check(&self, history: &History) -> Verdict {
        let states = match states(history) {
            Ok(states) => states,
            Err(problem) => return Verdict::objected(problem),
        };
        let graph = order(&states);
        let left = residue(&graph);
        let cycle = cycle(&graph.part(&left)).map(|nodes| {
            let states = nodes.iter().filter_map(|&node| states.get(left[node as usize] as usize));
            told(&states.collect::<Vec<_>>())
        });
        Verdict::of(cycle.into_iter().collect()).fact("states", states.len())
    }
}

fn states(history: &History) -> Result<Vec<State<'_>>, String> {
    let mut states = Vec::new();
    for call in history.operations() {
        let wrong = || no_answer(&call, "monotonic", CALLS);
        if !matches!(call.f(), "inc" | "read") {
            return Err(no_call(&call, "monotonic", CALLS));
        }
        let Some(answer) = call.result() else { continue };
        let mut counters = Vec::new();
        for (name, value) in answer.entries().ok_or_else(wrong)? {
            if !value.is_null() {
                counters.push((name, value.as_i64().ok_or_else(wrong)?));
            }
        }
        states.push(State { call, counters });
    }
    Ok(states)
}

/// From each state to whatever shows more of a counter. For every number of a counter there is a
/// helper between those that show it and those that show more, so edges are linear in number.
fn order(states: &[State]) -> Graph {
    let mut shown: FxHashMap<&str, Vec<(i64, Node)>> = FxHashMap::default();
    for (node, state) in (0..).zip(states) {
        for &(name, value) in &state.counters {
            shown.entry(name).or_default().push((value, node));
        }
    }
    let mut edges = Builder::default();
    let mut next = states.len() as Node;
    for list in shown.values_mut() {
        list.sort_unstable();
        for (nth, same) in list.chunk_by(|one, other| one.0 == other.0).enumerate() {
            for &(_, node) in same {
                edges.add(node, next, Kind::WriteWrite);
                if nth > 0 {
                    edges.add(next - 1, node, Kind::Onward);
                }
            }
            if nth > 0 {
                edges.add(next - 1, next, Kind::Onward);
            }
            next += 1;
        }
    }
    Graph::new(next as usize, &[edges])
}

/// The nodes of a short cycle.
fn cycle(graph: &Graph) -> Option<Vec<Node>> {
    let components = Components::within(graph, Kinds::ALL);
    let inside = components.cyclic().into_iter().min_by_key(Vec::len)?;
    let component = components.get(inside[0]);
    let mut quest = Quest { budget: u64::MAX };
    let step = |_, edge: Edge| (components.get(edge.to) == component).then_some(0);
    let around = inside.iter().take(16).filter_map(|&node| {
        shortest(graph, &mut quest, (node, 0), step, |state| state == (node, 0))
    });
    around.min_by_key(Vec::len).map(|path| path.iter().map(|edge| edge.from).collect())
}

fn told(states: &[&State]) -> Anomaly {
    let shown = |state: &&State| {
        let counters: Vec<String> =
            state.counters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        format!("{} saw {}", who(&state.call), counters.join(", "))
    };
    let said: Vec<String> = states.iter().map(shown).collect();
    let calls: Vec<Operation> = states.iter().map(|state| state.call).collect();
    let message = format!(
        "{}: each shows less of a counter than the next, and the last less than the first, though \
         counters only grow.",
        said.join("; ")
    );
    anomaly("not-monotonic", &calls, message)
}
