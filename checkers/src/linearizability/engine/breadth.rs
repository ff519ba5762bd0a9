//! The search layer by layer: all ways the calls so far may have gone, from
//! return to return.
//!
//! Just-in-time linearization, after Wing and Gong, "Testing and verifying
//! concurrent objects" (1993), and Lowe, "Testing for linearizability"
//! (Concurrency and Computation 29(4), 2017): a call takes effect only when a
//! return asks for it. Memory is that of the widest layer, and the last layer
//! explains a failure. Where no call is live, a handful of configurations is all that is left of
//! the past.

use super::super::model::Model;
use super::plan::Start;
use super::table::{Config, Table};
use super::walk::Walk;

/// How a search ended.
pub(super) enum Ended<const W: usize> {
    /// There is an order.
    Ordered,
    /// There is none.
    Stuck {
        /// The return that no configuration survived.
        layer: usize,
        /// The configurations before it.
        open: Vec<Config<W>>,
    },
    /// The budget ran out before this return.
    Exhausted {
        /// Which return.
        layer: usize,
    },
}

/// Where things stood some returns before a failure.
pub(super) struct Checkpoint<const W: usize> {
    /// Before which return.
    pub(super) layer: usize,
    /// In how many ways.
    pub(super) configs: Vec<Config<W>>,
}

/// Returns from one checkpoint to the next.
const STRIDE: usize = 32;

/// A search layer by layer.
pub(super) struct Breadth<const W: usize> {
    /// Configurations in which the call that returns has taken effect, its slot free again.
    past: Table<W>,
    /// Those in which it has not.
    open: Table<W>,
    /// Whether states that no configuration holds any more may be forgotten.
    forgets: bool,
    /// The last two checkpoints, the older one first.
    pub(super) checkpoints: Vec<Checkpoint<W>>,
}

impl<const W: usize> Breadth<W> {
    pub(super) fn new() -> Self {
        let (past, open) = (Table::default(), Table::default());
        Self { past, open, forgets: true, checkpoints: Vec::new() }
    }

    /// One that leaves the names of states as they are.
    pub(super) fn faithful() -> Self {
        Self { forgets: false, ..Self::new() }
    }

    pub(super) fn run<M: Model>(
        &mut self,
        walk: &mut Walk<'_, '_, M, W>,
        starts: &[Start],
    ) -> Ended<W> {
        let mut frontier = walk.starts(starts);
        for layer in 0..walk.plan.returns.len() {
            if layer.is_multiple_of(STRIDE) {
                self.remember(layer, &frontier);
            }
            walk.cursor.seek(layer);
            if !self.expand(walk, &frontier) {
                return Ended::Exhausted { layer };
            }
            if self.past.width() == 0 {
                return Ended::Stuck { layer, open: self.open.iter().collect() };
            }
            frontier.clear();
            frontier.extend(self.past.iter());
            if self.forgets && walk.is_heavy() {
                let mut keep = vec![&mut frontier];
                keep.extend(self.checkpoints.iter_mut().map(|checkpoint| &mut checkpoint.configs));
                walk.forget_but(&mut keep);
            }
        }
        Ended::Ordered
    }

    /// Lets calls take effect until one that returns has; `false` if the budget ran out.
    fn expand<M: Model>(&mut self, walk: &mut Walk<'_, '_, M, W>, frontier: &[Config<W>]) -> bool {
        let due = walk.cursor.due();
        self.past.clear();
        self.open.clear();
        for &config in frontier {
            walk.steps += 1;
            self.place(walk, due, config);
        }
        let mut at = 0;
        while at < self.open.len() {
            let next = self.open.get(at);
            at += 1;
            // What was found superfluous since it was put here is skipped.
            let Some(config) = next else { continue };
            walk.steps += 1;
            let (bytes, compared) = (self.bytes(), self.past.compared + self.open.compared);
            if walk.is_spent(bytes, compared) {
                return false;
            }
            for at in walk.direct(config.state) {
                let next = walk.direct_move(at, config.used);
                if let Some(config) = walk.apply(config, next) {
                    self.place(walk, due, config);
                }
            }
            for at in walk.chained(config.state, config.used) {
                let next = walk.chained_move(at);
                if let Some(config) = walk.apply(config, next) {
                    self.place(walk, due, config);
                }
            }
        }
        !walk.is_spent(self.bytes(), self.past.compared + self.open.compared)
    }

    fn place<M: Model>(&mut self, walk: &mut Walk<'_, '_, M, W>, due: usize, config: Config<W>) {
        let config = walk.settle(config);
        if config.done.has(due) {
            let config = Config { done: config.done.without(due), ..config };
            self.past.insert(0, config, &walk.used);
        } else {
            self.open.insert(0, config, &walk.used);
        }
    }

    fn remember(&mut self, layer: usize, frontier: &[Config<W>]) {
        if self.checkpoints.len() == 2 {
            self.checkpoints.remove(0);
        }
        self.checkpoints.push(Checkpoint { layer, configs: frontier.to_vec() });
    }

    fn bytes(&self) -> usize {
        self.past.bytes() + self.open.bytes()
    }
}
