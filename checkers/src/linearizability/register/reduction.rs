//! What may be said before any order is sought: values from nowhere, and calls
//! that cannot matter.
//!
//! A crashed call is one of which nobody knows whether it happened. Most of
//! them need not be considered at all, which is what keeps a history with many
//! crashes tractable.

use super::op::{Action, INITIAL, Op, ValueId};

/// For each value, whether some call that happened needed the register to hold it.
///
/// If `b` was seen and a crashed cas from `a` to `b` may have made it, then `a`
/// may have been needed too.
pub(super) fn observed(ops: &[Op], values: usize) -> Vec<bool> {
    let mut observed = vec![false; values];
    observed[INITIAL as usize] = true;
    for op in ops.iter().filter(|op| !op.crashed()) {
        if let Some(value) = op.action.observes() {
            observed[value as usize] = true;
        }
    }
    let mut crashed: Vec<(ValueId, ValueId)> = Vec::new();
    for op in ops.iter().filter(|op| op.crashed()) {
        if let Action::Cas(old, new) = op.action {
            crashed.push((new, old));
        }
    }
    crashed.sort_unstable();
    let mut seen: Vec<ValueId> = crashed.iter().map(|&(new, _)| new).collect();
    seen.retain(|&new| observed[new as usize]);
    while let Some(value) = seen.pop() {
        let first = crashed.partition_point(|&(new, _)| new < value);
        for &(_, old) in crashed[first..].iter().take_while(|&&(new, _)| new == value) {
            if !std::mem::replace(&mut observed[old as usize], true) {
                seen.push(old);
            }
        }
    }
    observed
}

/// The first call to see a value that no call can have set.
pub(super) fn unwritten(ops: &[Op], values: usize) -> Option<Op> {
    let mut produced = vec![false; values];
    produced[INITIAL as usize] = true;
    for value in ops.iter().filter_map(|op| op.action.produces()) {
        produced[value as usize] = true;
    }
    let from_nowhere = |op: &&Op| op.action.observes().is_some_and(|v| !produced[v as usize]);
    ops.iter().filter(|op| !op.crashed()).filter(from_nowhere).min_by_key(|op| op.end).copied()
}

/// Whether any call only learned what the register did not hold.
pub(super) fn has_negative(ops: &[Op]) -> bool {
    ops.iter().any(|op| matches!(op.action, Action::Differs(_)))
}

/// The calls that a search must order, with as few values as tell them apart.
///
/// A value that nobody saw and nobody denied is like any other such value: they
/// all become one, `values`. Without negative observations a crashed call that
/// set such a value is dropped: delete it from a linearization, and nobody
/// notices. With them it may be what kept a compare-and-set from swapping.
pub(super) fn relevant(ops: &[Op], values: usize) -> Vec<Op> {
    let nameless = values as ValueId;
    let negative = has_negative(ops);
    let mut named = observed(ops, values);
    for op in ops {
        if let Action::Differs(value) = op.action {
            named[value as usize] = true;
        }
    }
    let name = |value: ValueId| if named[value as usize] { value } else { nameless };
    let mut relevant = Vec::with_capacity(ops.len());
    for op in ops {
        let action = match op.action {
            Action::Write(value) => Action::Write(name(value)),
            Action::Cas(old, new) => Action::Cas(name(old), name(new)),
            seen => seen,
        };
        // From one nameless value, a crashed cas could only lead to another,
        // or to one that is denied but never seen: it never helps.
        let idle = action.observes() == Some(nameless);
        let unseen = action.produces() == Some(nameless) && !negative;
        if !(op.crashed() && (idle || unseen)) {
            relevant.push(Op { action, ..*op });
        }
    }
    relevant
}
