//! How bad it is that a register is not linearizable: how old its reads are, and which weaker
//! promises it keeps, in numbers and in a sentence.

use serde_json::{Value, json};
use tribunal_history::Process;

use super::levels::{Levels, levels};
use super::object::Object;
use super::staleness::{Staleness, staleness};

/// How far a register is from linearizable. What is not known is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Severity {
    staleness: Option<Staleness>,
    levels: Levels,
}

impl Severity {
    /// That of an object which is not linearizable.
    pub(super) fn of(object: &Object) -> Self {
        let session = |call: u32| match object.call(call).process() {
            Process::Client(number) => number as u32,
            Process::Nemesis => u32::MAX,
        };
        let sessions: Vec<u32> = object.ops.iter().map(|op| session(op.call)).collect();
        // If no read had to be old, the register would be linearizable.
        let staleness = staleness(&object.ops, object.values)
            .map(|it| Staleness { at_least: it.at_least.max(2), at_most: it.at_most.max(2) });
        Self { staleness, levels: levels(&object.ops, &sessions, object.values) }
    }

    /// What can be said of two objects, each by itself.
    pub(super) fn worse(self, other: Self) -> Self {
        let both = self.staleness.zip(other.staleness).map(|(one, other)| Staleness {
            at_least: one.at_least.max(other.at_least),
            at_most: one.at_most.max(other.at_most),
        });
        let (one, other) = (self.levels.list(), other.levels.list());
        let mut kept = one.map(|(_, kept)| kept);
        for (kept, (_, too)) in kept.iter_mut().zip(other) {
            *kept = match (*kept, too) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (one, other) => one.zip(other).map(|(one, other)| one && other),
            };
        }
        Self { staleness: both, levels: Levels::from_list(kept) }
    }

    /// The promises by name, null for what is not known.
    pub(super) fn levels(&self) -> Value {
        let list = self.levels.list().into_iter();
        Value::Object(list.map(|(name, kept)| (name.replace(' ', "_"), kept.into())).collect())
    }

    /// The bounds of the age of reads in versions; null where they are not known.
    pub(super) fn staleness(&self) -> Value {
        let bounds = |it: Staleness| json!({"at_least": it.at_least, "at_most": it.at_most});
        self.staleness.map_or(Value::Null, bounds)
    }

    /// All of it in one sentence; `None` where nothing is known.
    pub(super) fn told(&self) -> Option<String> {
        let age = self.staleness.map(|it| match it.at_most == it.at_least {
            true => format!("reads are at most {} versions old, and some are", it.at_most),
            false => format!(
                "reads are at most {} versions old, and some at least {}",
                it.at_most, it.at_least
            ),
        });
        let told: Vec<String> = age.into_iter().chain(self.kept()).collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    fn kept(&self) -> Option<String> {
        let named = |wanted: bool| {
            let list = self.levels.list().into_iter();
            let names = list.filter(|&(_, kept)| kept == Some(wanted)).map(|(name, _)| name);
            names.collect::<Vec<_>>().join(", ")
        };
        if self.levels.sequential == Some(true) {
            return Some(
                "what still holds is sequential consistency, and all that is weaker".into(),
            );
        }
        match (named(true), named(false)) {
            (kept, broken) if kept.is_empty() && broken.is_empty() => None,
            (kept, broken) if kept.is_empty() => Some(format!("what is broken too: {broken}")),
            (kept, broken) => {
                Some(format!("what still holds: {kept}; what is broken too: {broken}"))
            }
        }
    }
}
