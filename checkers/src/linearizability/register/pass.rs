//! One walk through a history from return to return, with the configurations that are possible.
//!
//! A call takes effect as late as can be: right before a return that needs it. That a return
//! needs little is what keeps the configurations few:
//!
//! - *Owed writes.* A write that is open when another write takes effect may have taken effect
//!   right before it, unnoticed; so it may when the register holds its value anyway. From then on
//!   it is not owed any more: at its return it may be left out, and until then it may still be
//!   used, like a crashed one. So every write of a layer need not be told before or after every
//!   other.
//! - *Wanted values.* Before the call that returns, a write takes effect only if an open call
//!   needs its value. Otherwise the next call that changes the register is another write (it is
//!   no swap, for that would need the value; and there is one, or the call that returns is a read
//!   of the value). Leave the first out: it is open still and not owed any more, which is no
//!   worse. Likewise a crashed call takes effect only where a call needs its value,
//!   or a crashed swap that is needed itself.
//! - *Twins.* Of two open calls that do the same, the one that returns first goes first, and
//!   a crashed one last: what is left can be used for longer.

use super::crashed::{Counted, Crashed};
use super::frontier::{Config, Layer, Slots, Standing};
use super::live::Live;
use super::op::{Action, Op, ValueId};
use super::search::Stuck;

/// What a walk is through: a history, or a leg of one.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    /// The calls that begin there, in the order of their invocations.
    pub(super) ops: &'a [Op],
    /// Those that return there, in that order.
    pub(super) returns: &'a [Op],
    /// How many values there are.
    pub(super) values: usize,
    /// What of it.
    pub(super) walk: Walk,
}

/// How much of a history a walk looks at.
#[derive(Clone, Copy)]
pub(super) struct Walk {
    /// The most configurations to keep.
    pub(super) most: usize,
    /// The crashed calls that can run out.
    pub(super) counted: Counted,
}

/// How a walk ended.
pub(super) enum End {
    /// Some configuration was left, to the end or until enough was seen.
    Survived,
    /// None was, and none had been lost.
    Impossible(Stuck),
    /// None was left at the return of a call, after so many, but some had been lost.
    Lost(usize, u32),
    /// A call for which there was no slot.
    TooWide(u32),
}

/// A walk under way.
pub(super) struct Pass<'a> {
    scope: Scope<'a>,
    live: Live,
    /// The slot of each live call, by its end.
    slots: Vec<(u32, usize)>,
    /// Calls invoked since the last return, and the writes among them.
    begun: Slots,
    owed: Slots,
    crashed: Crashed,
    frontier: Vec<Config>,
    /// Configurations in which the call that returns has taken effect, its slot free again.
    past: Layer,
    /// Those in which it has not, and those of them still to look at.
    here: Layer,
    todo: Vec<usize>,
    successors: Vec<Config>,
    /// Whether any configuration was left out.
    lost: bool,
    steps: u64,
    budget: u64,
}

impl<'a> Pass<'a> {
    /// A walk that goes on from where things stand.
    ///
    /// The live calls are fewer than there are slots, and each has that of its number.
    pub(super) fn new(scope: Scope<'a>, from: Standing, budget: u64) -> Self {
        let mut walk = Self {
            scope,
            live: Live::new(scope.values),
            slots: Vec::new(),
            begun: 0,
            owed: 0,
            crashed: Crashed::new(scope.ops, scope.values, scope.walk.counted),
            frontier: from.frontier,
            past: Layer::default(),
            here: Layer::default(),
            todo: Vec::new(),
            successors: Vec::new(),
            lost: false,
            steps: 0,
            budget,
        };
        for op in from.live {
            let slot = walk.live.enter(op).expect("what was live had a slot");
            walk.slots.push((op.end, slot));
        }
        walk
    }

    /// Walks until `enough` says so of the number of a return and the configurations after it.
    pub(super) fn run(&mut self, mut enough: impl FnMut(usize, &[Config]) -> bool) -> End {
        let mut invocations = self.scope.ops.iter().peekable();
        for (returned, op) in self.scope.returns.iter().enumerate() {
            while let Some(next) = invocations.next_if(|next| next.start < op.end) {
                if !self.invoke(*next) {
                    return End::TooWide(next.call);
                }
            }
            self.complete(*op);
            if self.steps > self.budget {
                return End::Lost(returned, op.call);
            }
            if self.frontier.is_empty() {
                return self.died(*op, returned);
            }
            if enough(returned, &self.frontier) {
                return End::Survived;
            }
        }
        End::Survived
    }

    /// The steps taken.
    pub(super) fn steps(&self) -> u64 {
        self.steps.min(self.budget)
    }

    /// How things stand after the last return.
    pub(super) fn standing(&self) -> Standing {
        let mut slots: Vec<usize> = self.live.slots().collect();
        slots.sort_unstable_by_key(|&slot| self.live.op(slot).start);
        let numbered = |set: Slots| {
            let held = slots.iter().enumerate().filter(|&(_, &slot)| set & 1 << slot != 0);
            held.fold(0, |set, (number, _)| set | 1 << number)
        };
        let config =
            |it: &Config| Config { open: numbered(it.open), owed: numbered(it.owed), ..*it };
        Standing {
            live: slots.iter().map(|&slot| self.live.op(slot)).collect(),
            frontier: self.frontier.iter().map(config).collect(),
        }
    }

    /// A call begins; `false` if there is no room for it.
    fn invoke(&mut self, op: Op) -> bool {
        if op.crashed() {
            self.crashed.invoke(op.action);
            return true;
        }
        let Some(slot) = self.live.enter(op) else { return false };
        self.slots.push((op.end, slot));
        self.begun |= 1 << slot;
        if matches!(op.action, Action::Write(_)) {
            self.owed |= 1 << slot;
        }
        true
    }

    /// A call returns: keeps the configurations in which it has taken effect.
    fn complete(&mut self, op: Op) {
        let at = self.slots.iter().position(|&(end, _)| end == op.end);
        let (_, slot) = self.slots.swap_remove(at.expect("a call returns after it was invoked"));
        self.past.clear();
        self.here.clear();
        self.todo.clear();
        for config in std::mem::take(&mut self.frontier) {
            let (open, owed) = (config.open | self.begun, config.owed | self.owed);
            self.place(Config { open, owed, ..config }, slot);
        }
        (self.begun, self.owed) = (0, 0);
        while let Some(at) = self.todo.pop() {
            // What was found superfluous since it was put here is skipped.
            let Some(config) = self.here.get(at) else { continue };
            let mut successors = std::mem::take(&mut self.successors);
            self.expand(config, op, slot, &mut successors);
            for next in successors.drain(..) {
                self.place(next, slot);
            }
            self.successors = successors;
            if self.steps + self.here.compared + self.past.compared > self.budget {
                self.steps = self.budget + 1;
                return;
            }
        }
        self.live.leave(slot);
        let (crashed, most) = (&self.crashed, self.scope.walk.most);
        self.lost |= self.past.drain_into(&mut self.frontier, most, |c| crashed.cost(c.used));
        self.steps += std::mem::take(&mut self.here.compared);
        self.steps += std::mem::take(&mut self.past.compared);
    }

    /// Puts a configuration where it belongs while the call in `slot` returns.
    fn place(&mut self, config: Config, slot: usize) {
        self.steps += 1;
        let config = self.live.settle(config);
        let (due, classes) = (1 << slot, self.live.classes);
        if config.open & due == 0 || classes.writes & !config.owed & due != 0 {
            let past = Config { open: config.open & !due, ..config };
            self.past.insert(past, classes, &self.crashed);
        }
        if config.open & due != 0 {
            if self.here.width >= 4 * self.scope.walk.most {
                self.lost = true;
            } else if let Some(at) = self.here.insert(config, classes, &self.crashed) {
                self.todo.push(at);
            }
        }
    }

    /// All configurations one step nearer to the return of `op`.
    fn expand(&mut self, config: Config, op: Op, slot: usize, next: &mut Vec<Config>) {
        for (swap, new) in self.live.swaps(config.value, config.open) {
            next.push(Config { open: config.open & !(1 << swap), value: new, ..config });
        }
        if let Action::Write(value) = op.action {
            next.push(Config { open: config.open & !(1 << slot), owed: 0, value, ..config });
        }
        let mut wanted: Vec<ValueId> = self.live.wanted(config.open).collect();
        wanted.sort_unstable();
        wanted.dedup();
        // A write of what is there already is of use too, to owed writes.
        let idle = |value: ValueId| value == config.value && config.owed == 0;
        for value in wanted.into_iter().filter(|&value| !idle(value)) {
            self.reach(config, value, next);
        }
        if self.live.unwanted(config.value, config.open) {
            self.change(config, next);
        }
    }

    /// Every way to bring the register to a value by a write and by crashed swaps, or either.
    ///
    /// Only along paths that no value repeats and whose only write comes first: any other
    /// path holds a shorter one. Where writes are owed, a path that begins with a write does
    /// more than one from the value that is there.
    fn reach(&mut self, config: Config, goal: ValueId, next: &mut Vec<Config>) {
        next.extend(self.write(config, goal));
        // The ends of paths to the goal, what they use, and the rest of the path.
        let mut paths: Vec<(ValueId, u32, Option<usize>)> = vec![(goal, config.used, None)];
        let mut at = 0;
        while let Some(&(value, used, _)) = paths.get(at) {
            self.steps += 1;
            let swaps: Vec<_> = self.crashed.swaps_into(value, used).collect();
            for (kind, old) in swaps {
                let used = self.crashed.plus(used, kind);
                let through = Config { used, ..config };
                if old == config.value {
                    next.push(Config { value: goal, ..through });
                    if config.owed == 0 {
                        continue;
                    }
                }
                let mut rest = std::iter::successors(Some(at), |&at| paths[at].2);
                if rest.any(|at| paths[at].0 == old)
                    || paths.iter().any(|p| (p.0, p.1) == (old, used))
                {
                    continue;
                }
                next.extend(self.write(through, old).map(|c| Config { value: goal, ..c }));
                match paths.len() < self.scope.walk.most {
                    true => paths.push((old, used, Some(at))),
                    false => self.lost = true,
                }
            }
            at += 1;
            if self.steps > self.budget {
                return;
            }
        }
    }

    /// A write of the value takes effect: the open one that returns first, or a crashed one.
    fn write(&mut self, config: Config, value: ValueId) -> Option<Config> {
        let done = Config { owed: 0, value, ..config };
        if let Some(slot) = self.live.write(value, config.open) {
            return Some(Config { open: config.open & !(1 << slot), ..done });
        }
        let kind = self.crashed.left(Action::Write(value), config.used)?;
        Some(Config { used: self.crashed.plus(config.used, kind), ..done })
    }

    /// Every single step to another value than the one that the register holds.
    fn change(&mut self, config: Config, next: &mut Vec<Config>) {
        let writes = self.live.writes(config.open).map(|(_, value)| value);
        let left: Vec<_> = self.crashed.all_left(config.used).collect();
        let crashed = left.iter().filter_map(|&(_, action)| match action {
            Action::Write(value) => Some(value),
            _ => None,
        });
        let mut values: Vec<ValueId> = writes.chain(crashed).collect();
        values.sort_unstable();
        values.dedup();
        for value in values.into_iter().filter(|&value| value != config.value) {
            next.extend(self.write(config, value));
        }
        for (kind, action) in left {
            if let Action::Cas(old, value) = action
                && old == config.value
            {
                let used = self.crashed.plus(config.used, kind);
                next.push(Config { value, used, ..config });
                let same = self.write(Config { used, ..config }, old).filter(|_| config.owed != 0);
                next.extend(same.map(|config| Config { value, ..config }));
            }
        }
    }

    fn died(&self, op: Op, returned: usize) -> End {
        if self.lost {
            return End::Lost(returned, op.call);
        }
        let mut held: Vec<ValueId> =
            self.here.iter().flat_map(|config| self.possible(config)).collect();
        held.sort_unstable();
        held.dedup();
        held.retain(|&value| (value as usize) < self.scope.values - 1);
        let mut pending: Vec<u32> = self.live.slots().map(|slot| self.live.op(slot).call).collect();
        pending.sort_unstable();
        End::Impossible(Stuck { call: op.call, returned, held, pending })
    }

    /// All that the register may hold from a configuration on, before the next return.
    fn possible(&self, config: Config) -> Vec<ValueId> {
        let mut held = vec![config.value];
        held.extend(self.live.writes(config.open).map(|(_, value)| value));
        let crashed: Vec<_> =
            self.crashed.all_left(config.used).map(|(_, action)| action).collect();
        held.extend(crashed.iter().filter(|a| a.observes().is_none()).filter_map(|a| a.produces()));
        let mut at = 0;
        while let Some(&value) = held.get(at) {
            let open = self.live.swaps(value, config.open).map(|(_, new)| new);
            let swaps = crashed.iter().filter(|action| action.observes() == Some(value));
            let new: Vec<_> = open.chain(swaps.filter_map(|action| action.produces())).collect();
            held.extend(new.into_iter().filter(|new| !held.contains(new)).collect::<Vec<_>>());
            at += 1;
        }
        held
    }
}
