//! What was found, put against the levels: which are broken, which are kept, which are open.

use super::level::Level;
use super::phenomenon::{Cycle, Phenomenon, Scope};
use super::solver::Progress;
use crate::{Anomaly, Verdict};

/// What only levels of real time forbid.
const REAL_TIME: Phenomenon = Phenomenon::Cycle(Cycle::G0, Scope::RealTime);

/// What was found in a history.
pub struct Findings {
    /// Every phenomenon that there is.
    pub found: Vec<Phenomenon>,
    /// Those of which it is not known whether there are any.
    pub undecided: Vec<Phenomenon>,
    /// Whether every key has an order, so that no dependency is missing.
    pub complete: bool,
    /// The levels that a guess of what is missing shows to be kept.
    pub shown: Vec<Level>,
    /// The levels that were searched for without an answer, and how far.
    pub asked: Vec<(Level, Progress)>,
    /// Whether it was asked who missed what they saw.
    pub looked: bool,
    /// Whether the history has real time.
    pub timed: bool,
}

impl Findings {
    fn is_broken(&self, level: Level) -> bool {
        self.found.iter().any(|&phenomenon| level.forbids(phenomenon))
    }

    fn is_open(&self, level: Level) -> bool {
        let untimed = !self.timed && level.forbids(REAL_TIME);
        untimed || !self.complete || self.undecided.iter().any(|&it| level.forbids(it))
    }

    /// The levels that are certainly kept. Those that no phenomenon of their own stands for are
    /// so only where a stronger one is.
    fn kept(&self) -> Vec<Level> {
        if !self.shown.is_empty() {
            let shown = |level: &Level| self.shown.iter().any(|shown| shown.implies(*level));
            return Level::ALL.into_iter().filter(shown).collect();
        }
        let direct = |level: &Level| !level.is_implied_only(self.looked);
        let kept = |level: &Level| !self.is_broken(*level) && !self.is_open(*level);
        let certain: Vec<Level> = Level::ALL.into_iter().filter(direct).filter(kept).collect();
        let implied = |level: &Level| certain.iter().any(|stronger| stronger.implies(*level));
        Level::ALL.into_iter().filter(implied).collect()
    }

    /// The verdict on one level, of which `anomalies` are broken promises.
    pub fn verdict(&self, level: Level, anomalies: Vec<Anomaly>) -> Verdict {
        let broken: Vec<Level> =
            Level::ALL.into_iter().filter(|&level| self.is_broken(level)).collect();
        let kept = self.kept();
        let names = |levels: &[Level]| levels.iter().map(|it| it.name()).collect::<Vec<_>>();
        let mut verdict = Verdict::of(anomalies)
            .fact("level", level.name())
            .fact("levels_broken", names(&minimal(&broken, |one, other| one.implies(other))))
            .fact("levels_kept", names(&minimal(&kept, |one, other| other.implies(one))));
        if verdict.anomalies.is_empty() && !kept.contains(&level) {
            verdict.doubt(self.doubt(level));
        }
        verdict
    }

    /// Why it is not known whether a level is kept.
    fn doubt(&self, level: Level) -> String {
        if let Some((of, progress)) = self.asked.iter().find(|(of, _)| of.implies(level)) {
            return format!(
                "the search for an order of blind writes that keeps {of} ended at its budget, after \
                 {} contradictions among {} pairs of writes",
                progress.conflicts, progress.pairs
            );
        }
        let open: Vec<&str> = self.undecided.iter().map(|phenomenon| phenomenon.name()).collect();
        if !self.complete && level == Level::ReadUncommitted {
            return format!(
                "the order of some keys' versions is not known for certain, and nothing else tells of \
                 {level}; no stronger level is known to be kept"
            );
        }
        match (self.complete, open.is_empty(), self.timed) {
            (false, ..) if self.timed || !level.forbids(REAL_TIME) => format!(
                "the order of some keys' versions is not known for certain, and {level} is told only \
                 from levels that are stronger, of which none is kept"
            ),
            (_, false, _) => format!("whether there is any {} is not known", open.join(" or ")),
            (.., false) => format!(
                "the history has no real time, and {level} asks for it; without, \
                 --level strong-session-serializable is the strictest"
            ),
            _ => format!(
                "{level} is judged by the levels around it alone: one that is stronger is broken, \
                 and none that is weaker"
            ),
        }
    }
}

/// Those levels that are above no other of them, by an order.
fn minimal(levels: &[Level], above: impl Fn(Level, Level) -> bool) -> Vec<Level> {
    let least = |&level: &Level| !levels.iter().any(|&other| other != level && above(level, other));
    levels.iter().copied().filter(least).collect()
}
