//! Asks the solver of every level that is open after what is certain and what was guessed.
//!
//! Asked are the levels whose graph needs no order but that of the writes: serializable and
//! snapshot isolation, by the data, by sessions and by real time. Repeatable read is told with the
//! first, and levels that forbid cycles with one anti-dependency alone are told only from these.

use serde_json::{Map, Value, json};

use super::cycles::phenomenon;
use super::dependencies::Dependencies;
use super::level::Level;
use super::phenomenon::{Cycle, Phenomenon, Scope};
use super::register::Registers;
use super::solver::{Answer, Progress, Question, Way};

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
    let timed = dependencies.timed;
    let is_open = |asked: &Asked, level: Level, scope| {
        let asks = timed || scope != Scope::RealTime;
        asks && !asked.knows(level) && !found.iter().any(|&it| level.forbids(it))
    };
    if !QUESTIONS.iter().any(|&(level, _, scope)| is_open(&asked, level, scope)) {
        return asked;
    }
    let chains = registers.chains();
    let solver = dependencies.solver(&chains);
    let first = QUESTIONS.iter().filter(|&&(of, ..)| of == level);
    let rest = QUESTIONS.iter().filter(|&&(of, ..)| of != level);
    for &(level, snapshots, scope) in first.chain(rest) {
        if !is_open(&asked, level, scope) {
            continue;
        }
        let (answer, progress) = solver.ask(Question { snapshots, scope });
        asked.searched.push((level, progress));
        match answer {
            Answer::Ordered(places) => {
                let kept = dependencies.shown_by(registers.guess_by_order(&places));
                // An order that does not stand up to the judge of guesses is none.
                if !kept.iter().any(|kept| kept.implies(level)) {
                    asked.open.push((level, progress));
                }
                asked.shown.extend(kept);
            }
            Answer::Refuted(ways) => match Refusal::of(ways) {
                Some(refusal) => asked.refused.push(refusal),
                None => asked.open.push((level, progress)),
            },
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
        // Chains of updates stay together in an order that loses none. One that puts a write in between
        // has no cycle of the ways, perhaps, but one with the anti-dependency of who is lost.
        let chains = ways.iter().flatten().filter_map(|step| step.choice).flatten();
        let torn = chains.filter(|chain| chain.head != chain.tail).map(|_| Cycle::GSingle).next();
        let mildest = kinds().map(|(cycle, _)| cycle).chain(torn).max()?;
        let widest = kinds().map(|(_, scope)| scope).max()?;
        Some(Self { phenomenon: Phenomenon::Cycle(mildest, widest), ways })
    }
}
