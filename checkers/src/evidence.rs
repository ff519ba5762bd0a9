//! The demands on a run: that enough was done, and that the faults did bite.
//!
//! This checker finds no anomaly. It turns a `valid` that proves nothing into
//! an `unknown` which says what was not tested.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tribunal_history::{Fault, History};

use crate::times::seconds;
use crate::{Checker, Verdict};

/// What a run must show before its verdict may be `valid`.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Functions, and how many acknowledged calls of each are needed.
    pub required: Vec<(String, u64)>,
    /// Kinds of faults, and how many of each must have been seen to act.
    pub faults: Vec<(String, u64)>,
    /// What speaks against the run and is not in its history, a sentence each.
    pub doubts: Vec<String>,
}

/// Of how many calls of a required function at least one must be acknowledged:
/// a database that hardly answers can hardly be wrong.
const ONE_OF: u64 = 10;
/// The fact that is true when no call at all was acknowledged.
const NOTHING_TESTED: &str = "nothing_tested";

impl Checker for Evidence {
    fn check(&self, history: &History) -> Verdict {
        let calls = acknowledged(history);
        let faults = history.faults();
        let kinds = kinds(&faults);
        let mut verdict = Verdict::valid();
        let nothing_tested = calls.is_empty();
        if nothing_tested {
            verdict.doubt("nothing was tested: not one call was acknowledged");
        }
        for why in self.missing_calls(history, &calls).chain(self.missing_faults(&kinds)) {
            verdict.doubt(why);
        }
        for why in faults.iter().flat_map(shortcomings).chain(self.doubts.iter().cloned()) {
            verdict.doubt(why);
        }
        let kinds = kinds.into_iter().map(|(kind, counts)| (kind.to_owned(), counts.json()));
        verdict
            .fact(NOTHING_TESTED, nothing_tested)
            .fact("acknowledged", json!(calls))
            .fact("faults", Value::Object(kinds.collect()))
    }
}

impl Evidence {
    fn missing_calls(
        &self,
        history: &History,
        acknowledged: &BTreeMap<&str, u64>,
    ) -> impl Iterator<Item = String> {
        self.required.iter().filter_map(move |(f, needed)| {
            let found = acknowledged.get(f.as_str()).copied().unwrap_or(0);
            let made = history.operations().filter(|op| op.f() == f).count() as u64;
            let few = format!("too few calls of {f} were acknowledged: {found} of the");
            if found < *needed {
                Some(format!("{few} {needed} needed"))
            } else {
                (found * ONE_OF < made).then(|| format!("{few} {made} made"))
            }
        })
    }

    fn missing_faults(&self, kinds: &BTreeMap<&str, Counts>) -> impl Iterator<Item = String> {
        self.faults.iter().filter_map(move |(kind, needed)| {
            let found = kinds.get(kind.as_str()).map_or(0, |counts| counts.observed);
            let why =
                format!("too few {kind} faults were seen to act: {found} of the {needed} needed");
            (found < *needed).then_some(why)
        })
    }
}

fn acknowledged(history: &History) -> BTreeMap<&str, u64> {
    let mut calls = BTreeMap::new();
    for op in history.operations().filter(|op| op.is_ok()) {
        *calls.entry(op.f()).or_default() += 1;
    }
    calls
}

/// How many faults of a kind there were, and what became of them.
#[derive(Default)]
struct Counts {
    begun: u64,
    observed: u64,
    healed: u64,
}

impl Counts {
    fn json(&self) -> Value {
        json!({"begun": self.begun, "observed": self.observed, "healed": self.healed})
    }
}

fn kinds(faults: &[Fault]) -> BTreeMap<&str, Counts> {
    let mut kinds: BTreeMap<&str, Counts> = BTreeMap::new();
    for fault in faults {
        let counts = kinds.entry(&fault.name).or_default();
        counts.begun += 1;
        counts.observed += u64::from(fault.effect.observed);
        counts.healed += u64::from(fault.until.is_some());
    }
    kinds
}

/// Why this fault does not count as tested, a sentence each.
fn shortcomings(fault: &Fault) -> Vec<String> {
    let begun = seconds(fault.from);
    let name = match &*fault.summary {
        "" => format!("{} (fault {}, begun at {begun})", fault.name, fault.id),
        plan => format!("{} {plan} (fault {}, begun at {begun})", fault.name, fault.id),
    };
    let mut why = Vec::new();
    if let Some(error) = &fault.error {
        why.push(format!("{name} failed: {error}"));
    } else if !fault.effect.observed {
        why.push(format!("{name} was not seen to take effect"));
    }
    if fault.until.is_none() {
        why.push(format!("{name} was never seen to be undone"));
    }
    why
}
