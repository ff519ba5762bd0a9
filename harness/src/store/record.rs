//! `run.json`: what was tried in a run, and how it went.
//!
//! Not what came of it: that is the verdict.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tribunal_checkers::Liveness;
use tribunal_history::Name;

use crate::clocks::ClockRange;

/// What was tried: enough to judge the history again, and to run it again.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RunRecord {
    /// `<time>-<seed>`, the folder's name.
    pub id: String,
    /// The test's name: the test file's, without `.toml`.
    pub test: String,
    /// The workload that judges the history.
    pub workload: String,
    /// That workload's options.
    #[serde(default)]
    pub options: BTreeMap<String, Value>,
    /// How many ok calls of each function the workload needs for a verdict.
    #[serde(default)]
    pub required: BTreeMap<String, u64>,
    /// Template variables (`-s name=value`).
    #[serde(default)]
    pub vars: BTreeMap<String, Value>,
    /// The faults asked for.
    #[serde(default)]
    pub faults: Vec<String>,
    /// How many faults of each kind the schedule has.
    #[serde(default)]
    pub scheduled: BTreeMap<String, u64>,
    /// How many nodes could be down at once, if that was limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_down: Option<usize>,
    /// What could happen at all, if that was limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_model: Option<String>,
    /// How soon calls must succeed again, and when that is promised, where liveness is judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub liveness: Option<Liveness>,
    /// The nodes, by name.
    pub nodes: Vec<String>,
    /// The seed, as printed.
    pub seed: String,
    /// When it began, wall clock, RFC 3339.
    pub started: String,
    /// The controller's wall clock where the history's time is 0, in nanoseconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_ns: Option<i64>,
    /// How long it was to run, in seconds.
    pub time_s: f64,
    /// Calls a second asked for; 0 for as many as possible.
    pub rate: f64,
    /// Client processes at once.
    pub concurrency: usize,
    /// The command line that runs it again.
    pub command: String,
    /// What `tribunal` was told, word by word, when it was run for the first time.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// The folder that paths among them start from.
    #[serde(default)]
    pub directory: PathBuf,
    /// The run whose faults were injected again, where this is a replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replays: Option<String>,
    /// The version of Tribunal.
    pub version: String,
    /// Why it ended early, if it did: interrupted, a set-up failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// What went wrong without ending it: a fault that could not be undone, a
    /// database that did not recover.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<String>,
    /// What was measured of the nodes' clocks.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub clocks: BTreeMap<Name, ClockRange>,
}

impl RunRecord {
    /// Why no history of this run can prove that all is well, a sentence each.
    pub fn doubts(&self) -> Vec<String> {
        let ended = self.ended.iter().map(|why| format!("the run ended early: {why}"));
        ended.chain(self.alerts.iter().cloned()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_that_did_not_go_well_is_in_doubt() {
        let mut record = RunRecord::default();
        assert_eq!(record.doubts(), [""; 0]);
        record.ended = Some("it was cut off".into());
        record.alerts = vec!["n3: it stays paused".into()];
        assert_eq!(record.doubts(), ["the run ended early: it was cut off", "n3: it stays paused"]);
    }
}
