//! The folder of runs: `store/<test>/<time>-<seed>/`.
//!
//! | file | what it holds |
//! |---|---|
//! | `run.json` | the [`RunRecord`] |
//! | `history.jsonl` | every event, written as the run goes |
//! | `verdict.json` | what the checkers said |
//! | `report.html` | the page for people |
//! | `nodes/<node>/` | the database's logs |
//! | `client/` | what the client programs said on standard error |

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

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
    /// Template variables (`-s name=value`).
    #[serde(default)]
    pub vars: BTreeMap<String, Value>,
    /// The faults asked for.
    #[serde(default)]
    pub faults: Vec<String>,
    /// The nodes, by name.
    pub nodes: Vec<String>,
    /// The seed, as printed.
    pub seed: String,
    /// When it began, wall clock, RFC 3339.
    pub started: String,
    /// How long it was to run, in seconds.
    pub time_s: f64,
    /// Calls a second asked for; 0 for as many as possible.
    pub rate: f64,
    /// Client processes at once.
    pub concurrency: usize,
    /// The command line that runs it again.
    pub command: String,
    /// The version of Tribunal.
    pub version: String,
    /// Why it ended early, if it did: interrupted, a set-up failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
}
