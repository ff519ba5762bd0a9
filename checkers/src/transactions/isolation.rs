//! The checkers of isolation levels: from a history to a verdict.

use serde_json::{Value, json};
use tribunal_history::History;

use super::append::Lists;
use super::blind::{self, Asked};
use super::cycles::Cycles;
use super::dependencies::Dependencies;
use super::findings::Findings;
use super::graph::Node;
use super::level::Level;
use super::parse::Shape;
use super::phenomenon::{Cycle, Phenomenon, Scope};
use super::register::Registers;
use super::report::Report;
use super::transaction::{Fate, Transactions};
use super::weak::Weak;
use crate::{Checker, Verdict};

/// Judges transactions on lists by an isolation level.
///
/// `txn` [["r", k, [v, …]], ["append", k, v], …]: reads are null in the invocation. Every element
/// must be new to its key. Causal consistency, where it is asked for, has the order of each session in
/// it; a verdict on another level counts it by the data alone.
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
        if self.level == Level::Causal {
            return Weak::causal_of_lists().check(history);
        }
        let transactions = match Transactions::read(history, Shape::Lists) {
            Ok(transactions) => transactions,
            Err(bad) => return Verdict::objected(bad.to_string()),
        };
        let mut lists = match Lists::learn(&transactions) {
            Ok(lists) => lists,
            Err(twice) => return Verdict::objected(twice.sentence(&transactions)),
        };
        let edges = std::mem::take(&mut lists.edges);
        let mut dependencies = Dependencies::new(&transactions, &lists.present, lists.nodes, edges);
        let cycles = dependencies.cycles(Some(&lists.unordered));
        let mut report = Report::new(&transactions, &lists);
        for fault in &lists.faults {
            report.fault(fault.phenomenon(), fault.key, &fault.txns(), || lists.sentence(fault));
        }
        cycles.found.iter().for_each(|found| report.cycle(found));
        let complete = lists.is_complete();
        let mut undecided = cycles.undecided;
        if lists.may_lose && !cycles.found.is_empty() {
            // Whose append comes first is open on several keys, and on all of them together an
            // update may be lost.
            undecided.push(Phenomenon::LostUpdate);
        }
        // Whoever missed what it saw is on a cycle with one anti-dependency.
        let single = Phenomenon::Cycle(Cycle::GSingle, Scope::Data);
        let skewed = report.phenomena().contains(&single) || undecided.contains(&single);
        if complete && skewed {
            undecided.extend(report_missed(&lists, &cycles.on, &mut report));
            undecided.extend(report_receded(&lists, &cycles.on, &mut report));
        }
        let findings = Findings {
            found: report.phenomena(),
            undecided,
            complete,
            shown: Vec::new(),
            asked: Vec::new(),
            looked: complete,
            timed: history.has_real_time(),
        };
        let verdict = findings.verdict(self.level, report.anomalies(self.level));
        verdict.fact("transactions", counts(&transactions))
    }
}

/// Judges transactions on registers by an isolation level.
///
/// `txn` [["r", k, v or null], ["w", k, v], …]: reads are null in the invocation, and find null
/// before the first write. Every value must be new to its key. Read committed, read atomic and
/// causal, where they are asked for, are judged by the axioms of Biswas and Enea, which have the
/// order of each session in them; a verdict on another level counts them by the data alone, like all that
/// have no session in their names.
#[derive(Clone, Copy, Debug)]
pub struct RwRegister {
    /// The level that the history must keep.
    pub level: Level,
}

impl Default for RwRegister {
    fn default() -> Self {
        Self { level: Level::StrictSerializable }
    }
}

impl Checker for RwRegister {
    fn check(&self, history: &History) -> Verdict {
        if let Some(weak) = Weak::of(self.level) {
            return weak.check(history);
        }
        let transactions = match Transactions::read(history, Shape::Registers) {
            Ok(transactions) => transactions,
            Err(bad) => return Verdict::objected(bad.to_string()),
        };
        let mut registers = match Registers::learn(&transactions) {
            Ok(registers) => registers,
            Err(twice) => return Verdict::objected(twice.sentence(&transactions)),
        };
        let edges = std::mem::take(&mut registers.edges);
        let present = registers.present();
        let mut dependencies = Dependencies::new(&transactions, present, registers.nodes, edges);
        let complete = registers.is_complete();
        let mut shown = Vec::new();
        // A guess is of an order that there is, if nothing is wrong without one.
        if !complete && registers.faults.is_empty() {
            shown = dependencies.shown_by(registers.guess_by_time());
            if !shown.contains(&self.level)
                && let Some(places) = dependencies.order()
            {
                shown.extend(dependencies.shown_by(registers.guess_by_order(&places)));
            }
        }
        // What has no cycle with a guess has none without.
        let cycles = match shown.contains(&dependencies.strictest()) {
            true => Cycles::default(),
            false => dependencies.cycles(None),
        };
        let mut report = Report::new(&transactions, &registers);
        for fault in &registers.faults {
            let key = transactions.all_ops()[fault.at as usize].key;
            let sentence = || fault.sentence(&transactions);
            report.fault(fault.phenomenon(), key, &fault.txns(), sentence);
        }
        cycles.found.iter().for_each(|found| report.cycle(found));
        let mut asked = Asked { shown, ..Asked::default() };
        if !complete && registers.faults.is_empty() {
            let found = report.phenomena();
            asked = blind::ask(&mut dependencies, &registers, self.level, asked.shown, &found);
        }
        let weak_is_open = |shown: &[Level]| !shown.iter().any(|it| it.implies(Level::Causal));
        if !complete && weak_is_open(&asked.shown) {
            // What is kept with the order of the sessions is kept without.
            asked.shown.extend(registers.strongest_weak());
        }
        for refusal in &asked.refused {
            report.refusal(refusal, |step, chains| registers.chosen(step, chains));
        }
        let searched = asked.fact();
        let mut undecided = cycles.undecided;
        undecided.extend(registers.may_lose().then_some(Phenomenon::LostUpdate));
        let findings = Findings {
            found: report.phenomena(),
            undecided,
            complete,
            shown: asked.shown,
            asked: asked.open,
            looked: false,
            timed: history.has_real_time(),
        };
        let verdict = findings.verdict(self.level, report.anomalies(self.level));
        let verdict = verdict.fact("transactions", counts(&transactions));
        match searched {
            Some(searched) => verdict.fact("orders_searched", searched),
            None => verdict,
        }
    }
}

/// Reports who missed what they saw, and tells what of it was not looked into to the end.
fn report_missed(lists: &Lists, on: &[Node], report: &mut Report) -> Vec<Phenomenon> {
    let (missed, whole) = lists.missed(on);
    for missed in &missed {
        let sentence = || lists.missed_sentence(missed);
        report.fault(missed.phenomenon(), missed.key, &missed.chain, sentence);
    }
    match whole || !missed.is_empty() {
        true => Vec::new(),
        false => vec![Phenomenon::FracturedRead, Phenomenon::CausalityViolation],
    }
}

/// Reports who went back behind what they had come after, and tells whether anybody else may have.
fn report_receded(lists: &Lists, on: &[Node], report: &mut Report) -> Option<Phenomenon> {
    let (receded, whole) = lists.receded(on);
    for receded in &receded {
        let sentence = || lists.receded_sentence(receded);
        report.fault(Phenomenon::GMonotonic, receded.key, &receded.chain, sentence);
    }
    // Appends that no read shows have several orders, each of which is more to come after.
    let certain = !receded.is_empty() || whole && lists.unordered.is_empty();
    (!certain).then_some(Phenomenon::GMonotonic)
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
