//! A schedule as a run has recorded it: what was planned, when it was injected and when healed, read
//! from the history and not drawn from the seed.

use std::collections::BTreeMap;

use serde::Deserialize;
use tribunal_history::{FaultNote, History, Name, Process, Stage, Value};

use super::{Planned, ScheduleError};
use crate::faults::Plan;

/// The faults of a history, as they were planned: primaries are nobody in particular again. One that
/// was never healed lasts until the history ends.
pub fn recorded(history: &History) -> Vec<Planned> {
    let mut faults: BTreeMap<u64, Planned> = BTreeMap::new();
    let mut end = 0;
    for event in history.events() {
        end = event.time();
        if event.process() != Process::Nemesis {
            continue;
        }
        // Nemesis events of other shapes are other tools'.
        let Ok(note) = FaultNote::deserialize(event.value().to_value()) else { continue };
        match note.stage {
            Stage::Inject => {
                let FaultNote { id, nodes, summary, plan, .. } = note;
                let plan = Plan { nodes, summary, data: plan };
                let (name, inject) = (event.f().into(), event.time());
                faults.insert(id, Planned { id, name, inject, heal: u64::MAX, plan });
            }
            Stage::Heal => {
                if let Some(fault) = faults.get_mut(&note.id) {
                    fault.heal = event.time();
                }
            }
            Stage::Injected | Stage::Healed => {}
        }
    }
    let mut faults: Vec<Planned> = faults.into_values().collect();
    faults.iter_mut().for_each(|fault| fault.heal = fault.heal.min(end));
    faults.sort_by_key(|fault| fault.inject);
    faults
}

/// Refuses a fault whose plan speaks of a node that was there and is no more.
pub(super) fn check(fault: &Planned, were: &[Name], nodes: &[Name]) -> Result<(), ScheduleError> {
    let gone = were.iter().filter(|node| !nodes.contains(node));
    let mut gone = gone.filter(|node| {
        fault.plan.nodes.contains(node)
            || fault.plan.data.iter().any(|(key, value)| **key == ***node || speaks_of(value, node))
    });
    match gone.next() {
        None => Ok(()),
        Some(node) => Err(ScheduleError::Gone {
            fault: fault.to_string(),
            node: node.clone(),
            there: nodes.join(" "),
        }),
    }
}

/// Whether a node is named in a plan's data, as a word or as a key.
fn speaks_of(value: &Value, node: &Name) -> bool {
    match value {
        Value::String(text) => **text == **node,
        Value::Array(values) => values.iter().any(|value| speaks_of(value, node)),
        Value::Object(map) => {
            map.iter().any(|(key, value)| **key == **node || speaks_of(value, node))
        }
        _ => false,
    }
}
