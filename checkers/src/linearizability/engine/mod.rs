//! The general search: whether the calls on any object have an order.
//!
//! It takes a [`Model`] and its calls and knows nothing else of the object; what a model can
//! decide by itself ([`Model::decide`]) never comes here. The problem is NP-complete, so the search has
//! a budget in steps and in memory, and says when it runs out and how far it got. It holds
//! no clock: the same calls and the same budget give the same answer.
//!
//! - A short search into [`depth`] first: where there is an order, it is mostly found at once.
//! - Otherwise the [`breadth`]-first search, whose last layer explains a failure, beside a
//!   longer search into depth, one on each of two cores.
//! - [`walk`] has what they share: how crashed calls are kept from doubling the work, each.
//! - [`witness`] shrinks a failure to the calls that show it.

mod breadth;
mod depth;
mod index;
mod plan;
mod slots;
mod space;
mod table;
mod used;
mod walk;
mod witness;

use std::sync::atomic::{AtomicBool, Ordering};

use rustc_hash::FxHashMap;

use super::model::{Model, Op};
use breadth::{Breadth, Ended};
use depth::Depth;
use plan::{Plan, Problem, Start, TooWide};
use space::{ClassId, Space};
use table::Config;
use walk::{Limits, Walk};

/// How much a search may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Configurations that it may look at or compare: some 50 ns each, a microsecond at the worst.
    pub steps: u64,
    /// Memory that it may fill, in bytes, nearly.
    pub bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { steps: 20_000_000, bytes: 512 << 20 }
    }
}

/// What a search found. Calls are positions in the slice that was searched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<S> {
    /// There is an order.
    Linearizable {
        /// Configurations looked at or compared by the search that found it.
        steps: u64,
    },
    /// There is none.
    Stuck(Box<Stuck<S>>),
    /// The budget ran out first.
    Exhausted {
        /// How many returns were accounted for: so many have an order.
        returned: usize,
        /// The call at whose return the search stopped.
        call: usize,
    },
    /// More calls were live at once than the search can hold.
    TooWide {
        /// The call that was one too many.
        call: usize,
    },
}

/// Where there was no way on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck<S> {
    /// The call that returned and cannot have taken effect.
    pub call: usize,
    /// How many calls returned before it: the longest prefix that has an order.
    pub returned: usize,
    /// What the object may have held just before, in any order of the calls so far; the first few.
    pub held: Vec<S>,
    /// In how many different ways that is.
    pub ways: usize,
    /// The other live calls at that moment.
    pub pending: Vec<usize>,
    /// The calls that show it, if there was budget enough to find out.
    pub witness: Option<Witness<S>>,
    /// Configurations looked at or compared.
    pub steps: u64,
}

/// Calls that have no order either, whatever the others did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness<S> {
    /// Which: of no answered one among them could the answer be forgotten. Also those that might have
    /// helped, and do not.
    pub calls: Vec<usize>,
    /// What the object may have held where they begin, the first few; `None` where they begin with the history.
    pub before: Option<Vec<S>>,
}

/// The most calls that can be live at once.
pub const WIDEST: usize = 64 * WIDE;

/// Words in a set of live calls, where there are many.
const WIDE: usize = 4;

/// The most states that a failure lists.
const LISTED: usize = 10;

/// Looks for an order of the calls on one object, given in the order of their invocations.
pub fn search<M: Model>(model: &M, ops: &[Op<M::Call>], budget: &Budget) -> Outcome<M::State> {
    let (classes, ops) = classify(ops);
    let start = Start { state: Space::<M>::INITIAL, done: Vec::new(), used: Vec::new() };
    let problem = Problem { ops, starts: vec![start] };
    let engine = Engine { model, classes: &classes, problem: &problem, budget };
    let looks = |class: ClassId| model.looks(&classes[class as usize]);
    if let Ok(plan) = Plan::<1>::new(&problem.ops, looks) {
        return engine.search(&plan);
    }
    match Plan::<WIDE>::new(&problem.ops, looks) {
        Ok(plan) => engine.search(&plan),
        Err(TooWide(call)) => Outcome::TooWide { call: call as usize },
    }
}

/// The different calls, and each call as one of them.
fn classify<C: Clone + Eq + std::hash::Hash>(ops: &[Op<C>]) -> (Vec<C>, Vec<Op<ClassId>>) {
    let mut ids: FxHashMap<&C, ClassId> = FxHashMap::default();
    let mut classes = Vec::new();
    let mut classified = Vec::with_capacity(ops.len());
    for (number, op) in (0..).zip(ops) {
        let call = *ids.entry(&op.call).or_insert_with(|| {
            classes.push(op.call.clone());
            classes.len() as ClassId - 1
        });
        classified.push(Op { call, start: op.start, end: op.end, number });
    }
    (classes, classified)
}

/// A search for an order, in several attempts.
struct Engine<'a, M: Model> {
    model: &'a M,
    classes: &'a [M::Call],
    problem: &'a Problem,
    budget: &'a Budget,
}

/// What a breadth-first search leaves behind.
struct Layers<S, const W: usize> {
    ended: Ended<W>,
    steps: u64,
    stuck: Option<Box<Stuck<S>>>,
}

impl<M: Model> Engine<'_, M> {
    fn search<const W: usize>(&self, plan: &Plan<W>) -> Outcome<M::State> {
        // Some moves a call are enough where there is an order and no call crashed.
        let short = (32 * self.problem.ops.len() as u64 + 1_000).min(self.budget.steps);
        let never = AtomicBool::new(false);
        let half = self.budget.bytes / 2;
        let limits = Limits { steps: short, bytes: self.budget.bytes, stop: &never };
        let (ended, steps) = self.depth(plan, limits, |_, _| None);
        match ended {
            (Ended::Ordered, _) => return Outcome::Linearizable { steps },
            (Ended::Stuck { .. }, _) => {
                let limits =
                    Limits { steps: self.budget.steps, bytes: self.budget.bytes, stop: &never };
                let layers = self.breadth(plan, limits);
                return self.decide(plan, (ended.0, None, steps), layers);
            }
            _ => {}
        }
        let (done_depth, done_breadth) = (AtomicBool::new(false), AtomicBool::new(false));
        let limits = |stop| Limits { steps: self.budget.steps, bytes: half, stop };
        let (deep, layers) = rayon::join(
            || {
                let explain = |walk: &Walk<M, W>, ended: &Ended<W>| self.told(walk, ended);
                let (ended, steps) = self.depth(plan, limits(&done_depth), explain);
                if matches!(ended.0, Ended::Ordered) {
                    done_breadth.store(true, Ordering::Relaxed);
                }
                (ended.0, ended.1, steps)
            },
            || {
                let layers = self.breadth(plan, limits(&done_breadth));
                if !matches!(layers.ended, Ended::Exhausted { .. }) {
                    done_depth.store(true, Ordering::Relaxed);
                }
                layers
            },
        );
        self.decide(plan, deep, layers)
    }

    /// The better of two answers: they never contradict each other.
    fn decide<const W: usize>(
        &self,
        plan: &Plan<W>,
        deep: (Ended<W>, Option<Box<Stuck<M::State>>>, u64),
        layers: Layers<M::State, W>,
    ) -> Outcome<M::State> {
        let at = |layer: usize| Outcome::Exhausted {
            returned: layer,
            call: plan.returns[layer].op as usize,
        };
        match (deep, layers) {
            ((Ended::Ordered, _, steps), _) => Outcome::Linearizable { steps },
            (_, Layers { ended: Ended::Ordered, steps, .. }) => Outcome::Linearizable { steps },
            (_, Layers { stuck: Some(stuck), .. }) => Outcome::Stuck(stuck),
            ((_, Some(stuck), _), _) => Outcome::Stuck(stuck),
            ((deep, ..), layers) => match (deep, layers.ended) {
                (Ended::Exhausted { layer: deep }, Ended::Exhausted { layer }) => {
                    at(deep.max(layer))
                }
                (_, Ended::Exhausted { layer }) => at(layer),
                _ => unreachable!("a search that is stuck tells where"),
            },
        }
    }

    #[expect(clippy::type_complexity, reason = "how it ended, what it may tell, and its steps")]
    fn depth<const W: usize>(
        &self,
        plan: &Plan<W>,
        limits: Limits,
        explain: impl Fn(&Walk<M, W>, &Ended<W>) -> Option<Box<Stuck<M::State>>>,
    ) -> ((Ended<W>, Option<Box<Stuck<M::State>>>), u64) {
        let mut space = Space::new(self.model, self.classes);
        let mut walk = Walk::new(&mut space, plan, limits);
        let ended = Depth::new().run(&mut walk, &self.problem.starts);
        let told = explain(&walk, &ended);
        ((ended, told), walk.steps)
    }

    fn breadth<const W: usize>(&self, plan: &Plan<W>, limits: Limits) -> Layers<M::State, W> {
        let mut space = Space::new(self.model, self.classes);
        let mut walk = Walk::new(&mut space, plan, limits);
        let mut breadth = Breadth::new();
        let ended = breadth.run(&mut walk, &self.problem.starts);
        let (steps, stuck) = (walk.steps, self.told(&walk, &ended));
        let stuck = stuck.map(|mut stuck| {
            let window = witness::window(&mut walk, &breadth.checkpoints, stuck.call);
            stuck.witness = window.and_then(|window| witness::shrink(walk.space, window));
            stuck
        });
        Layers { ended, steps, stuck }
    }

    /// What is to be told of a failure.
    fn told<const W: usize>(
        &self,
        walk: &Walk<M, W>,
        ended: &Ended<W>,
    ) -> Option<Box<Stuck<M::State>>> {
        let Ended::Stuck { layer, open } = ended else { return None };
        let mut states: Vec<_> = open.iter().map(|config: &Config<W>| config.state).collect();
        states.sort_unstable();
        states.dedup();
        let held = states.iter().take(LISTED).map(|&id| walk.space.state(id).clone()).collect();
        let mut pending: Vec<usize> = walk.live_at(*layer).iter().map(|&op| op as usize).collect();
        let call = walk.plan.returns[*layer].op as usize;
        pending.retain(|&other| other != call);
        let (ways, steps) = (states.len(), walk.steps);
        let returned = *layer;
        Some(Box::new(Stuck { call, returned, held, ways, pending, witness: None, steps }))
    }
}
