//! Whether the calls on a register can be ordered so that every read returns one of the last k
//! values: exactly, by search, within a budget.
//!
//! Where the values are set in some order, reads need no search: a read of a value can take its place at
//! once, if the value is there when the read begins, and else as soon as it is set. So an order is good
//! if each value is set before the next deadline of those that are still to come, which needs its
//! call to have begun by then; if the value that is forgotten by it, the k-th before it, is seen by no call
//! that begins after that deadline; and if what a swap found is among the last k.
//!
//! The search goes depth first, the next deadline first. It remembers what it was in vain to go on
//! from: which values are set, and which are the last k. Few can be set long before their deadline, since
//! what is still to be seen takes up one of the k places.

use std::collections::BTreeSet;

use rustc_hash::FxHashSet;

use super::op::{NEVER, Point};
use super::stretches::{Life, stretches};

/// Whether some order has every value seen only while it is among the last `k`; `None` where the
/// budget, in looks at a value, does not suffice. The values come by deadline.
pub(super) fn within(lives: &[Life], k: usize, budget: &mut u64) -> Option<bool> {
    for stretch in stretches(lives) {
        if !Search::new(&stretch, k).succeeds(budget)? {
            return Some(false);
        }
    }
    Some(true)
}

/// One stretch's values by deadline, some of them set.
struct Search<'a> {
    lives: &'a [Life],
    k: usize,
    /// The values that are set, in this order.
    order: Vec<usize>,
    /// All before this one are set.
    first: usize,
    /// Those behind it that are set, too.
    ahead: BTreeSet<usize>,
    by_start: Vec<usize>,
    /// How many have begun before the next deadline.
    begun: usize,
    /// Those of them that are not set.
    open: BTreeSet<usize>,
    /// By value, how many are still to be swapped for it.
    awaited: Vec<u32>,
    /// What it was in vain to go on from.
    vain: FxHashSet<Vec<usize>>,
}

impl<'a> Search<'a> {
    fn new(lives: &'a [Life], k: usize) -> Self {
        let mut by_start: Vec<usize> = (0..lives.len()).collect();
        by_start.sort_by_key(|&value| lives[value].start);
        let mut awaited = vec![0; lives.len()];
        lives.iter().filter_map(|life| life.before).for_each(|before| awaited[before] += 1);
        let mut search = Self {
            lives,
            k,
            order: Vec::new(),
            first: 0,
            ahead: BTreeSet::new(),
            by_start,
            begun: 0,
            open: BTreeSet::new(),
            awaited,
            vain: FxHashSet::default(),
        };
        search.begin();
        search
    }

    fn succeeds(&mut self, budget: &mut u64) -> Option<bool> {
        // Of each step, what it has not tried to set.
        let mut steps = vec![self.choices(budget)?];
        while let Some(choices) = steps.last_mut() {
            if self.order.len() == self.lives.len() {
                return Some(true);
            }
            let Some(value) = choices.pop() else {
                self.vain.insert(self.here());
                steps.pop();
                self.take_back();
                continue;
            };
            self.set(value);
            match self.vain.contains(&self.here()) {
                true => self.take_back(),
                false => steps.push(self.choices(budget)?),
            }
        }
        Some(false)
    }

    /// What can be set now, the next deadline last.
    fn choices(&self, budget: &mut u64) -> Option<Vec<usize>> {
        *budget = budget.checked_sub((self.open.len() + self.k) as u64)?;
        let last = &self.order[self.order.len().saturating_sub(self.k)..];
        let forgotten = last.first().copied().filter(|_| last.len() == self.k);
        let fits = |&value: &usize| {
            let before = self.lives[value].before;
            let forgets = |old: usize| {
                let awaited = self.awaited[old] - u32::from(before == Some(old));
                self.lives[old].seen < self.deadline() && awaited == 0
            };
            before.is_none_or(|before| last.contains(&before)) && forgotten.is_none_or(forgets)
        };
        Some(self.open.iter().rev().copied().filter(fits).collect())
    }

    fn deadline(&self) -> Point {
        self.lives.get(self.first).map_or(NEVER, |life| life.end)
    }

    fn set(&mut self, value: usize) {
        self.order.push(value);
        self.open.remove(&value);
        if let Some(before) = self.lives[value].before {
            self.awaited[before] -= 1;
        }
        self.ahead.insert(value);
        while self.ahead.remove(&self.first) {
            self.first += 1;
        }
        self.begin();
    }

    /// Opens what has begun before the next deadline.
    fn begin(&mut self) {
        while let Some(&value) = self.by_start.get(self.begun) {
            if self.lives[value].start > self.deadline() {
                break;
            }
            self.open.insert(value);
            self.begun += 1;
        }
    }

    /// Takes back the last value that was set, if any was.
    fn take_back(&mut self) {
        let Some(value) = self.order.pop() else { return };
        if let Some(before) = self.lives[value].before {
            self.awaited[before] += 1;
        }
        if value < self.first {
            self.ahead.extend(value + 1..self.first);
            self.first = value;
        } else {
            self.ahead.remove(&value);
        }
        self.open.insert(value);
        while self.begun > 0 && self.lives[self.by_start[self.begun - 1]].start > self.deadline() {
            self.begun -= 1;
            self.open.remove(&self.by_start[self.begun]);
        }
    }

    /// Which values are set, and which were the last: all that matters of the way here.
    fn here(&self) -> Vec<usize> {
        let last = &self.order[self.order.len().saturating_sub(self.k)..];
        let parts = [self.first].into_iter().chain(last.iter().copied());
        parts.chain(self.ahead.iter().copied()).collect()
    }
}
