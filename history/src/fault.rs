//! What the nemesis did, read back from a history.
//!
//! The nemesis writes two pairs of `info` events a fault: `inject` when it
//! begins to do harm and `injected` when the harm is done, `heal` when it
//! begins to undo it and `healed` when all is undone. The value of each is a
//! [`FaultNote`]. From them come two windows: the outer one, in which the
//! fault *may* have acted (widened, never narrowed), and the inner one, in
//! which it certainly did.

use serde::{Deserialize, Serialize};
use serde_json::Map;

use crate::{EventRef, History, Name, Nanos, Process, Value};

/// Where in its life a fault is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// About to do harm.
    Inject,
    /// The harm is done.
    Injected,
    /// About to undo it.
    Heal,
    /// All is undone.
    Healed,
}

/// What was seen of a fault from inside its victims.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Whether the harm was observed on every node it was meant for.
    pub observed: bool,
    /// The measurement in words: "n1: 312 packets dropped", "n2: 14 of 14 threads stopped".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<String>,
}

/// The value of a nemesis event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FaultNote {
    /// Which fault of the schedule, from 0; the four events of one share it.
    pub id: u64,
    /// Where in its life it is.
    pub stage: Stage,
    /// The nodes that are harmed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Name>,
    /// The plan in words: "{n1 n2 | n3 n4 n5}", "n2 +5.000 s".
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// The plan as data, enough to inject it again; on `injected` what it had left open.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub plan: Map<String, Value>,
    /// On `injected` and `healed`: what was seen of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effect: Option<Effect>,
}

/// One fault of a run, from its first event to its last.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    /// Its number in the schedule.
    pub id: u64,
    /// Its kind: `partition-halves`, `pause`, `clock-jump`, …
    pub name: Name,
    /// The nodes it harmed.
    pub nodes: Vec<Name>,
    /// Its plan in words.
    pub summary: String,
    /// Its plan as data.
    pub plan: Map<String, Value>,
    /// It may have acted from here …
    pub from: Nanos,
    /// … it certainly acted from here (`None`: injecting it failed) …
    pub injected: Option<Nanos>,
    /// … to here …
    pub heal: Option<Nanos>,
    /// … and may have acted until here (`None`: it was never seen to be undone).
    pub until: Option<Nanos>,
    /// What was seen of it, at both ends.
    pub effect: Effect,
    /// Why injecting or healing it failed, if it did.
    pub error: Option<String>,
}

impl Fault {
    /// Whether it may have acted at some time of `[from, to]`.
    pub fn may_overlap(&self, from: Nanos, to: Nanos) -> bool {
        self.from <= to && self.until.is_none_or(|until| from <= until)
    }

    fn new(id: u64, name: Name, from: Nanos) -> Self {
        Self {
            id,
            name,
            nodes: Vec::new(),
            summary: String::new(),
            plan: Map::new(),
            from,
            injected: None,
            heal: None,
            until: None,
            effect: Effect::default(),
            error: None,
        }
    }

    fn absorb(&mut self, note: FaultNote, event: EventRef) {
        match note.stage {
            Stage::Inject => {
                self.nodes = note.nodes;
                self.summary = note.summary;
                self.plan = note.plan;
            }
            Stage::Injected => {
                // What was really harmed may be known only now: "primaries" are looked up.
                if !note.nodes.is_empty() {
                    self.nodes = note.nodes;
                }
                if !note.summary.is_empty() {
                    self.summary = note.summary;
                }
                self.plan.extend(note.plan);
                self.injected = event.error().is_null().then_some(event.time());
            }
            Stage::Heal => self.heal = Some(event.time()),
            Stage::Healed => {
                if event.error().is_null() {
                    self.until = Some(event.time());
                }
            }
        }
        if let Some(effect) = note.effect {
            self.effect.observed |= effect.observed;
            self.effect.evidence.extend(effect.evidence);
        }
        if !event.error().is_null() {
            self.error =
                Some(event.error().as_str().map_or_else(|| event.error().to_string(), Into::into));
        }
    }
}

impl History {
    /// The faults of this history, in the order in which they began. Nemesis
    /// events of other shapes (other tools' histories) are passed over.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults: Vec<Fault> = Vec::new();
        for event in self.events().filter(|event| event.process() == Process::Nemesis) {
            let value: Value = event.value().to_value();
            let Ok(note) = FaultNote::deserialize(value) else { continue };
            let known = faults.iter().rposition(|fault| fault.id == note.id);
            let at = known.unwrap_or_else(|| {
                faults.push(Fault::new(note.id, event.f().into(), event.time()));
                faults.len() - 1
            });
            faults[at].absorb(note, event);
        }
        faults
    }
}
