//! What can be wrong with a workload's name, options or calls.

use std::fmt;

use tribunal_history::{Call, Value};

use crate::WORKLOADS;

/// Why a workload could not be made.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum WorkloadError {
    /// There is none of that name.
    #[error("there is no workload `{name}`{suggestion} The workloads are {known}")]
    UnknownWorkload {
        /// What was asked for.
        name: String,
        /// `; did you mean …?`, where one is near.
        suggestion: Suggestion,
        /// Those that there are.
        known: List,
    },
    /// The workload has no such option.
    #[error("[workload.{workload}] has no option `{option}`{suggestion} Its options are {known}")]
    UnknownOption {
        /// Whose.
        workload: &'static str,
        /// What was given.
        option: String,
        /// `; did you mean …?`, where one is near.
        suggestion: Suggestion,
        /// Those that there are.
        known: List,
    },
    /// The option cannot have that value.
    #[error("[workload.{workload}] `{option}` is {found}, but must be {expected}")]
    BadOption {
        /// Whose.
        workload: &'static str,
        /// Which.
        option: &'static str,
        /// What was given.
        found: Value,
        /// What it may be.
        expected: String,
    },
}

impl WorkloadError {
    pub(crate) fn unknown_workload(name: &str) -> Self {
        let known: Vec<&'static str> = WORKLOADS.iter().map(|known| known.name).collect();
        let suggestion = Suggestion::of(name, &known);
        Self::UnknownWorkload { name: name.to_owned(), suggestion, known: List(known) }
    }

    pub(crate) fn unknown_option(
        workload: &'static str,
        option: &str,
        known: Vec<&'static str>,
    ) -> Self {
        let suggestion = Suggestion::of(option, &known);
        Self::UnknownOption { workload, option: option.to_owned(), suggestion, known: List(known) }
    }
}

/// A call that a workload does not have.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{workload} has no call `{f}` of {value}")]
pub struct CallError {
    workload: &'static str,
    f: String,
    value: Value,
}

impl CallError {
    pub(crate) fn of(workload: &'static str, call: &Call) -> Self {
        Self { workload, f: call.f.to_string(), value: call.value.clone() }
    }
}

/// Names, as a sentence lists them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List(pub Vec<&'static str>);

impl fmt::Display for List {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0[..] {
            [] => out.write_str("none"),
            [one] => out.write_str(one),
            [most @ .., last] => write!(out, "{} and {last}", most.join(", ")),
        }
    }
}

/// How a sentence about a mistyped name ends: with the known name that is near to
/// it, if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion(pub Option<&'static str>);

impl Suggestion {
    /// A third of the name may be wrong; more is another name.
    fn of(given: &str, known: &[&'static str]) -> Self {
        let distance = |known: &&&'static str| edit_distance(given, known);
        let nearest = known.iter().min_by_key(distance);
        let near = |known: &&&'static str| edit_distance(given, known) <= given.len().div_ceil(3);
        Self(nearest.filter(near).copied())
    }
}

impl fmt::Display for Suggestion {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(name) => write!(out, "; did you mean `{name}`?"),
            None => out.write_str("."),
        }
    }
}

/// How many letters to insert, delete or replace (Levenshtein's distance).
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, letter) in from.chars().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for at in 0..to.len() {
            let replaced = diagonal + usize::from(to[at] != letter);
            diagonal = row[at + 1];
            row[at + 1] = replaced.min(diagonal + 1).min(row[at] + 1);
        }
    }
    row[to.len()]
}
