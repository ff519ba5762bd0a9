//! What came of a cell: whether its runs are what was expected of it.

use std::time::Duration;

use super::cell::{Cell, Expected};
use super::found::{Finding, Found};

/// How a cell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    /// A canary that was found, as it must be.
    Convicted,
    /// A canary that was not found often enough: the harness is blind.
    Missed,
    /// Valid under every seed.
    Acquitted,
    /// Invalid under one at least.
    Invalid,
    /// No verdict under one at least.
    Unknown,
    /// Not run under one at least.
    Failed,
}

/// What came of a cell.
#[derive(Debug)]
pub struct Outcome {
    pub(super) ruling: Ruling,
    /// In words, for the table.
    pub(super) told: String,
    /// Its runs, in the order of the seeds.
    pub(super) findings: Vec<Finding>,
}

impl Outcome {
    /// What the runs of a cell come to.
    pub fn of(cell: &Cell, findings: Vec<Finding>) -> Self {
        let (ruling, told) = match &cell.expected {
            Expected::Valid => acquittal(&findings),
            Expected::Anomaly { names, seeds } => conviction(names, *seeds, &findings),
        };
        Self { ruling, told, findings }
    }

    /// Whether it is as it was expected.
    pub fn is_expected(&self) -> bool {
        matches!(self.ruling, Ruling::Convicted | Ruling::Acquitted)
    }

    pub(super) fn took(&self) -> Duration {
        self.findings.iter().map(|finding| finding.took).sum()
    }

    /// The runs that someone will want to open: those that are not as expected, or of a conviction the
    /// first.
    pub fn remarkable(&self) -> impl Iterator<Item = &Finding> {
        let convicted = self.ruling == Ruling::Convicted;
        let accusing = |finding: &&Finding| matches!(finding.found, Found::Anomalies(_));
        let nothing = |finding: &&Finding| matches!(finding.found, Found::Nothing);
        let missed = self.ruling == Ruling::Missed;
        let first = self.findings.iter().filter(accusing).take(usize::from(convicted));
        let others = self.findings.iter().filter(move |it| !convicted && (missed || !nothing(it)));
        first.chain(others)
    }
}

fn conviction(names: &[String], seeds: usize, findings: &[Finding]) -> (Ruling, String) {
    let convicting: Vec<&Finding> =
        findings.iter().filter(|finding| finding.found.convicts(names)).collect();
    let mut found: Vec<&str> = convicting.iter().flat_map(|it| anomalies(it)).collect();
    found.sort_unstable();
    found.dedup();
    let rate = format!("{} of {} seeds", convicting.len(), findings.len());
    if convicting.len() >= seeds {
        return (Ruling::Convicted, format!("convicted under {rate}: {}", found.join(", ")));
    }
    let told = findings.iter().filter(|finding| !finding.found.convicts(names)).map(told);
    let told: Vec<String> = told.collect();
    let failed = findings.iter().filter(|it| matches!(it.found, Found::Failed(_))).count();
    // Had they been run, it might have been found often enough: nobody is blind for certain.
    let open = convicting.len() + failed >= seeds;
    let ruling = if open { Ruling::Failed } else { Ruling::Missed };
    let wanted = names.join(" or ");
    (ruling, format!("{wanted} under {rate} only, {seeds} expected; {}", told.join("; ")))
}

fn acquittal(findings: &[Finding]) -> (Ruling, String) {
    let wrong: Vec<&Finding> =
        findings.iter().filter(|finding| finding.found != Found::Nothing).collect();
    let any = |is: fn(&Found) -> bool| wrong.iter().any(|finding| is(&finding.found));
    let ruling = if any(|found| matches!(found, Found::Anomalies(_))) {
        Ruling::Invalid
    } else if any(|found| matches!(found, Found::Failed(_))) {
        Ruling::Failed
    } else if wrong.is_empty() {
        Ruling::Acquitted
    } else {
        Ruling::Unknown
    };
    let valid = findings.len() - wrong.len();
    let wrong: Vec<String> = wrong.iter().map(|finding| format!("; {}", told(finding))).collect();
    (ruling, format!("valid under {valid} of {} seeds{}", findings.len(), wrong.concat()))
}

fn told(finding: &Finding) -> String {
    format!("{}: {}", finding.seed, finding.found)
}

fn anomalies(finding: &Finding) -> impl Iterator<Item = &str> {
    let names = match &finding.found {
        Found::Anomalies(names) => names.as_slice(),
        _ => &[],
    };
    names.iter().map(String::as_str)
}
