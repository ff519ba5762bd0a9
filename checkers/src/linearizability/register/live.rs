//! The live calls of a search: invoked, to be acknowledged, and not yet.

use super::frontier::{Classes, Config, Slots};
use super::op::{Action, Op, ValueId};

/// Live calls, each in a slot.
pub(super) struct Live {
    ops: Vec<Option<Op>>,
    taken: Slots,
    pub(super) classes: Classes,
    /// By value: the reads that need it, the writes that set it, the swaps that need it, and the
    /// reads that found another.
    reading: Vec<Slots>,
    writing: Vec<Slots>,
    swapping: Vec<Slots>,
    differing: Vec<Slots>,
    /// All reads that found another value than some.
    negative: Slots,
}

impl Live {
    /// The most calls that can be live at once.
    pub(super) const WIDTH: usize = Slots::BITS as usize;

    pub(super) fn new(values: usize) -> Self {
        let none = || vec![0; values];
        Self {
            ops: vec![None; Self::WIDTH],
            taken: 0,
            classes: Classes::default(),
            reading: none(),
            writing: none(),
            swapping: none(),
            differing: none(),
            negative: 0,
        }
    }

    /// Gives a call a slot; `None` if there is none left.
    pub(super) fn enter(&mut self, op: Op) -> Option<usize> {
        let slot = self.taken.trailing_ones() as usize;
        if slot == Self::WIDTH {
            return None;
        }
        self.ops[slot] = Some(op);
        self.flip(slot, op.action);
        Some(slot)
    }

    /// Takes a slot back.
    pub(super) fn leave(&mut self, slot: usize) {
        if let Some(op) = self.ops[slot].take() {
            self.flip(slot, op.action);
        }
    }

    fn flip(&mut self, slot: usize, action: Action) {
        let bit = 1 << slot;
        self.taken ^= bit;
        match action {
            Action::Read(value) => self.reading[value as usize] ^= bit,
            Action::Differs(value) => {
                self.differing[value as usize] ^= bit;
                self.negative ^= bit;
            }
            Action::Write(value) => {
                self.writing[value as usize] ^= bit;
                self.classes.writes ^= bit;
            }
            Action::Cas(old, _) => {
                self.swapping[old as usize] ^= bit;
                self.classes.swaps ^= bit;
            }
        }
    }

    /// Lets every call look that can, and every write pass that changes nothing.
    pub(super) fn settle(&self, config: Config) -> Config {
        let value = config.value as usize;
        let seen = self.reading[value] | (self.negative & !self.differing[value]);
        Config { open: config.open & !seen, owed: config.owed & !self.writing[value], ..config }
    }

    /// All live calls.
    pub(super) fn slots(&self) -> impl Iterator<Item = usize> + use<> {
        bits(self.taken)
    }

    /// The live call in a slot that is taken.
    pub(super) fn op(&self, slot: usize) -> Op {
        self.ops[slot].expect("a taken slot holds a call")
    }

    /// Of the open writes of a value, the one that returns first.
    pub(super) fn write(&self, value: ValueId, open: Slots) -> Option<usize> {
        bits(self.writing[value as usize] & open).min_by_key(|&slot| self.op(slot).end)
    }

    /// The open swaps of a value, without those that do the same as one that returns earlier.
    pub(super) fn swaps(
        &self,
        value: ValueId,
        open: Slots,
    ) -> impl Iterator<Item = (usize, ValueId)> {
        let swaps = self.swapping[value as usize] & open;
        bits(swaps).filter_map(move |slot| {
            let Op { action, end, .. } = self.op(slot);
            let mut later = bits(swaps).map(|other| self.op(other));
            let twin = later.any(|other| other.action == action && other.end < end);
            Some((slot, action.produces().filter(|_| !twin)?))
        })
    }

    /// The values that open calls need, perhaps more than once.
    pub(super) fn wanted(&self, open: Slots) -> impl Iterator<Item = ValueId> {
        bits(open & !self.classes.writes).filter_map(|slot| self.op(slot).action.observes())
    }

    /// Whether an open call needs the register to hold anything but this.
    pub(super) fn unwanted(&self, value: ValueId, open: Slots) -> bool {
        self.differing[value as usize] & open != 0
    }

    /// The values that open writes set, with their slots.
    pub(super) fn writes(&self, open: Slots) -> impl Iterator<Item = (usize, ValueId)> {
        bits(self.classes.writes & open)
            .filter_map(|slot| Some((slot, self.op(slot).action.produces()?)))
    }
}

fn bits(mut left: Slots) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let slot = left.trailing_zeros() as usize;
        left &= left.wrapping_sub(1);
        (slot < Live::WIDTH).then_some(slot)
    })
}
