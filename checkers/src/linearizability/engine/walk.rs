//! What both ways of searching do at a place of the history: let calls look,
//! and list the calls that may take effect next.
//!
//! A crashed call is only ever used right before a live one, and only where the
//! two could not as well go the other way round. Of all orders that explain a history, take one with
//! the fewest crashed calls, and of those one in which they come as late as
//! possible. Let a crashed call x in it lead from state s to s', and the
//! next call y from s' to s". If y also led from s to s", then x could be left out; if it led
//! from s to a state from which x leads to s", then x could come later, as it never
//! ends, and y earlier, as x precedes nothing. So neither is the case, and such a pair need
//! not be tried. Nothing is assumed of the object. For a register it comes to
//! this: a crashed call is used only where a live one needs the value it sets.

use std::sync::atomic::{AtomicBool, Ordering};

use rustc_hash::FxHashMap;

use super::super::model::Model;
use super::plan::{Cursor, Plan, Start};
use super::slots::Slots;
use super::space::{Space, StateId};
use super::table::Config;
use super::used::{KindId, UNUSED, UsedId, UsedTable};

/// How far a search may go.
pub(super) struct Limits<'a> {
    /// Configurations looked at or compared.
    pub(super) steps: u64,
    /// Memory.
    pub(super) bytes: usize,
    /// Set by whoever needs its answer no more.
    pub(super) stop: &'a AtomicBool,
}

/// A search at a place of a history.
pub(super) struct Walk<'a, 'm, M: Model, const W: usize> {
    pub(super) space: &'a mut Space<'m, M>,
    pub(super) plan: &'a Plan<W>,
    pub(super) cursor: Cursor<'a, W>,
    pub(super) used: UsedTable,
    pub(super) steps: u64,
    limits: Limits<'a>,
    /// What is known of each state at this place, and for which stamp.
    row_of: Vec<(u64, u32)>,
    rows: Vec<Row<W>>,
    direct: Vec<(u16, StateId)>,
    chained: FxHashMap<(StateId, UsedId), (u32, u32)>,
    chains: Vec<Move>,
    stamp: u64,
}

/// A state at a place.
#[derive(Clone, Copy)]
struct Row<const W: usize> {
    /// The live calls that only look, and find what they found.
    seen: Slots<W>,
    direct: Option<(u32, u32)>,
}

/// A live call that may take effect next, after the crashed calls it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Move {
    /// The call's slot.
    pub(super) slot: u16,
    /// What the object holds then.
    pub(super) state: StateId,
    /// The crashed calls used then.
    pub(super) used: UsedId,
}

/// A state reached by crashed calls alone.
#[derive(Clone, Copy)]
struct Link {
    state: StateId,
    used: UsedId,
    /// The last crashed call, and the state before it.
    last: Option<(StateId, KindId)>,
}

impl<'a, 'm, M: Model, const W: usize> Walk<'a, 'm, M, W> {
    pub(super) fn new(space: &'a mut Space<'m, M>, plan: &'a Plan<W>, limits: Limits<'a>) -> Self {
        Self {
            space,
            plan,
            cursor: Cursor::new(plan),
            used: UsedTable::new(&plan.totals),
            steps: 0,
            limits,
            row_of: Vec::new(),
            rows: Vec::new(),
            direct: Vec::new(),
            chained: FxHashMap::default(),
            chains: Vec::new(),
            stamp: 0,
        }
    }

    /// The configurations before the first return.
    pub(super) fn starts(&mut self, starts: &[Start]) -> Vec<Config<W>> {
        let mut configs = Vec::new();
        for start in starts {
            let slots = start.done.iter().map(|&op| self.plan.slot(op));
            let done = slots.fold(Slots::NONE, |done, slot| done.with(slot));
            let mut used = UNUSED;
            for class in &start.used {
                let kind = self.plan.kinds.iter().position(|kind| kind == class);
                used = kind.map_or(used, |kind| self.used.plus(used, kind as KindId));
            }
            configs.push(Config { done, state: start.state, used });
        }
        configs
    }

    /// The live calls before a return, by position.
    pub(super) fn live_at(&self, layer: usize) -> Vec<u32> {
        let mut cursor = Cursor::new(self.plan);
        cursor.seek(layer);
        cursor.order.iter().map(|&slot| cursor.op(slot.into())).collect()
    }

    /// Whether the budget is used up, given what the tables hold and compared.
    pub(super) fn is_spent(&self, bytes: usize, compared: u64) -> bool {
        self.steps + compared > self.limits.steps
            || self.bytes() + bytes > self.limits.bytes
            || self.limits.stop.load(Ordering::Relaxed)
    }

    /// The states' part in memory grew large enough to be worth a clearing out.
    pub(super) fn is_heavy(&self) -> bool {
        self.bytes() > self.limits.bytes / 4
    }

    fn bytes(&self) -> usize {
        let rows = size_of_val(&*self.row_of) + size_of_val(&*self.chains);
        self.space.bytes() + self.used.bytes() + self.plan.bytes() + rows
    }

    /// Lets every call look that can: what only looks may as well look at once.
    pub(super) fn settle(&mut self, config: Config<W>) -> Config<W> {
        let row = self.row(config.state);
        Config { done: config.done.or(self.rows[row].seen), ..config }
    }

    /// The live calls that may take effect next without any crashed one: call them by
    /// [`Walk::direct_move`].
    pub(super) fn direct(&mut self, state: StateId) -> std::ops::Range<usize> {
        let row = self.row(state);
        let (from, to) = match self.rows[row].direct {
            Some(range) => range,
            None => {
                let from = self.direct.len() as u32;
                for at in 0..self.cursor.order.len() {
                    let slot = self.cursor.order[at];
                    let class = self.cursor.class[usize::from(slot)];
                    self.direct.extend(self.space.after(state, class).map(|then| (slot, then)));
                }
                let range = (from, self.direct.len() as u32);
                self.rows[row].direct = Some(range);
                range
            }
        };
        from as usize..to as usize
    }

    /// One of [`Walk::direct`].
    pub(super) fn direct_move(&self, at: usize, used: UsedId) -> Move {
        let (slot, state) = self.direct[at];
        Move { slot, state, used }
    }

    /// The live calls that may take effect right after crashed ones: call them by [`Walk::chained_move`].
    pub(super) fn chained(&mut self, state: StateId, used: UsedId) -> std::ops::Range<usize> {
        if self.cursor.invoked.iter().all(|&invoked| invoked == 0) {
            return 0..0;
        }
        self.refresh();
        let (from, to) = match self.chained.get(&(state, used)) {
            Some(&range) => range,
            None => {
                let from = self.chains.len() as u32;
                self.follow(state, used);
                let range = (from, self.chains.len() as u32);
                self.chained.insert((state, used), range);
                range
            }
        };
        from as usize..to as usize
    }

    /// One of [`Walk::chained`].
    pub(super) fn chained_move(&self, at: usize) -> Move {
        self.chains[at]
    }

    /// The configuration after a move; `None` if the call has happened already, or another should go first.
    pub(super) fn apply(&mut self, config: Config<W>, next: Move) -> Option<Config<W>> {
        let slot = usize::from(next.slot);
        if config.done.has(slot) || !self.cursor.may_go(slot, &config.done) {
            return None;
        }
        Some(Config { done: config.done.with(slot), state: next.state, used: next.used })
    }

    /// Tries crashed calls in every order that leads anywhere.
    fn follow(&mut self, state: StateId, used: UsedId) {
        let mut links = vec![Link { state, used, last: None }];
        let mut at = 0;
        while at < links.len() && self.steps <= self.limits.steps {
            let here = links[at];
            at += 1;
            for kind in 0..self.plan.kinds.len() as KindId {
                if self.used.count(here.used, kind) == self.cursor.invoked[kind as usize] {
                    continue;
                }
                self.steps += 1;
                let class = self.plan.kinds[kind as usize];
                for then in self.space.after(here.state, class) {
                    self.link(&mut links, here, kind, then);
                }
            }
            if let Some((before, kind)) = here.last {
                self.live_after(here, before, kind);
            }
        }
    }

    /// Adds a state reached by one more crashed call, unless it was reached with less.
    fn link(&mut self, links: &mut Vec<Link>, here: Link, kind: KindId, then: StateId) {
        let class = self.plan.kinds[kind as usize];
        let idle = then == here.state
            || here.last.is_some_and(|(before, _)| self.space.leads(before, class, then));
        if idle {
            return;
        }
        let used = self.used.plus(here.used, kind);
        let alike = links.iter().filter(|link| link.state == then);
        if !alike.into_iter().any(|link| self.used.within(link.used, used)) {
            links.push(Link { state: then, used, last: Some((here.state, kind)) });
        }
        self.steps += links.len() as u64 / 16;
    }

    /// The live calls that may come right after the crashed call that led here from `before`.
    fn live_after(&mut self, here: Link, before: StateId, kind: KindId) {
        let crashed = self.plan.kinds[kind as usize];
        for at in 0..self.cursor.order.len() {
            let slot = self.cursor.order[at];
            let class = self.cursor.class[usize::from(slot)];
            for then in self.space.after(here.state, class) {
                let mut idle = self.space.leads(before, class, then);
                for early in self.space.after(before, class) {
                    idle |= self.space.leads(early, crashed, then);
                }
                if !idle {
                    self.chains.push(Move { slot, state: then, used: here.used });
                }
            }
        }
    }

    /// What is known of a state at this place.
    fn row(&mut self, state: StateId) -> usize {
        self.refresh();
        if let Some(&(stamp, row)) = self.row_of.get(state as usize)
            && stamp == self.stamp
        {
            return row as usize;
        }
        let mut seen = Slots::NONE;
        for at in 0..self.cursor.order.len() {
            let slot = usize::from(self.cursor.order[at]);
            let class = self.cursor.class[slot];
            if self.space.looks(class) && self.space.leads(state, class, state) {
                seen = seen.with(slot);
            }
        }
        if self.row_of.len() <= state as usize {
            self.row_of.resize(self.space.len().max(state as usize + 1), (0, 0));
        }
        let row = self.rows.len();
        self.row_of[state as usize] = (self.stamp, row as u32);
        self.rows.push(Row { seen, direct: None });
        row
    }

    /// Forgets what was known at another place.
    fn refresh(&mut self) {
        if self.stamp != self.cursor.stamp {
            self.stamp = self.cursor.stamp;
            self.rows.clear();
            self.direct.clear();
            if !self.chained.is_empty() {
                self.chained.clear();
                self.chains.clear();
            }
        }
    }

    /// Forgets the states and used vectors of all configurations but these, and renames theirs.
    pub(super) fn forget_but<'c>(&mut self, configs: &mut [&'c mut Vec<Config<W>>]) {
        let all = || configs.iter().flat_map(|configs| configs.iter());
        let states = self.space.forget_but(all().map(|config| config.state));
        let used = self.used.forget_but(all().map(|config| config.used));
        for config in configs.iter_mut().flat_map(|configs| configs.iter_mut()) {
            config.state = states[config.state as usize];
            config.used = used[config.used as usize];
        }
        self.row_of.clear();
        self.cursor.stamp += 1;
    }
}
