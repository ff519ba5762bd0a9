//! The weak levels of registers: read committed, read atomic and causal consistency; and causal
//! consistency of lists.
//!
//! By the axioms of Biswas and Enea, "On the Complexity of Checking Transactional Consistency"
//! (OOPSLA 2019): a history keeps a level if its transactions have one order, in which those
//! of a session stay in order and whoever was read comes before its reader, such that a reader of
//! a key read the last of the writers that it *saw*. What it saw is what the levels differ in; so each says
//! that of two writers one came first, and the history is valid exactly if all that
//! has no cycle. The rules are those of AWDIT (Møldrup and Pavlogiannis, PLDI 2025).
//!
//! So all three have the order of the sessions in them, other than the levels of the same names that
//! `level` has between those that are judged by the data alone: a serializable history need not be
//! causal here, one that is serializable in the order of its sessions is.
//!
//! Other than there, the order is guessed first, and only what contradicts it is kept: a healthy
//! history of any number of sessions is done after one look (see `saturation`). `register::reads` tells who
//! was read and what is wrong without any order; `table` has the rest in columns; `committed`, `atomic`
//! and `causal` are the three rules; `witness` finds short cycles and `report` tells them.
//!
//! The versions of lists have an order that is known (`append::sources`): it is learned before anything is guessed,
//! and the rest is the same.

mod atomic;
mod causal;
mod clocks;
mod committed;
mod guess;
mod history_order;
mod report;
mod saturation;
mod stamped;
mod table;
mod window;
mod witness;

use tribunal_history::History;

use super::append::Lists;
use super::level::{Level, weakest};
use super::parse::Shape;
use super::register::reads::Reads;
use super::transaction::Transactions;
use crate::{Checker, Verdict};

use report::Report;
use saturation::Outcome;
pub(super) use saturation::{Learned, Source};
use table::Table;

/// Judges transactions on registers by a weak level, or those on lists by causal consistency.
///
/// `txn` [["r", k, v or null], ["w", k, v], …]; every value must be new to its key. It needs no real time.
#[derive(Clone, Copy, Debug)]
pub struct Weak {
    rule: Rule,
    shape: Shape,
}

/// What a transaction saw when it read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// Whom it had read from before.
    Committed,
    /// Whom it reads from at all, and its session.
    Atomic,
    /// Those, whom they saw, and so on.
    Causal,
}

impl Weak {
    /// The judge of registers by a level: read committed, read atomic or causal; there is none of another.
    pub fn of(level: Level) -> Option<Self> {
        let rule = match level {
            Level::ReadCommitted => Rule::Committed,
            Level::ReadAtomic => Rule::Atomic,
            Level::Causal => Rule::Causal,
            _ => return None,
        };
        Some(Self { rule, shape: Shape::Registers })
    }

    /// The judge of lists by causal consistency. Read committed and read atomic are, on lists, levels of the
    /// data alone (`ListAppend`), as Adya and Bailis have them.
    pub fn causal_of_lists() -> Self {
        Self { rule: Rule::Causal, shape: Shape::Lists }
    }

    /// The strongest of these levels that a history keeps, whose reads all have a writer.
    pub(super) fn strongest(transactions: &Transactions, reads: &Reads) -> Option<Level> {
        let table = Table::of(transactions, &reads.present, &reads.from);
        let levels = [Level::Causal, Level::ReadAtomic, Level::ReadCommitted];
        levels.into_iter().find(|&level| {
            let weak = Self::of(level).expect("a weak level");
            matches!(saturation::saturate(weak.rule, &table, Vec::new()), Outcome::Consistent)
        })
    }
}

impl Rule {
    fn level(self) -> Level {
        match self {
            Rule::Committed => Level::ReadCommitted,
            Rule::Atomic => Level::ReadAtomic,
            Rule::Causal => Level::Causal,
        }
    }
}

impl Checker for Weak {
    fn check(&self, history: &History) -> Verdict {
        let transactions = match Transactions::read(history, self.shape) {
            Ok(transactions) => transactions,
            Err(bad) => return Verdict::objected(bad.to_string()),
        };
        match self.shape {
            Shape::Registers => self.registers(&transactions),
            Shape::Lists => self.lists(&transactions),
        }
    }
}

impl Weak {
    fn registers(self, transactions: &Transactions) -> Verdict {
        let reads = match Reads::learn(transactions) {
            Ok(reads) => reads,
            Err(twice) => return Verdict::objected(twice.sentence(transactions)),
        };
        let table = Table::of(transactions, &reads.present, &reads.from);
        let mut report = Report::new(transactions, &table, self.rule, &reads.from);
        for fault in &reads.faults {
            let level = Level::ReadCommitted;
            let sentence = || fault.sentence(transactions);
            report.fault(fault.phenomenon(), level, fault.at, &fault.txns(), sentence);
        }
        self.verdict(&table, Vec::new(), report)
    }

    fn lists(self, transactions: &Transactions) -> Verdict {
        let lists = match Lists::learn(transactions) {
            Ok(lists) => lists,
            Err(twice) => return Verdict::objected(twice.sentence(transactions)),
        };
        let sources = lists.sources();
        let table = Table::of(transactions, &lists.present, &sources);
        let mut report = Report::new(transactions, &table, self.rule, &sources).of_lists(&lists);
        for fault in &lists.faults {
            let broken = weakest(fault.phenomenon()).iter().copied();
            let broken = broken.filter(|&level| self.rule.level().implies(level)).min();
            if let Some(level) = broken {
                let sentence = || lists.sentence(fault);
                report.fault(fault.phenomenon(), level, fault.at, &fault.txns(), sentence);
            }
        }
        let mut known = lists.order();
        saturation::sort(&mut known);
        self.verdict(&table, known, report)
    }

    /// What an order that keeps what is known, or that there is none, makes of it.
    fn verdict(self, table: &Table, known: Vec<Learned>, mut report: Report) -> Verdict {
        let doubt = match saturation::saturate(self.rule, table, known) {
            Outcome::Consistent => None,
            Outcome::Missed(missed) => {
                missed.iter().for_each(|missed| report.missed(missed));
                None
            }
            Outcome::Cyclic(learned) => {
                let missed = report.against_versions(&learned);
                missed.iter().for_each(|missed| report.missed(missed));
                if missed.is_empty() {
                    let cycles = witness::cycles(table, &learned);
                    cycles.iter().for_each(|cycle| report.cycle(cycle));
                }
                None
            }
            Outcome::Undecided(why) => Some(why),
        };
        let (level, broken) = (self.rule.level(), report.weakest_broken());
        let kept = (broken.is_none() && doubt.is_none()).then_some(level);
        let names = |level: Option<Level>| level.iter().map(|it| it.name()).collect::<Vec<_>>();
        let mut verdict = report
            .verdict()
            .fact("level", level.name())
            .fact("levels_broken", names(broken))
            .fact("levels_kept", names(kept))
            .fact("sessions", table.sessions.len());
        if let Some(why) = doubt.filter(|_| verdict.anomalies.is_empty()) {
            verdict.doubt(why);
        }
        verdict
    }
}
