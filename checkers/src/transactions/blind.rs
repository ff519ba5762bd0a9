//! Asks the solver of every level that is open after what is certain and what was guessed.
//!
//! Asked are the levels whose graph needs no order but that of the writes: serializable and
//! snapshot isolation, by the data, by sessions and by real time. Repeatable read forbids the
//! same cycles of the data as serializable does, as long as there are no predicates. Levels between,
//! which forbid cycles with one anti-dependency alone, are told only from these.

use serde_json::{Map, Value, json};

use super::cycles::phenomenon;
use super::dependencies::Dependencies;
use super::level::Level;
use super::phenomenon::{Phenomenon, Scope};
use super::register::Registers;
use super::solver::{Answer, Progress, Question, Solver, Way};

/// A history that no order of its blind writes explains.
#[derive(Debug)]
pub struct Refusal {
    /// What every order has, or what is worse.
    pub phenomenon: Phenomenon,
    /// Cycles, of which every order has one.
    pub ways: Vec<Way>,
}

/// What was asked, and answered.
#[derive(Debug, Default)]
pub struct Asked {
    /// Levels that an order shows to be kept.
    pub shown: Vec<Level>,
    /// Levels that no order keeps.
    pub refused: Vec<Refusal>,
    /// Levels of which nobody knows, and how far the search came.
    pub open: Vec<(Level, Progress)>,
    /// All levels that were searched for.
    pub searched: Vec<(Level, Progress)>,
}

/// The levels that are asked, in this order: where a weak one is broken the stronger need not be.
const QUESTIONS: [(Level, bool, Scope); 6] = [
    (Level::Serializable, false, Scope::Data),
    (Level::StrongSessionSerializable, false, Scope::Session),
    (Level::StrictSerializable, false, Scope::RealTime),
    (Level::StrongSnapshotIsolation, true, Scope::RealTime),
    (Level::StrongSessionSnapshotIsolation, true, Scope::Session),
    (Level::SnapshotIsolation, true, Scope::Data),
];

/// Asks of all levels, of `level` first. `shown` are kept for certain, `found` is broken.
pub fn ask(
    dependencies: &mut Dependencies,
    registers: &Registers,
    level: Level,
    shown: Vec<Level>,
    found: &[Phenomenon],
) -> Asked {
    let mut asked = Asked { shown, ..Asked::default() };
    let first = QUESTIONS.iter().filter(|&&(of, ..)| of == level);
    let rest = QUESTIONS.iter().filter(|&&(of, ..)| of != level);
    let chains = registers.chains();
    let mut solver = None;
    for &(level, snapshots, scope) in first.chain(rest) {
        let untimed = scope == Scope::RealTime && !dependencies.timed;
        if untimed || asked.knows(level) || found.iter().any(|&it| level.forbids(it)) {
            continue;
        }
        let solver: &Solver = solver.get_or_insert_with(|| dependencies.solver(&chains));
        let (answer, progress) = solver.ask(Question { snapshots, scope });
        asked.searched.push((level, progress));
        match answer {
            Answer::Ordered(places) => {
                let kept = dependencies.shown_by(registers.guess_by_order(&places));
                debug_assert!(kept.iter().any(|kept| kept.implies(level)), "an order of {level}");
                asked.shown.extend(kept);
            }
            Answer::Refuted(ways) => asked.refused.extend(Refusal::of(ways)),
            Answer::Open => asked.open.push((level, progress)),
        }
    }
    asked
}

impl Asked {
    /// What was searched, as a fact of the verdict; `None` if nothing was.
    pub fn fact(&self) -> Option<Value> {
        let told = |(level, progress): &(Level, Progress)| {
            let Progress { pairs, conflicts, steps } = progress;
            (
                level.name().to_owned(),
                json!({"pairs": pairs, "conflicts": conflicts, "steps": steps}),
            )
        };
        let all: Map<String, Value> = self.searched.iter().map(told).collect();
        (!all.is_empty()).then_some(all.into())
    }

    fn knows(&self, level: Level) -> bool {
        self.shown.iter().any(|kept| kept.implies(level))
            || self.refused.iter().any(|refusal| level.forbids(refusal.phenomenon))
    }
}

impl Refusal {
    /// A level that forbids each of the cycles is broken whatever the order is.
    fn of(ways: Vec<Way>) -> Option<Self> {
        let kinds = || {
            ways.iter().filter_map(|way| {
                let hops: Vec<_> = way.iter().map(|step| step.hop).collect();
                match phenomenon(&hops) {
                    Phenomenon::Cycle(cycle, scope) => Some((cycle, scope)),
                    _ => None,
                }
            })
        };
        let mildest = kinds().map(|(cycle, _)| cycle).max()?;
        let widest = kinds().map(|(_, scope)| scope).max()?;
        Some(Self { phenomenon: Phenomenon::Cycle(mildest, widest), ways })
    }
}
