//! A second opinion where the search of registers gave up: the general engine
//! walks into depth first, and often meets an order where breadth ran out of room.
//!
//! It can only acquit. What it finds impossible the first search would have to
//! explain, so without an order the answer stays unknown.

use tribunal_history::Operation;

use super::op::{Action, INITIAL, Op, ValueId};
use super::reduction::relevant;
use crate::linearizability::engine::{self, Budget, Outcome};
use crate::linearizability::model::{self, Model};

/// Looks for an order of the calls; answers the steps it took, if there is one.
pub(super) fn order(ops: &[Op], values: usize, budget: u64) -> Option<u64> {
    let call =
        |op: &Op| model::Op { call: op.action, start: op.start, end: op.end, number: op.call };
    let calls: Vec<model::Op<Action>> = relevant(ops, values).iter().map(call).collect();
    let budget = Budget { steps: budget, ..Budget::default() };
    match engine::search(&Register, &calls, &budget) {
        Outcome::Linearizable { steps } => Some(steps),
        _ => None,
    }
}

/// A register as a model, over calls that are parsed already.
struct Register;

impl Model for Register {
    type Call = Action;
    type State = ValueId;

    fn init(&self) -> ValueId {
        INITIAL
    }

    fn step(&self, &held: &ValueId, call: &Action) -> impl IntoIterator<Item = ValueId> {
        match *call {
            Action::Read(value) => (held == value).then_some(held),
            Action::Write(new) => Some(new),
            Action::Cas(old, new) => (held == old).then_some(new),
            Action::Differs(value) => (held != value).then_some(held),
        }
    }

    fn looks(&self, call: &Action) -> bool {
        matches!(call, Action::Read(_) | Action::Differs(_))
    }

    fn call(&self, _: &Operation) -> Result<Option<Action>, String> {
        Err("the calls of registers are read by `parse`".to_owned())
    }
}
