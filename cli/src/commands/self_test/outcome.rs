//! What came of a cell of the matrix, and of all of them.

use std::fmt;
use std::time::Duration;

use tribunal_checkers::Validity;

use super::docket::{Case, NO_BUG};
use crate::Exit;
use crate::commands::run::Ended;

/// What one run found.
#[derive(Clone, Debug)]
pub(super) enum Found {
    /// Everything was kept, and all faults were seen to act.
    Nothing,
    /// Anomalies of these names.
    Anomalies(Vec<String>),
    /// No verdict, for this reason.
    Unknown(String),
    /// No run.
    Failed(String),
}

impl Found {
    /// What a run ended with.
    pub fn of(ended: &Ended) -> Self {
        let verdict = &ended.finished.verdict;
        match (ended.exit, verdict.validity) {
            (_, Validity::Invalid) => {
                let mut names: Vec<String> =
                    verdict.anomalies.iter().map(|anomaly| anomaly.name.clone()).collect();
                names.dedup();
                Found::Anomalies(names)
            }
            (Exit::Valid, _) => Found::Nothing,
            (exit, _) => {
                let why = verdict.unknowns.first().cloned();
                Found::Unknown(why.unwrap_or_else(|| exit.to_string()))
            }
        }
    }

    /// Whether it found one of these.
    pub fn convicts(&self, wanted: &[String]) -> bool {
        matches!(self, Found::Anomalies(names) if names.iter().any(|name| wanted.contains(name)))
    }
}

/// How a cell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ruling {
    Convicted,
    Missed,
    Acquitted,
    Accused,
    Unknown,
    Failed,
}

/// What came of a cell.
#[derive(Debug)]
pub(super) struct Outcome {
    ruling: Ruling,
    told: String,
    time: Duration,
}

impl Outcome {
    /// What the runs of a cell come to, each with its seed.
    pub fn of(case: &Case, found: Vec<(u64, Found)>, time: Duration) -> Self {
        let (ruling, told) = match case.bug == NO_BUG {
            true => acquittal(&found),
            false => conviction(case, &found),
        };
        Self { ruling, told, time }
    }

    /// The heads of the columns.
    pub fn heading([name, bug, harm]: [usize; 3]) -> String {
        format!("{:name$}  {:bug$}  {:harm$}  {:>5}  verdict", "test", "bug", "faults", "s")
    }

    /// One line of the matrix.
    pub fn line(&self, case: &Case, [name, bug, harm]: [usize; 3]) -> String {
        let mark = match self.ruling {
            Ruling::Convicted | Ruling::Acquitted => "✓",
            _ => "✗",
        };
        let seconds = self.time.as_secs();
        format!(
            "{:name$}  {:bug$}  {:harm$}  {seconds:>5}  {mark} {}",
            case.name,
            case.bug,
            case.harm(),
            self.told
        )
    }
}

fn conviction(case: &Case, found: &[(u64, Found)]) -> (Ruling, String) {
    if let Some((seed, Found::Anomalies(names))) =
        found.iter().find(|(_, found)| found.convicts(&case.convicts))
    {
        let seeds = if found.len() == 1 { "the first seed" } else { "a later seed" };
        return (
            Ruling::Convicted,
            format!("convicted under {seeds} ({seed}): {}", names.join(", ")),
        );
    }
    let told: Vec<String> = found.iter().map(|(seed, found)| format!("{seed}: {found}")).collect();
    let failed = found.iter().all(|(_, found)| matches!(found, Found::Failed(_)));
    let ruling = if failed { Ruling::Failed } else { Ruling::Missed };
    (ruling, format!("not convicted of {}; {}", case.convicts.join(" or "), told.join("; ")))
}

fn acquittal(found: &[(u64, Found)]) -> (Ruling, String) {
    let wrong: Vec<&(u64, Found)> =
        found.iter().filter(|(_, found)| !matches!(found, Found::Nothing)).collect();
    let any = |is: fn(&Found) -> bool| wrong.iter().any(|(_, found)| is(found));
    let ruling = if any(|found| matches!(found, Found::Anomalies(_))) {
        Ruling::Accused
    } else if any(|found| matches!(found, Found::Failed(_))) {
        Ruling::Failed
    } else if wrong.is_empty() {
        Ruling::Acquitted
    } else {
        Ruling::Unknown
    };
    let told: Vec<String> =
        wrong.iter().map(|(seed, found)| format!("; {seed}: {found}")).collect();
    let acquitted = found.len() - wrong.len();
    (ruling, format!("acquitted under {acquitted} of {} seeds{}", found.len(), told.concat()))
}

impl fmt::Display for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Nothing => out.write_str("nothing"),
            Found::Anomalies(names) => out.write_str(&names.join(", ")),
            Found::Unknown(why) => write!(out, "unknown: {why}"),
            Found::Failed(why) => write!(out, "not run: {why}"),
        }
    }
}

/// How all cells ended.
#[derive(Debug, Default)]
pub(super) struct Tally {
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

    /// A false accusation is worse than a bug that was missed, and that than what nobody knows.
    pub fn exit(&self) -> Exit {
        let worst = [
            (Ruling::Accused, Exit::Invalid),
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
        let guilty = self.of(Ruling::Convicted) + self.of(Ruling::Missed);
        let innocent =
            self.of(Ruling::Acquitted) + self.of(Ruling::Accused) + self.of(Ruling::Unknown);
        write!(
            out,
            "{} of {guilty} bugs convicted, {} of {innocent} correct modes acquitted, {} false accusations, {} not run",
            self.of(Ruling::Convicted),
            self.of(Ruling::Acquitted),
            self.of(Ruling::Accused),
            self.of(Ruling::Failed)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(bug: &str) -> Case {
        Case {
            test: "x.toml".into(),
            name: "x.toml".into(),
            bug: bug.into(),
            workload: None,
            faults: None,
            convicts: vec!["lost-write".into()],
        }
    }

    fn ended(bug: &str, found: Vec<Found>) -> (String, Exit) {
        let found = found.into_iter().enumerate().map(|(at, found)| (at as u64 + 1, found));
        let outcome = Outcome::of(&case(bug), found.collect(), Duration::ZERO);
        let mut tally = Tally::default();
        tally.count(&outcome);
        (outcome.told, tally.exit())
    }

    #[test]
    fn a_bug_is_convicted_of_its_own_anomaly_only() {
        let lost = || Found::Anomalies(vec!["lost-write".into()]);
        let other = || Found::Anomalies(vec!["diverged".into()]);
        assert_eq!(ended("b", vec![lost()]).1, Exit::Valid);
        assert_eq!(ended("b", vec![Found::Nothing, lost()]).1, Exit::Valid);
        assert_eq!(ended("b", vec![other(), Found::Nothing]).1, Exit::Canary);
        assert_eq!(ended("b", vec![Found::Failed("no".into())]).1, Exit::Harness);
    }

    #[test]
    fn a_correct_mode_passes_only_if_every_seed_acquits_it() {
        let unknown = || Found::Unknown("a fault did not bite".into());
        let lost = || Found::Anomalies(vec!["lost-write".into()]);
        assert_eq!(ended("none", vec![Found::Nothing; 3]).1, Exit::Valid);
        assert_eq!(ended("none", vec![Found::Nothing, unknown()]).1, Exit::Unknown);
        let (told, exit) = ended("none", vec![unknown(), lost(), Found::Nothing]);
        assert_eq!(exit, Exit::Invalid);
        assert_eq!(
            told,
            "acquitted under 1 of 3 seeds; 1: unknown: a fault did not bite; 2: lost-write"
        );
    }
}
