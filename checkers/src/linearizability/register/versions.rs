//! Which call set each value, where every value is set only once.

use super::op::{Action, INITIAL, Op, ValueId};
use super::reduction::observed;

/// No call; no value.
pub(super) const NONE: u32 = u32::MAX;

/// The calls that took effect, and who set the values they saw.
pub(super) struct Versions {
    /// Every call that took effect, in the order of the invocations.
    pub(super) ops: Vec<Op>,
    /// Their positions among all calls.
    pub(super) places: Vec<u32>,
    /// By value, the position in `ops` of the call that set it; none for the initial one.
    pub(super) producer: Vec<u32>,
}

impl Versions {
    /// `None` where a value is set twice or out of nowhere, and where what was found is not
    /// known: nothing certain can be said of such versions.
    pub(super) fn of(ops: &[Op], values: usize) -> Option<Self> {
        let observed = observed(ops, values);
        let mut versions =
            Self { ops: Vec::new(), places: Vec::new(), producer: vec![NONE; values] };
        for (place, &op) in (0..).zip(ops) {
            let set = op.action.produces();
            if matches!(op.action, Action::Differs(_)) {
                return None;
            }
            if op.crashed() && set.is_none_or(|value| !observed[value as usize]) {
                continue;
            }
            if let Some(value) = set {
                let at = versions.ops.len() as u32;
                if value == INITIAL
                    || std::mem::replace(&mut versions.producer[value as usize], at) != NONE
                {
                    return None;
                }
            }
            versions.ops.push(op);
            versions.places.push(place);
        }
        let known = |op: &Op| op.action.observes().is_none_or(|value| versions.has(value));
        versions.ops.iter().all(known).then_some(versions)
    }

    /// Whether some call set a value, or none had to.
    pub(super) fn has(&self, value: ValueId) -> bool {
        value == INITIAL || self.producer[value as usize] != NONE
    }

    /// The call that set a value.
    pub(super) fn setter(&self, value: ValueId) -> Option<&Op> {
        self.ops.get(self.producer[value as usize] as usize)
    }

    /// The value that a swap found to set this one.
    pub(super) fn before(&self, value: ValueId) -> Option<ValueId> {
        self.setter(value).and_then(|op| op.action.observes())
    }

    /// The values, each after the one that it was swapped for; `None` if swaps go round in a ring.
    pub(super) fn by_swaps(&self) -> Option<Vec<ValueId>> {
        let mut after: Vec<Vec<ValueId>> = vec![Vec::new(); self.producer.len()];
        let mut order = Vec::new();
        for value in (0..self.producer.len() as ValueId).filter(|&value| self.has(value)) {
            match self.before(value) {
                Some(old) => after[old as usize].push(value),
                None => order.push(value),
            }
        }
        let mut at = 0;
        while let Some(&value) = order.get(at) {
            order.append(&mut after[value as usize]);
            at += 1;
        }
        let all = self.producer.iter().filter(|&&producer| producer != NONE).count() + 1;
        (order.len() == all).then_some(order)
    }
}
