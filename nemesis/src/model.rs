//! System models: what a database takes for granted of its network, its clocks and its nodes, after
//! Kleppmann's "Designing Data-Intensive Applications", chapter 8, "System Model and Reality".
//!
//! A fault **assumes** the mildest model in which it can happen, and the nemesis of a run injects
//! only what the run's model allows. Safety is judged in every model. Liveness only where the model
//! promises that anything can be live: see [`SystemModel::liveness`].

use std::fmt;
use std::str::FromStr;

/// How long messages, steps of a process and clocks may take or be off; each is wilder than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Synchrony {
    /// All bounds are known, and kept always.
    Synchronous,
    /// They are kept most of the time: a network is cut, a process pauses, a clock is wrong, for a while.
    PartiallySynchronous,
    /// There are no bounds.
    Asynchronous,
}

/// How nodes fail; each is wilder than the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failures {
    /// Whoever stops is gone for good.
    CrashStop,
    /// Whoever stops may come back, with what was on its disk.
    CrashRecovery,
    /// Nodes and links may do anything: lie, alter, forget, repeat.
    Byzantine,
}

/// Both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SystemModel {
    /// Of time.
    pub synchrony: Synchrony,
    /// Of nodes.
    pub failures: Failures,
}

/// When a model promises that calls succeed again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// Never.
    Never,
    /// Some time after the last fault.
    AfterFaults,
    /// Some time after each fault, and while nodes are dead.
    Always,
}

const SYNCHRONIES: [(&str, Synchrony); 3] = [
    ("synchronous", Synchrony::Synchronous),
    ("partially-synchronous", Synchrony::PartiallySynchronous),
    ("asynchronous", Synchrony::Asynchronous),
];
const FAILURES: [(&str, Failures); 3] = [
    ("crash-stop", Failures::CrashStop),
    ("crash-recovery", Failures::CrashRecovery),
    ("byzantine", Failures::Byzantine),
];

impl SystemModel {
    /// A model.
    pub const fn new(synchrony: Synchrony, failures: Failures) -> Self {
        Self { synchrony, failures }
    }

    /// Whether a fault that assumes `mildest` can happen here.
    pub fn allows(self, mildest: SystemModel) -> bool {
        mildest.synchrony <= self.synchrony && mildest.failures <= self.failures
    }

    /// When calls must succeed again. In an asynchronous system nothing is promised: no protocol of
    /// agreement can (Fischer, Lynch and Paterson, 1985). A Byzantine one may have been altered for good.
    pub fn liveness(self) -> Liveness {
        match (self.synchrony, self.failures) {
            (Synchrony::Asynchronous, _) | (_, Failures::Byzantine) => Liveness::Never,
            (Synchrony::PartiallySynchronous, _) => Liveness::AfterFaults,
            (Synchrony::Synchronous, _) => Liveness::Always,
        }
    }
}

impl fmt::Display for SystemModel {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let synchrony = SYNCHRONIES.iter().find(|(_, it)| *it == self.synchrony);
        let failures = FAILURES.iter().find(|(_, it)| *it == self.failures);
        let name = |found: Option<&str>| found.unwrap_or_default().to_owned();
        let (synchrony, failures) = (synchrony.map(|it| it.0), failures.map(|it| it.0));
        write!(out, "{}/{}", name(synchrony), name(failures))
    }
}

/// Not the name of a model.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no system model: say synchronous, partially-synchronous or asynchronous, a slash, and \
     crash-stop, crash-recovery or byzantine, such as partially-synchronous/crash-recovery"
)]
pub struct NoModel(String);

impl FromStr for SystemModel {
    type Err = NoModel;

    fn from_str(text: &str) -> Result<Self, NoModel> {
        let parts = text.split_once('/').map(|(one, other)| (one.trim(), other.trim()));
        let model = parts.and_then(|(one, other)| {
            let synchrony = SYNCHRONIES.iter().find(|(name, _)| *name == one)?.1;
            let failures = FAILURES.iter().find(|(name, _)| *name == other)?.1;
            Some(Self { synchrony, failures })
        });
        model.ok_or_else(|| NoModel(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_allows_what_milder_ones_allow() {
        let all = SYNCHRONIES.iter().flat_map(|(one, _)| FAILURES.map(|(other, _)| (*one, other)));
        let all: Vec<SystemModel> =
            all.map(|(one, other)| format!("{one}/{other}").parse().unwrap()).collect();
        assert_eq!(all.len(), 9);
        let count = |it: &SystemModel| all.iter().filter(|mildest| it.allows(**mildest)).count();
        assert_eq!(all.iter().map(count).collect::<Vec<_>>(), [1, 2, 3, 2, 4, 6, 3, 6, 9]);
        assert_eq!(all[4].to_string(), "partially-synchronous/crash-recovery");
        for bad in ["", "synchronous", "crash-stop/synchronous", "synchronous/crash", "a/b"] {
            let told = bad.parse::<SystemModel>().unwrap_err().to_string();
            assert!(told.contains("is no system model"), "{told}");
        }
    }
}
