//! Dense names for the values of one object, in the order in which they first occur.

use super::op::{Action, INITIAL, Op, ValueId};

/// A table that is used for one object after the other.
#[derive(Default)]
pub struct Renaming {
    /// The names of a dense range of values, or the values of a hash table.
    table: Vec<ValueId>,
    /// The names in a hash table.
    names: Vec<ValueId>,
}

/// No name yet, no value here. Values are below 2^32 - 1.
const NONE: ValueId = ValueId::MAX;

/// The range of values that a plain table may span, in multiples of the calls.
const SPAN: usize = 4;

impl Renaming {
    /// Renames all values and tells how many there are. The initial one stays [`INITIAL`].
    pub fn rename(&mut self, ops: &mut [Op]) -> usize {
        let (mut least, mut most) = (NONE, 0);
        for op in ops.iter_mut() {
            each(&mut op.action, |value| {
                if value != INITIAL {
                    (least, most) = (least.min(value), most.max(value));
                }
                value
            });
        }
        let span = most.saturating_sub(least) as usize + 1;
        if span <= SPAN * ops.len() { self.by_range(ops, least, span) } else { self.by_hash(ops) }
    }

    fn by_range(&mut self, ops: &mut [Op], least: ValueId, span: usize) -> usize {
        self.table.clear();
        self.table.resize(span, NONE);
        let mut count = 1;
        for op in ops {
            each(&mut op.action, |value| match value {
                INITIAL => INITIAL,
                _ => name(&mut self.table[(value - least) as usize], &mut count),
            });
        }
        count as usize
    }

    fn by_hash(&mut self, ops: &mut [Op]) -> usize {
        // An op has two values at the most.
        let size = (4 * ops.len()).next_power_of_two();
        self.table.clear();
        self.table.resize(size, NONE);
        self.names.clear();
        self.names.resize(size, NONE);
        let shift = u64::BITS - size.trailing_zeros();
        let mut count = 1;
        for op in ops {
            each(&mut op.action, |value| {
                if value == INITIAL {
                    return INITIAL;
                }
                let hash = u64::from(value).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                let mut at = hash.checked_shr(shift).unwrap_or(0) as usize;
                while self.table[at] != value && self.table[at] != NONE {
                    at = (at + 1) & (size - 1);
                }
                self.table[at] = value;
                name(&mut self.names[at], &mut count)
            });
        }
        count as usize
    }
}

fn name(place: &mut ValueId, count: &mut ValueId) -> ValueId {
    if *place == NONE {
        *place = *count;
        *count += 1;
    }
    *place
}

fn each(action: &mut Action, mut name: impl FnMut(ValueId) -> ValueId) {
    match action {
        Action::Read(value) | Action::Write(value) | Action::Differs(value) => {
            *value = name(*value)
        }
        Action::Cas(old, new) => (*old, *new) = (name(*old), name(*new)),
    }
}
