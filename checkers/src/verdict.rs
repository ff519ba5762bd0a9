//! Verdicts: what a checker says of a history.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tribunal_history::{History, Nanos};

/// Whether a history kept its promises. The order is that of aggregation: the
/// worst wins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Validity {
    /// It did, and enough was done to say so.
    #[default]
    Valid,
    /// Not known: too little was tested, or a budget ran out.
    Unknown,
    /// It did not, and here is the evidence.
    Invalid,
}

/// One broken promise, with its witness.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Anomaly {
    /// What kind: `nonlinearizable`, `lost-write`, `split-brain`, …
    pub name: String,
    /// The case in one or two plain sentences, with values, processes, nodes and times.
    pub message: String,
    /// The object, where there are several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<Value>,
    /// Indexes of the witness's invocations.
    pub ops: Vec<u64>,
    /// The time it spans, in nanoseconds of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<(Nanos, Nanos)>,
    /// Numbers for machines: clocks, terms, skews, fault ids.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub details: Map<String, Value>,
}

/// A checker's answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The answer.
    pub validity: Validity,
    /// The broken promises. Non-empty exactly where a checker says `invalid`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub anomalies: Vec<Anomaly>,
    /// Why it is `unknown`, one sentence each: what was not tested, which budget ran out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknowns: Vec<String>,
    /// What was measured on the way: counts, algorithms used, times.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub facts: Map<String, Value>,
    /// What in the history is none of the calls that are judged, in one sentence that
    /// names the event. Such a verdict is `unknown`; whoever was handed the history in
    /// a file may want to refuse the file instead.
    #[serde(skip)]
    pub objection: Option<String>,
    /// The parts of a composed verdict, by checker.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub checkers: BTreeMap<String, Verdict>,
}

impl Verdict {
    /// A verdict of `valid`, with nothing measured yet.
    pub fn valid() -> Self {
        Self::default()
    }

    /// A verdict of `unknown`.
    pub fn unknown(why: impl Into<String>) -> Self {
        Self { validity: Validity::Unknown, unknowns: vec![why.into()], ..Self::default() }
    }

    /// The verdict on a history that holds other calls than those that are judged.
    pub fn objected(why: impl Into<String>) -> Self {
        let why = why.into();
        Self { objection: Some(why.clone()), ..Self::unknown(why) }
    }

    /// The verdict of a checker of real time on a history that has none; `None` where it has.
    pub(crate) fn without_real_time(history: &History) -> Option<Self> {
        const WHY: &str = "nobody recorded when the calls of this history were made, and without real time \
             nothing can be said of it here; judge it by a level that needs none";
        (!history.has_real_time()).then(|| Self::unknown(WHY))
    }

    /// `invalid` if there is any anomaly, `valid` otherwise.
    pub fn of(anomalies: Vec<Anomaly>) -> Self {
        let validity = if anomalies.is_empty() { Validity::Valid } else { Validity::Invalid };
        Self { validity, anomalies, ..Self::default() }
    }

    /// The same verdict with one more measurement.
    pub fn fact(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.facts.insert(name.to_owned(), value.into());
        self
    }

    /// Adds a reason for doubt: a `valid` becomes `unknown`, an `invalid` stays.
    pub fn doubt(&mut self, why: impl Into<String>) {
        self.validity = self.validity.max(Validity::Unknown);
        self.unknowns.push(why.into());
    }
}

/// Judges a history.
pub trait Checker: Send + Sync {
    /// Reads `history` and says what it found. Never panics on a well-formed history.
    fn check(&self, history: &History) -> Verdict;
}

impl Checker for Box<dyn Checker> {
    fn check(&self, history: &History) -> Verdict {
        (**self).check(history)
    }
}

impl<F: Fn(&History) -> Verdict + Send + Sync> Checker for F {
    fn check(&self, history: &History) -> Verdict {
        self(history)
    }
}

/// Several checkers under their names. The worst validity wins.
#[derive(Default)]
pub struct Compose {
    parts: Vec<(String, Box<dyn Checker>)>,
}

impl Compose {
    /// No checker yet: judges everything `valid`.
    pub fn new() -> Self {
        Self::default()
    }

    /// The same with one more.
    pub fn with(mut self, name: &str, checker: impl Checker + 'static) -> Self {
        self.parts.push((name.to_owned(), Box::new(checker)));
        self
    }
}

impl Checker for Compose {
    fn check(&self, history: &History) -> Verdict {
        let mut whole = Verdict::valid();
        for (name, checker) in &self.parts {
            let mut part = checker.check(history);
            whole.validity = whole.validity.max(part.validity);
            whole.anomalies.append(&mut part.anomalies);
            whole.unknowns.extend(part.unknowns.iter().cloned());
            whole.objection = whole.objection.or_else(|| part.objection.clone());
            whole.checkers.insert(name.clone(), part);
        }
        whole
    }
}
