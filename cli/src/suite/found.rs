//! What one run of a cell found.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use tribunal_checkers::Validity;

use crate::Exit;
use crate::commands::run::Ended;

/// What came of one run.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// Everything was kept, and all faults were seen to act.
    Nothing,
    /// Anomalies of these names.
    Anomalies(Vec<String>),
    /// No verdict, for this reason.
    Unknown(String),
    /// No run.
    Failed(String),
}

/// One run of a cell.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Under which seed.
    pub seed: u64,
    /// What it found.
    pub found: Found,
    /// The words of the first anomaly that was expected, or else of the first.
    pub sentence: Option<String>,
    /// Where its report is, if it came so far.
    pub report: Option<PathBuf>,
    /// How long it took, from making its nodes to its verdict.
    pub took: Duration,
}

impl Found {
    /// What a run ended with.
    pub fn of(ended: &Ended) -> Self {
        let verdict = &ended.finished.verdict;
        match (ended.exit, verdict.validity) {
            (_, Validity::Invalid) => {
                let mut names: Vec<String> =
                    verdict.anomalies.iter().map(|anomaly| anomaly.name.clone()).collect();
                names.sort();
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

    /// Whether it is one of these anomalies.
    pub fn convicts(&self, wanted: &[String]) -> bool {
        matches!(self, Found::Anomalies(names) if names.iter().any(|name| wanted.contains(name)))
    }
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
