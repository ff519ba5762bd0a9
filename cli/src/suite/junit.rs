//! A suite as JUnit XML, for whatever shows test results: a test suite a cell, a test case a seed.
//!
//! A violation is a failure and so is a canary that passed, what could not be run is an error, and what is
//! not known counts as skipped, never as passed.

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use super::cell::Cell;
use super::found::{Finding, Found};
use super::outcome::{Outcome, Ruling};

/// The suite `name` as an XML document. `outcomes` are of the first of `cells`.
///
/// # Errors
/// Where quick-junit cannot write it.
pub fn junit(name: &str, cells: &[Cell], outcomes: &[Outcome]) -> anyhow::Result<String> {
    let mut report = Report::new(name);
    for (cell, outcome) in cells.iter().zip(outcomes) {
        let mut suite = TestSuite::new(&*cell.name);
        for finding in &outcome.findings {
            suite.add_test_case(test_case(name, cell, outcome, finding));
        }
        report.add_test_suite(suite);
    }
    Ok(report.to_string()?)
}

fn test_case(suite: &str, cell: &Cell, outcome: &Outcome, finding: &Finding) -> TestCase {
    let mut case =
        TestCase::new(format!("{}#{}", cell.name, finding.seed), status(outcome, finding));
    case.set_classname(suite).set_time(finding.took);
    case.add_property(Property::new("seed", finding.seed.to_string()));
    if let Some(report) = &finding.report {
        case.add_property(Property::new("report", report.display().to_string()));
    }
    case
}

fn status(outcome: &Outcome, finding: &Finding) -> TestCaseStatus {
    let message = finding.sentence.clone().unwrap_or_else(|| finding.found.to_string());
    let failure = |kind, r#type: &str, message: String| {
        let mut status = TestCaseStatus::non_success(kind);
        status.set_type(r#type).set_message(message);
        status
    };
    match (outcome.ruling, &finding.found) {
        (_, Found::Failed(why)) => failure(NonSuccessKind::Error, "not-run", why.clone()),
        // Under one seed more than is asked for it need not be found.
        (Ruling::Convicted, Found::Anomalies(_)) => TestCaseStatus::success(),
        (Ruling::Convicted, _) | (_, Found::Unknown(_)) => {
            let mut status = TestCaseStatus::skipped();
            status.set_message(message);
            status
        }
        (Ruling::Missed, found) => {
            let wanted = format!("a canary passed: {found}");
            failure(NonSuccessKind::Failure, "canary", wanted)
        }
        (_, Found::Anomalies(names)) => failure(NonSuccessKind::Failure, &names.join(","), message),
        (_, Found::Nothing) => TestCaseStatus::success(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::cell::Expected;
    use super::*;

    fn xml(expected: Expected, found: Vec<Found>) -> String {
        let cell = Cell {
            name: "redis/split-brain.toml".into(),
            test: "x".into(),
            workload: None,
            faults: None,
            set: Vec::new(),
            time: None,
            seeds: vec![1, 2],
            expected,
        };
        let findings = found.into_iter().zip(1..).map(|(found, seed)| Finding {
            seed,
            found,
            sentence: Some("12 writes of <n1> & \"n2\" are lost".into()),
            report: Some("store/x/report.html".into()),
            took: Duration::from_millis(1500),
        });
        let outcome = Outcome::of(&cell, findings.collect());
        junit("findings", &[cell], &[outcome]).unwrap()
    }

    #[test]
    fn a_violation_fails_and_what_is_not_known_is_skipped() {
        let lost = Found::Anomalies(vec!["lost".into()]);
        let told = xml(Expected::Valid, vec![lost, Found::Unknown("no fault bit".into())]);
        assert!(told.contains(r#"tests="2" skipped="1" failures="1" errors="0""#), "{told}");
        assert!(
            told.contains(r#"name="redis/split-brain.toml#1" classname="findings" time="1.500""#)
        );
        assert!(told.contains(
            r#"message="12 writes of &lt;n1&gt; &amp; &quot;n2&quot; are lost" type="lost""#
        ));
    }

    #[test]
    fn a_canary_fails_where_nothing_is_found_and_passes_where_it_is() {
        let lost = || Found::Anomalies(vec!["lost".into()]);
        let canary = |seeds| Expected::Anomaly { names: vec!["lost".into()], seeds };
        let told = xml(canary(1), vec![lost(), Found::Nothing]);
        assert!(told.contains(r#"skipped="1" failures="0" errors="0""#), "{told}");
        let told = xml(canary(2), vec![lost(), Found::Nothing]);
        assert!(told.contains(r#"type="canary""#), "{told}");
        let told = xml(canary(1), vec![Found::Failed("no etcd".into()); 2]);
        assert!(told.contains(r#"failures="0" errors="2""#), "{told}");
    }
}
