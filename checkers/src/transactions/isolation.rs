//! The checker of isolation levels: from a history to a verdict.

use serde_json::{Value, json};
use tribunal_history::History;

use super::append::{Lists, Twice};
use super::cycles::{Cycles, Residue};
use super::graph::{Builder, Graph, residue};
use super::level::Level;
use super::parse::Shape;
use super::phenomenon::{Cycle, Phenomenon, Scope};
use super::report::Report;
use super::transaction::{Fate, Transactions, TxnId};
use super::{completion, precedence, words};
use crate::{Checker, Verdict};

/// Judges transactions on lists by an isolation level.
///
/// `txn` [["r", k, [v, …]], ["append", k, v], …]: reads are null in the invocation. Every element
/// must be new to its key.
#[derive(Clone, Copy, Debug)]
pub struct ListAppend {
    /// The level that the history must keep.
    pub level: Level,
}

impl Default for ListAppend {
    fn default() -> Self {
        Self { level: Level::StrictSerializable }
    }
}

impl Checker for ListAppend {
    fn check(&self, history: &History) -> Verdict {
        let transactions = match Transactions::read(history, Shape::Lists) {
            Ok(transactions) => transactions,
            Err(bad) => return Verdict::objected(bad.to_string()),
        };
        let mut lists = match Lists::learn(&transactions) {
            Ok(lists) => lists,
            Err(twice) => return Verdict::objected(sentence(&transactions, &twice)),
        };
        let edges = std::mem::take(&mut lists.edges);
        let unordered = std::mem::take(&mut lists.unordered);
        let dependencies =
            Dependencies { transactions: &transactions, nodes: lists.nodes, edges, unordered };
        let cycles = dependencies.cycles(&lists.present);
        let mut report = Report::new(&transactions, &lists);
        lists.faults.iter().for_each(|fault| report.fault(fault));
        cycles.found.iter().for_each(|found| report.cycle(found));
        let findings = Findings { found: report.phenomena(), undecided: cycles.undecided };
        findings
            .verdict(self.level, lists.is_complete(), report)
            .fact("transactions", counts(&transactions))
    }
}

/// Which of two appends was read nobody can tell.
fn sentence(transactions: &Transactions, twice: &Twice) -> String {
    let [one, other] = twice.txns.map(|txn| transactions.get(txn).start);
    let place = match one == other {
        true => format!("event {one} appends {} twice", transactions.value(twice.element)),
        false => format!(
            "event {other} appends {} again, as event {one} did",
            transactions.value(twice.element)
        ),
    };
    let key = words::key(transactions, twice.key);
    format!(
        "{place}, to {key}; every element must be new to its key, or nobody can tell who was read"
    )
}

/// How many transactions there are of each fate.
fn counts(transactions: &Transactions) -> Value {
    let count = |fate| transactions.all().iter().filter(|txn| txn.fate == fate).count();
    json!({
        "committed": count(Fate::Committed),
        "aborted": count(Fate::Aborted),
        "unknown": count(Fate::Unknown),
    })
}

/// Dependencies by the data, to which those of time are added.
struct Dependencies<'t, 'h> {
    transactions: &'t Transactions<'h>,
    nodes: usize,
    edges: Vec<Builder>,
    /// The writers of each key whose order is not known.
    unordered: Vec<Vec<TxnId>>,
}

impl Dependencies<'_, '_> {
    /// The cycles that there are. Sessions are in order of real time as a rule, so they are
    /// looked at only where something is wrong.
    fn cycles(mut self, present: &[bool]) -> Cycles {
        let first = self.nodes as u32;
        let (time, moments) = precedence::real_time(self.transactions, present, first);
        self.nodes += moments;
        self.edges.push(time);
        let graph = Graph::new(self.nodes, &self.edges);
        let left = residue(&graph);
        if left.is_empty() {
            return Cycles::default();
        }
        drop(graph);
        self.edges.push(precedence::sessions(self.transactions, present));
        let graph = Graph::new(self.nodes, &self.edges);
        let mut cycles = Residue::new(&graph, &left, self.transactions.len()).cycles();
        for scope in Scope::ALL {
            if cycles.break_snapshots(scope) {
                break;
            }
            if !completion::exists(&graph, &mut self.edges, &self.unordered, scope) {
                let open = [Cycle::GSingle, Cycle::GNonadjacent];
                cycles.undecided.extend(open.map(|cycle| Phenomenon::Cycle(cycle, scope)));
            }
        }
        cycles
    }
}

/// What was found of each phenomenon.
struct Findings {
    found: Vec<Phenomenon>,
    undecided: Vec<Phenomenon>,
}

impl Findings {
    fn is_broken(&self, level: Level) -> bool {
        self.found.iter().any(|&phenomenon| level.forbids(phenomenon))
    }

    fn verdict(&self, level: Level, complete: bool, report: Report) -> Verdict {
        let open =
            |level: &Level| self.undecided.iter().any(|&phenomenon| level.forbids(phenomenon));
        let broken: Vec<Level> =
            Level::ALL.into_iter().filter(|&level| self.is_broken(level)).collect();
        let weakest: Vec<Level> = minimal(&broken, |one, other| one.implies(other));
        let kept: Vec<Level> = Level::ALL
            .into_iter()
            .filter(|level| complete && !broken.contains(level) && !open(level))
            .collect();
        let strongest = minimal(&kept, |one, other| other.implies(one));
        let names = |levels: &[Level]| levels.iter().map(|it| it.name()).collect::<Vec<_>>();
        let mut verdict = Verdict::of(report.anomalies(level))
            .fact("level", level.name())
            .fact("levels_broken", names(&weakest))
            .fact("levels_kept", names(&strongest));
        if verdict.anomalies.is_empty() && open(&level) {
            let open: Vec<_> = self.undecided.iter().map(|phenomenon| phenomenon.name()).collect();
            let open = open.join(", ");
            verdict.doubt(format!("the search for {open} ended at its budget"));
        }
        verdict
    }
}

/// Those levels that are above no other of them, by an order.
fn minimal(levels: &[Level], above: impl Fn(Level, Level) -> bool) -> Vec<Level> {
    let least = |&level: &Level| !levels.iter().any(|&other| other != level && above(level, other));
    levels.iter().copied().filter(least).collect()
}
