//! Registers and compare-and-set registers in general: a search for an order.
//!
//! The search walks the history from return to return and keeps every
//! configuration the calls so far may have led to: just-in-time linearization,
//! after Wing and Gong (1993) and Lowe, "Testing for linearizability"
//! (Concurrency and Computation 29(4), 2017), layer by layer, so that memory is
//! that of the widest layer and the last layer explains a failure. A call that returns must have
//! taken effect in every configuration that survives. Where no call is live, a
//! handful of configurations is all that is left of the past.
//!
//! The problem is NP-complete, so the search has a budget of steps and says
//! when it runs out, as it does when a layer outgrows its memory. It holds no clock.

use super::crashed::Crashed;
use super::frontier::{Config, Layer, Live, Slots};
use super::reduction::relevant;
use super::register::{Action, INITIAL, Op, ValueId};

/// The most configurations held at once, for the sake of memory: some 100 MB.
const WIDEST: usize = 1 << 20;

/// What a search found. Calls are positions in `Object::calls`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There is an order.
    Linearizable {
        /// Configurations looked at or compared.
        steps: u64,
    },
    /// There is none.
    Stuck(Stuck),
    /// The budget ran out first, in steps or in memory.
    Exhausted {
        /// How many returns were accounted for.
        returned: usize,
        /// The call at whose return the search stopped.
        call: u32,
    },
    /// More calls were live at once than the search can hold.
    TooWide {
        /// The call that was one too many.
        call: u32,
    },
}

/// Where no configuration was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// The call that returned and cannot have taken effect.
    pub call: u32,
    /// How many calls returned before it: the longest prefix that has an order.
    pub returned: usize,
    /// All that the register can have held since the return before, as values.
    pub held: Vec<ValueId>,
    /// The other live calls at that moment.
    pub pending: Vec<u32>,
    /// The first call after the last moment at which nothing was live.
    pub since: u32,
}

/// Judges the calls on one register whose values are `0..values`, in at most `budget` steps.
pub fn check(ops: &[Op], values: usize, budget: u64) -> Outcome {
    let outcome = order(&relevant(ops, values), values, budget);
    if !matches!(outcome, Outcome::Stuck(_)) {
        return outcome;
    }
    // Once more with every value under its own name, so that a person can follow.
    match order(ops, values, budget) {
        Outcome::Stuck(told) => Outcome::Stuck(told),
        _ => outcome,
    }
}

fn order(ops: &[Op], values: usize, budget: u64) -> Outcome {
    let mut returns: Vec<Op> = ops.iter().filter(|op| !op.crashed()).copied().collect();
    returns.sort_unstable_by_key(|op| op.end);
    let mut search = Search::new(values + 1, budget);
    let mut invocations = ops.iter().peekable();
    for (returned, op) in returns.iter().enumerate() {
        while let Some(next) = invocations.next_if(|next| next.start < op.end) {
            if !search.invoke(*next) {
                return Outcome::TooWide { call: next.call };
            }
        }
        match search.complete(*op) {
            Completion::Possible => {}
            Completion::Exhausted => return Outcome::Exhausted { returned, call: op.call },
            Completion::Impossible(held) => {
                return Outcome::Stuck(search.stuck(*op, returned, held, values));
            }
        }
    }
    Outcome::Linearizable { steps: search.steps }
}

enum Completion {
    Possible,
    Impossible(Layer),
    Exhausted,
}

struct Search {
    live: Live,
    /// The slot of each live call, by its end.
    slots: Vec<(u32, usize)>,
    crashed: Crashed,
    frontier: Layer,
    since: u32,
    steps: u64,
    budget: u64,
}

impl Search {
    fn new(values: usize, budget: u64) -> Self {
        let crashed = Crashed::new();
        let mut frontier = Layer::default();
        frontier.insert(Config { done: 0, value: INITIAL, used: 0 }, &crashed);
        let (live, slots) = (Live::new(values), Vec::new());
        Self { live, slots, crashed, frontier, since: 0, steps: 0, budget }
    }

    /// A call begins; `false` if there is no room for it.
    fn invoke(&mut self, op: Op) -> bool {
        if op.crashed() {
            self.crashed.invoke(op.action);
            return true;
        }
        if self.slots.is_empty() {
            self.since = op.call;
        }
        let slot = self.live.enter(op);
        self.slots.extend(slot.map(|slot| (op.end, slot)));
        slot.is_some()
    }

    /// A call returns: keeps the configurations in which it has taken effect.
    fn complete(&mut self, op: Op) -> Completion {
        let at = self.slots.iter().position(|&(end, _)| end == op.end);
        let (_, slot) = self.slots[at.expect("a call returns after it was invoked")];
        let mut layer = Expansion::new(1 << slot);
        for config in std::mem::take(&mut self.frontier).iter() {
            self.steps += 1;
            layer.place(self.live.settle(config), &self.crashed);
        }
        while let Some(config) = layer.next() {
            self.steps += 1;
            let successors = self.successors(config);
            let width = layer.width().max(self.crashed.combinations());
            if self.steps + layer.compared() > self.budget || width > WIDEST {
                return Completion::Exhausted;
            }
            for next in successors {
                layer.place(self.live.settle(next), &self.crashed);
            }
        }
        self.steps += layer.compared();
        if self.steps > self.budget {
            return Completion::Exhausted;
        }
        if layer.past.width == 0 {
            return Completion::Impossible(layer.open);
        }
        self.frontier = layer.past;
        self.live.leave(slot);
        self.slots.retain(|&(end, _)| end != op.end);
        Completion::Possible
    }

    /// All configurations one live call further, with the crashed calls it needs.
    fn successors(&mut self, config: Config) -> Vec<Config> {
        let mut next = Vec::new();
        for slot in self.live.pending(config.done) {
            if self.live.may_wait(slot, config.done) {
                continue;
            }
            let op = self.live.op(slot);
            let done = config.done | 1 << slot;
            let then = |value, used| Config { done, value, used };
            match op.action {
                Action::Write(value) => next.push(then(value, config.used)),
                Action::Cas(old, new) if old == config.value => next.push(then(new, config.used)),
                Action::Cas(old, new) => {
                    next.extend(self.reach(config, old).into_iter().map(|used| then(new, used)));
                }
                Action::Read(value) => {
                    next.extend(
                        self.reach(config, value).into_iter().map(|used| then(value, used)),
                    );
                }
                Action::Differs(value) => {
                    let ways = self.crashed.leave(value, config.used);
                    next.extend(ways.into_iter().map(|(value, used)| then(value, used)));
                }
            }
        }
        next
    }

    fn reach(&mut self, config: Config, value: ValueId) -> Vec<u32> {
        let Config { value: from, used, .. } = config;
        self.crashed.reach(from, value, used, &mut self.steps, self.budget)
    }

    fn stuck(&self, op: Op, returned: usize, held: Layer, values: usize) -> Stuck {
        let mut held: Vec<ValueId> = held.iter().map(|config| config.value).collect();
        held.sort_unstable();
        held.dedup();
        held.retain(|&value| (value as usize) < values);
        let others = self.live.pending(0).map(|slot| self.live.op(slot).call);
        let pending = others.filter(|&other| other != op.call).collect();
        Stuck { call: op.call, returned, held, pending, since: self.since }
    }
}

/// The making of the next layer.
struct Expansion {
    /// The call that returns.
    due: Slots,
    /// Configurations in which it has taken effect, its slot free again.
    past: Layer,
    /// Those in which it has not, and those of them still to look at.
    open: Layer,
    todo: Vec<Config>,
}

impl Expansion {
    fn new(due: Slots) -> Self {
        Self { due, past: Layer::default(), open: Layer::default(), todo: Vec::new() }
    }

    fn place(&mut self, config: Config, crashed: &Crashed) {
        if config.done & self.due != 0 {
            self.past.insert(Config { done: config.done & !self.due, ..config }, crashed);
        } else if self.open.insert(config, crashed) {
            self.todo.push(config);
        }
    }

    fn width(&self) -> usize {
        self.past.width + self.open.width
    }

    fn compared(&self) -> u64 {
        self.past.compared + self.open.compared
    }

    fn next(&mut self) -> Option<Config> {
        // What was found superfluous since it was put here is skipped.
        std::iter::from_fn(|| self.todo.pop()).find(|&config| self.open.contains(config))
    }
}
