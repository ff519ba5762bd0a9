//! The configurations that a search holds at once.

use super::crashed::{Crashed, UsedId};
use super::op::{INITIAL, Op, ValueId};

/// A set of live calls, by slot.
pub(super) type Slots = u128;

/// One way the calls so far may have gone.
///
/// Of two that hold the same value and have the same swaps before them, one can do all
/// that the other can if it has no more reads before it, has all the writes still to
/// use that the other has, owes no other of them, and used no more crashed calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Config {
    /// The live calls that may still take effect.
    pub(super) open: Slots,
    /// The writes among them that have not had a moment yet in which nobody would have noticed them.
    pub(super) owed: Slots,
    /// What the register holds.
    pub(super) value: ValueId,
    /// The crashed calls that have taken effect.
    pub(super) used: UsedId,
}

/// How things stand between two returns. In its configurations, live calls are numbered in the
/// order of their invocations.
#[derive(Clone)]
pub(super) struct Standing {
    /// The calls that are live, in the order of their invocations.
    pub(super) live: Vec<Op>,
    /// What may have come of the calls so far.
    pub(super) frontier: Vec<Config>,
}

impl Standing {
    /// Before the first call.
    pub(super) fn first() -> Self {
        let untouched = Config { open: 0, owed: 0, value: INITIAL, used: 0 };
        Self { live: Vec::new(), frontier: vec![untouched] }
    }
}

/// The slots of live calls by what they do.
#[derive(Clone, Copy, Default)]
pub(super) struct Classes {
    /// They set a value, whatever is there.
    pub(super) writes: Slots,
    /// They need a value and set another.
    pub(super) swaps: Slots,
}

impl Classes {
    /// Those that only look.
    fn reads(&self) -> Slots {
        !(self.writes | self.swaps)
    }

    fn covers(&self, one: &Config, other: &Config) -> bool {
        // Bits that `one` has too many: a debt, a read; or too few: a write to use.
        let excess = one.owed & !other.owed | one.open & !other.open & self.reads();
        let lack = other.open & !one.open & self.writes;
        excess | lack == 0
    }
}

/// Configurations, of which none makes another superfluous.
#[derive(Default)]
pub(super) struct Layer {
    configs: Vec<Config>,
    /// The next of the same chain, by position.
    next: Vec<u32>,
    /// Chains by hash of value and open swaps.
    heads: Vec<u32>,
    /// How many are not superfluous.
    pub(super) width: usize,
    /// How many were compared so far: with many crashed calls, most of the work.
    pub(super) compared: u64,
}

/// No position. As a value, a superfluous configuration.
const NONE: u32 = u32::MAX;

impl Layer {
    pub(super) fn clear(&mut self) {
        self.configs.clear();
        self.next.clear();
        self.heads.clear();
        self.heads.resize(16, NONE);
        self.width = 0;
    }

    /// Adds a configuration, unless one is there that can do all it can. Its position.
    pub(super) fn insert(
        &mut self,
        config: Config,
        classes: Classes,
        crashed: &Crashed,
    ) -> Option<usize> {
        let swaps = config.open & classes.swaps;
        let head = self.head(&config, swaps);
        let mut at = self.heads[head];
        while at != NONE {
            let there = &mut self.configs[at as usize];
            at = self.next[at as usize];
            if there.value != config.value || there.open & classes.swaps != swaps {
                continue;
            }
            self.compared += 1;
            if classes.covers(there, &config) && crashed.dominates(there.used, config.used) {
                return None;
            }
            if classes.covers(&config, there) && crashed.dominates(config.used, there.used) {
                there.value = NONE;
                self.width -= 1;
            }
        }
        let at = self.configs.len();
        self.configs.push(config);
        self.next.push(std::mem::replace(&mut self.heads[head], at as u32));
        self.width += 1;
        if self.configs.len() > 4 * self.heads.len() {
            self.rehash(classes);
        }
        Some(at)
    }

    fn head(&self, config: &Config, swaps: Slots) -> usize {
        let mixed = u64::from(config.value) ^ (swaps as u64) << 8 ^ (swaps >> 64) as u64;
        let mixed = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (self.heads.len() - 1)
    }

    /// Makes room, and forgets what has become superfluous. Positions stay.
    fn rehash(&mut self, classes: Classes) {
        let size = 4 * self.heads.len();
        self.heads.clear();
        self.heads.resize(size, NONE);
        for at in 0..self.configs.len() {
            let config = self.configs[at];
            if config.value != NONE {
                let head = self.head(&config, config.open & classes.swaps);
                self.next[at] = std::mem::replace(&mut self.heads[head], at as u32);
            }
        }
    }

    /// The configuration at a position, unless it has become superfluous.
    pub(super) fn get(&self, at: usize) -> Option<Config> {
        Some(self.configs[at]).filter(|config| config.value != NONE)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Config> {
        self.configs.iter().copied().filter(|config| config.value != NONE)
    }

    /// Takes all out, the `most` cheapest by `cost` if there are more; whether any was lost.
    pub(super) fn drain_into(
        &mut self,
        to: &mut Vec<Config>,
        most: usize,
        cost: impl Fn(&Config) -> u32,
    ) -> bool {
        to.clear();
        to.extend(self.iter());
        let lost = to.len() > most;
        if lost {
            to.select_nth_unstable_by_key(most, cost);
            to.truncate(most);
        }
        self.clear();
        lost
    }
}
