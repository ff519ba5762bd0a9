//! A cell of a suite: one test under some seeds, and what is expected of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tribunal_generator::Seed;

use crate::commands::run::Run;
use crate::hosts::Hosts;

/// What must come of a cell.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// Valid under every seed, all faults seen to act.
    Valid,
    /// One of these anomalies under so many seeds at least: a canary.
    Anomaly {
        /// Their names.
        names: Vec<String>,
        /// At least one.
        seeds: usize,
    },
}

impl Expected {
    /// The anomalies that are to be found.
    pub fn names(&self) -> &[String] {
        match self {
            Self::Valid => &[],
            Self::Anomaly { names, .. } => names,
        }
    }
}

/// A cell of a suite.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// How it is told from the others.
    pub name: String,
    /// The test file.
    pub test: PathBuf,
    /// Else the test file's.
    pub workload: Option<String>,
    /// Else the test file's.
    pub faults: Option<Vec<String>>,
    /// Values of the test file's variables, as `NAME=VALUE`.
    pub set: Vec<String>,
    /// How long calls are made; else as the test file says.
    pub time: Option<Duration>,
    /// Each is one run.
    pub seeds: Vec<u64>,
    /// What must come of them.
    pub expected: Expected,
}

impl Cell {
    /// What `tribunal run` would be told for one seed of it.
    pub(super) fn run(&self, seed: u64, store: &Path) -> Run {
        Run {
            test: self.test.clone(),
            workload: self.workload.clone(),
            faults: self.faults.clone(),
            hosts: Hosts::default(),
            local: None,
            time: self.time,
            rate: None,
            concurrency: None,
            system_model: None,
            seed: Some(Seed(seed)),
            set: self.set.clone(),
            store: store.to_owned(),
        }
    }

    /// Leaves its first `count` seeds; what must be found under more of them, under all.
    pub fn keep_seeds(&mut self, count: usize) {
        self.seeds.truncate(count);
        if let Expected::Anomaly { seeds, .. } = &mut self.expected {
            *seeds = (*seeds).min(self.seeds.len());
        }
    }

    /// Its faults, as a table shows them.
    pub(super) fn harm(&self) -> String {
        match self.faults.as_deref() {
            None => "its own".to_owned(),
            Some([]) => "none".to_owned(),
            Some(faults) => faults.join("+"),
        }
    }

    /// What is set, as a table shows it.
    pub(super) fn setting(&self) -> String {
        self.set.join(" ")
    }
}

/// Those of `cells` that have one of these texts in their name or in what they set; all where there is
/// no text.
pub fn chosen(mut cells: Vec<Cell>, only: &[String]) -> Vec<Cell> {
    let wanted = |cell: &Cell| {
        only.iter().any(|text| {
            cell.name.contains(text.as_str()) || cell.set.iter().any(|set| set.contains(text))
        })
    };
    cells.retain(|cell| only.is_empty() || wanted(cell));
    cells
}
