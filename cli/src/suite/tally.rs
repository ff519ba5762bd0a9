//! What came of all cells: the last line of a suite, and its exit code.

use std::fmt;

use super::outcome::{Outcome, Ruling};
use crate::Exit;

/// How all cells ended.
#[derive(Debug, Default)]
pub struct Tally {
    rulings: Vec<Ruling>,
}

impl Tally {
    /// One more.
    pub fn count(&mut self, outcome: &Outcome) {
        self.rulings.push(outcome.ruling);
    }

    fn of(&self, ruling: Ruling) -> usize {
        self.rulings.iter().filter(|it| **it == ruling).count()
    }

    /// A promise that was broken is worse than a canary that passed, and that than what nobody knows.
    pub fn exit(&self) -> Exit {
        let worst = [
            (Ruling::Invalid, Exit::Invalid),
            (Ruling::Missed, Exit::Canary),
            (Ruling::Failed, Exit::Harness),
            (Ruling::Unknown, Exit::Unknown),
        ];
        let found = worst.into_iter().find(|(ruling, _)| self.of(*ruling) > 0);
        found.map_or(Exit::Valid, |(_, exit)| exit)
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let canaries = self.of(Ruling::Convicted) + self.of(Ruling::Missed);
        let others =
            self.of(Ruling::Acquitted) + self.of(Ruling::Invalid) + self.of(Ruling::Unknown);
        if canaries > 0 {
            write!(out, "{} of {canaries} canaries convicted, ", self.of(Ruling::Convicted))?;
        }
        if others > 0 {
            write!(
                out,
                "{} of {others} valid, {} invalid, {} unknown, ",
                self.of(Ruling::Acquitted),
                self.of(Ruling::Invalid),
                self.of(Ruling::Unknown)
            )?;
        }
        write!(out, "{} not run", self.of(Ruling::Failed))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::cell::{Cell, Expected};
    use super::super::found::{Finding, Found};
    use super::*;

    fn ended(expected: Expected, found: Vec<Found>) -> (String, Exit) {
        let cell = Cell {
            name: "x.toml".into(),
            test: "x.toml".into(),
            workload: None,
            faults: None,
            set: Vec::new(),
            time: None,
            seeds: (1..=found.len() as u64).collect(),
            expected,
        };
        let findings = found.into_iter().zip(1..).map(|(found, seed)| Finding {
            seed,
            found,
            sentence: None,
            report: None,
            took: Duration::ZERO,
        });
        let outcome = Outcome::of(&cell, findings.collect());
        let mut tally = Tally::default();
        tally.count(&outcome);
        (outcome.told, tally.exit())
    }

    fn canary(seeds: usize, found: Vec<Found>) -> (String, Exit) {
        ended(Expected::Anomaly { names: vec!["lost-write".into()], seeds }, found)
    }

    fn lost() -> Found {
        Found::Anomalies(vec!["lost-write".into()])
    }

    #[test]
    fn a_canary_is_convicted_of_its_own_anomaly_only() {
        let other = || Found::Anomalies(vec!["diverged".into()]);
        assert_eq!(canary(1, vec![lost()]).1, Exit::Valid);
        assert_eq!(canary(1, vec![Found::Nothing, lost()]).1, Exit::Valid);
        assert_eq!(canary(1, vec![other(), Found::Nothing]).1, Exit::Canary);
        assert_eq!(canary(1, vec![Found::Failed("no".into())]).1, Exit::Harness);
    }

    #[test]
    fn a_canary_is_found_under_as_many_seeds_as_are_asked_for() {
        let (told, exit) = canary(2, vec![lost(), Found::Nothing, lost()]);
        assert_eq!((&*told, exit), ("convicted under 2 of 3 seeds: lost-write", Exit::Valid));
        let (told, exit) = canary(2, vec![lost(), Found::Nothing]);
        assert_eq!(exit, Exit::Canary);
        assert_eq!(told, "lost-write under 1 of 2 seeds only, 2 expected; 2: nothing");
    }

    #[test]
    fn a_canary_passed_only_if_the_seeds_that_were_run_say_so() {
        let failed = || Found::Failed("no etcd".into());
        let (told, exit) = canary(3, vec![lost(), failed(), lost()]);
        assert_eq!(exit, Exit::Harness);
        assert_eq!(told, "lost-write under 2 of 3 seeds only, 3 expected; 2: not run: no etcd");
        assert_eq!(canary(1, vec![failed(), Found::Nothing]).1, Exit::Harness);
        assert_eq!(canary(3, vec![lost(), failed(), Found::Nothing]).1, Exit::Canary);
        assert_eq!(canary(1, vec![failed(), lost()]).1, Exit::Valid);
    }

    #[test]
    fn others_pass_only_if_every_seed_acquits_them() {
        let unknown = || Found::Unknown("a fault did not bite".into());
        let valid = |found| ended(Expected::Valid, found);
        assert_eq!(valid(vec![Found::Nothing; 3]).1, Exit::Valid);
        assert_eq!(valid(vec![Found::Nothing, unknown()]).1, Exit::Unknown);
        let (told, exit) = valid(vec![unknown(), lost(), Found::Nothing]);
        assert_eq!(exit, Exit::Invalid);
        assert_eq!(
            told,
            "valid under 1 of 3 seeds; 1: unknown: a fault did not bite; 2: lost-write"
        );
    }
}
