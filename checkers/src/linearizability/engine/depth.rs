//! The search into depth: one way the calls may have gone, to its end, and back
//! where it led nowhere.
//!
//! It tries first what returns first, and crashed calls last, and so finds an order
//! fast where there is one. It remembers where it has been, so it does no more than the search
//! layer by layer; but that takes memory for the whole history, not for one layer.

use super::super::model::Model;
use super::breadth::Ended;
use super::plan::Start;
use super::table::{Config, Table};
use super::walk::{Move, Walk};

/// A search into depth.
pub(super) struct Depth<const W: usize> {
    been: Table<W>,
    frames: Vec<Frame<W>>,
    /// The farthest return that anything led to.
    deepest: usize,
}

/// A configuration on the way, and how many of its moves were tried.
struct Frame<const W: usize> {
    config: Config<W>,
    layer: u32,
    tried: u32,
}

impl<const W: usize> Depth<W> {
    pub(super) fn new() -> Self {
        Self { been: Table::default(), frames: Vec::new(), deepest: 0 }
    }

    pub(super) fn run<M: Model>(
        &mut self,
        walk: &mut Walk<'_, '_, M, W>,
        starts: &[Start],
    ) -> Ended<W> {
        for config in walk.starts(starts) {
            if self.visit(walk, 0, config) {
                return Ended::Ordered;
            }
            while let Some(frame) = self.frames.last_mut() {
                let (config, layer) = (frame.config, frame.layer as usize);
                let tried = frame.tried as usize;
                frame.tried += 1;
                walk.cursor.seek(layer);
                let Some(next) = nth(walk, config, tried) else {
                    self.frames.pop();
                    continue;
                };
                let Some(config) = walk.apply(config, next) else { continue };
                if self.visit(walk, layer, config) {
                    return Ended::Ordered;
                }
                if walk.is_spent(self.bytes(), self.been.compared) {
                    return Ended::Exhausted { layer: self.deepest };
                }
            }
        }
        if walk.is_spent(self.bytes(), self.been.compared) {
            return Ended::Exhausted { layer: self.deepest };
        }
        let open = self.been.of_layer(self.deepest).collect();
        Ended::Stuck { layer: self.deepest, open }
    }

    /// Goes on to the next return that the configuration does not fulfil yet; `true` at the end.
    fn visit<M: Model>(
        &mut self,
        walk: &mut Walk<'_, '_, M, W>,
        mut layer: usize,
        mut config: Config<W>,
    ) -> bool {
        walk.steps += 1;
        while layer < walk.plan.returns.len() {
            walk.cursor.seek(layer);
            config = walk.settle(config);
            let due = walk.cursor.due();
            if !config.done.has(due) {
                self.deepest = self.deepest.max(layer);
                if self.been.insert(layer, config, &walk.used) {
                    self.frames.push(Frame { config, layer: layer as u32, tried: 0 });
                }
                return false;
            }
            config.done = config.done.without(due);
            layer += 1;
        }
        true
    }

    fn bytes(&self) -> usize {
        self.been.bytes() + self.frames.capacity() * size_of::<Frame<W>>()
    }
}

/// The moves from a configuration one by one, crashed calls last.
fn nth<M: Model, const W: usize>(
    walk: &mut Walk<'_, '_, M, W>,
    config: Config<W>,
    nth: usize,
) -> Option<Move> {
    let direct = walk.direct(config.state);
    if nth < direct.len() {
        return Some(walk.direct_move(direct.start + nth, config.used));
    }
    let chained = walk.chained(config.state, config.used);
    chained.skip(nth - direct.len()).next().map(|at| walk.chained_move(at))
}
