//! The configurations that a search holds at once, and the live calls they speak of.

use rustc_hash::FxHashMap;

use super::crashed::{Crashed, UsedId};
use super::register::{Action, Op, ValueId};

/// A set of live calls, by slot.
pub(super) type Slots = u128;

/// One way the calls so far may have gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Config {
    /// The live calls that have taken effect.
    pub(super) done: Slots,
    /// What the register holds.
    pub(super) value: ValueId,
    /// The crashed calls that have taken effect.
    pub(super) used: UsedId,
}

/// Configurations, of which none makes another superfluous.
#[derive(Default)]
pub(super) struct Layer {
    configs: FxHashMap<(Slots, ValueId), Antichain>,
    /// How many there are.
    pub(super) width: usize,
    /// How many were compared with others so far: with many crashed calls, most of the work.
    pub(super) compared: u64,
}

/// Almost always one: only crashed calls make more.
struct Antichain {
    first: UsedId,
    rest: Vec<UsedId>,
}

impl Layer {
    /// Adds a configuration, unless one is there that can do all it can.
    pub(super) fn insert(&mut self, config: Config, crashed: &Crashed) -> bool {
        let Config { done, value, used } = config;
        self.width += 1;
        let Some(chain) = self.configs.get_mut(&(done, value)) else {
            self.configs.insert((done, value), Antichain { first: used, rest: Vec::new() });
            return true;
        };
        let before = 1 + chain.rest.len();
        self.compared += before as u64;
        if chain.iter().any(|there| crashed.dominates(there, used)) {
            self.width -= 1;
            return false;
        }
        chain.rest.retain(|&there| !crashed.dominates(used, there));
        match crashed.dominates(used, chain.first) {
            true => chain.first = used,
            false => chain.rest.push(used),
        }
        self.width -= before + 1 - (1 + chain.rest.len());
        true
    }

    pub(super) fn contains(&mut self, config: Config) -> bool {
        let chain = self.configs.get(&(config.done, config.value));
        self.compared += chain.map_or(0, |chain| chain.rest.len() as u64);
        chain.is_some_and(|chain| chain.iter().any(|used| used == config.used))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Config> {
        self.configs.iter().flat_map(|(&(done, value), chain)| {
            chain.iter().map(move |used| Config { done, value, used })
        })
    }
}

impl Antichain {
    fn iter(&self) -> impl Iterator<Item = UsedId> {
        std::iter::once(self.first).chain(self.rest.iter().copied())
    }
}

/// The calls that were invoked, will be acknowledged, and have not been yet.
pub(super) struct Live {
    ops: Vec<Option<Op>>,
    taken: Slots,
    /// Calls that only look, by what they need, and the negative ones together.
    reading: Vec<Slots>,
    differing: Vec<Slots>,
    negative: Slots,
    /// For each slot, those that do the same and are acknowledged before it.
    twins: Vec<Slots>,
}

impl Live {
    /// The most calls that can be live at once.
    pub(super) const WIDTH: usize = Slots::BITS as usize;

    pub(super) fn new(values: usize) -> Self {
        Self {
            ops: vec![None; Self::WIDTH],
            taken: 0,
            reading: vec![0; values],
            differing: vec![0; values],
            negative: 0,
            twins: vec![0; Self::WIDTH],
        }
    }

    /// Gives a call a slot; `None` if there is none left.
    pub(super) fn enter(&mut self, op: Op) -> Option<usize> {
        let slot = self.taken.trailing_ones() as usize;
        if slot == Self::WIDTH {
            return None;
        }
        for other in self.pending(0) {
            match self.op(other) {
                twin if twin.action != op.action => {}
                twin if twin.end < op.end => self.twins[slot] |= 1 << other,
                _ => self.twins[other] |= 1 << slot,
            }
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
        self.twins[slot] = 0;
        for twins in &mut self.twins {
            *twins &= !(1 << slot);
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
            Action::Write(_) | Action::Cas(..) => {}
        }
    }

    /// Lets every call look that can: it never gets easier, and it changes nothing.
    pub(super) fn settle(&self, config: Config) -> Config {
        let value = config.value as usize;
        let seen = self.reading[value] | (self.negative & !self.differing[value]);
        Config { done: config.done | seen, ..config }
    }

    /// The slots of the live calls not in `done`.
    pub(super) fn pending(&self, done: Slots) -> impl Iterator<Item = usize> + use<> {
        let mut left = self.taken & !done;
        std::iter::from_fn(move || {
            let slot = left.trailing_zeros() as usize;
            left &= left.wrapping_sub(1);
            (slot < Self::WIDTH).then_some(slot)
        })
    }

    /// The live call in a slot that is taken.
    pub(super) fn op(&self, slot: usize) -> Op {
        self.ops[slot].expect("a taken slot holds a call")
    }

    /// Whether a call that does the same must return earlier and is not in `done`
    /// either: then that one may as well go first.
    pub(super) fn may_wait(&self, slot: usize, done: Slots) -> bool {
        self.twins[slot] & !done != 0
    }
}
