//! Configurations, of which none makes another superfluous.

use super::index::Index;
use super::slots::Slots;
use super::space::StateId;
use super::used::{UsedId, UsedTable};

/// One way the calls so far may have gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Config<const W: usize> {
    /// The live calls that have taken effect.
    pub(super) done: Slots<W>,
    /// What the object holds.
    pub(super) state: StateId,
    /// The crashed calls that have taken effect.
    pub(super) used: UsedId,
}

/// Configurations before one return or several.
pub(super) struct Table<const W: usize> {
    entries: Vec<Entry<W>>,
    /// The last entry of each (layer, done, state).
    heads: Index,
    alive: usize,
    /// How many were compared with others: with many crashed calls, most of the work.
    pub(super) compared: u64,
}

#[derive(Clone, Copy)]
struct Entry<const W: usize> {
    config: Config<W>,
    layer: u32,
    /// The one before it that differs only in what it used.
    before: u32,
}

/// No entry; as a state, that of an entry which another made superfluous.
const NONE: u32 = u32::MAX;

impl<const W: usize> Default for Table<W> {
    fn default() -> Self {
        Self { entries: Vec::new(), heads: Index::default(), alive: 0, compared: 0 }
    }
}

impl<const W: usize> Table<W> {
    /// Adds a configuration, unless one is there that can do all it can.
    pub(super) fn insert(&mut self, layer: usize, config: Config<W>, used: &UsedTable) -> bool {
        let layer = layer as u32;
        let hash = hash(layer, &config);
        let entries = &self.entries;
        let alike = |at: u32| {
            let Entry { config: there, layer: its, .. } = entries[at as usize];
            its == layer && there.state == config.state && there.done == config.done
        };
        let head = self.heads.find(hash, alike);
        if head.is_some_and(|head| self.is_superfluous(head, config.used, used)) {
            return false;
        }
        let at = self.entries.len() as u32;
        match head {
            None => self.heads.insert(hash, at),
            Some(head) => self.heads.replace(hash, head, at),
        }
        let before = head.map_or(NONE, |head| self.prune(head, config.used, used));
        self.entries.push(Entry { config, layer, before });
        self.alive += 1;
        true
    }

    /// How many configurations there are.
    pub(super) fn width(&self) -> usize {
        self.alive
    }

    /// How many places there are, also of those that became superfluous.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// A configuration, unless it became superfluous since it was added.
    pub(super) fn get(&self, at: usize) -> Option<Config<W>> {
        let config = self.entries[at].config;
        (config.state != NONE).then_some(config)
    }

    /// All configurations.
    pub(super) fn iter(&self) -> impl Iterator<Item = Config<W>> {
        (0..self.entries.len()).filter_map(|at| self.get(at))
    }

    /// The configurations before one return.
    pub(super) fn of_layer(&self, layer: usize) -> impl Iterator<Item = Config<W>> {
        let here = move |&at: &usize| self.entries[at].layer == layer as u32;
        (0..self.entries.len()).filter(here).filter_map(|at| self.get(at))
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        if self.entries.capacity() > 64 * (self.entries.len() + 16) {
            self.entries = Vec::new();
        }
        self.entries.clear();
        self.heads.clear();
        self.alive = 0;
    }

    /// What it occupies.
    pub(super) fn bytes(&self) -> usize {
        self.entries.capacity() * size_of::<Entry<W>>() + self.heads.bytes()
    }

    fn is_superfluous(&mut self, head: u32, new: UsedId, used: &UsedTable) -> bool {
        let mut at = head;
        while at != NONE {
            let Entry { config, before, .. } = self.entries[at as usize];
            self.compared += 1;
            if used.within(config.used, new) {
                return true;
            }
            at = before;
        }
        false
    }

    /// Takes out what the new one makes superfluous; returns the first that is left.
    fn prune(&mut self, head: u32, new: UsedId, used: &UsedTable) -> u32 {
        let (mut first, mut last, mut at) = (NONE, NONE, head);
        while at != NONE {
            let Entry { config, before, .. } = self.entries[at as usize];
            if used.within(new, config.used) {
                self.entries[at as usize].config.state = NONE;
                self.alive -= 1;
            } else if last == NONE {
                (first, last) = (at, at);
            } else {
                self.entries[last as usize].before = at;
                last = at;
            }
            at = before;
        }
        if last != NONE {
            self.entries[last as usize].before = NONE;
        }
        first
    }
}

fn hash<const W: usize>(layer: u32, config: &Config<W>) -> u64 {
    let place = u64::from(config.state) << 32 | u64::from(layer);
    (config.done.folded().wrapping_mul(0x517c_c1b7_2722_0a95).rotate_left(29) ^ place)
        .wrapping_mul(0xd6e8_feb8_6659_fd93)
}
