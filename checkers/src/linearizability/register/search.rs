//! Registers and compare-and-set registers in general: a search for an order.
//!
//! The search walks the history from return to return and keeps every
//! configuration the calls so far may have led to: just-in-time linearization,
//! after Wing and Gong (1993) and Lowe, "Testing for linearizability"
//! (Concurrency and Computation 29(4), 2017), layer by layer. A call that returns must have taken
//! effect in every configuration that survives. [`pass`](super::pass) is one such walk, and
//! [`relay`](super::relay) one on all cores.
//!
//! The problem is NP-complete, and crashed calls are what makes it hard: each may take effect at
//! any later time. So there are several walks, the cheap ones first:
//!
//! 1. Only the configurations that used up the least of the crashed calls are kept. If one
//!    survives, it is an order of the calls.
//! 2. If none does, crashed calls are taken for inexhaustible, all but those that set some one
//!    value. Whatever is impossible then is impossible.
//! 3. Else more configurations are kept, up to all.
//!
//! All walks share one budget of steps, and the search says when it runs out, as it does when a
//! layer outgrows its memory. It holds no clock.

use super::crashed::Counted;
use super::op::{Op, ValueId};
use super::pass::{End, Scope, Walk};
use super::reduction::relevant;
use super::relay;

/// The most configurations held at once, for the sake of memory: some 200 MB.
const WIDEST: usize = 1 << 20;

/// The configurations that one walk after the other keeps.
const WIDTHS: [usize; 6] = [8, 1 << 6, 1 << 9, 1 << 12, 1 << 16, WIDEST];

/// A walk that can only convict gets this part of the steps that are left.
const SHARE: u64 = 16;

/// The most values tried by themselves.
const INTO: usize = 16;

/// The first width where no call crashed: then there are seldom more configurations.
const UNCRASHED: usize = 3;

/// What a search found. Calls are operations, by number.
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
}

/// Judges the calls on one register whose values are `0..values`, in at most `budget` steps.
pub fn check(ops: &[Op], values: usize, budget: u64) -> Outcome {
    check_by_legs(ops, values, budget, relay::LEG)
}

/// The same, the calls cut into legs of so many returns that are walked all at once.
pub fn check_by_legs(ops: &[Op], values: usize, budget: u64, leg: usize) -> Outcome {
    let outcome = order(&relevant(ops, values), values, budget, leg);
    if !matches!(outcome, Outcome::Stuck(_)) {
        return outcome;
    }
    // Once more with every value under its own name, so that a person can follow.
    match order(ops, values, budget, leg) {
        Outcome::Stuck(told) => Outcome::Stuck(told),
        _ => outcome,
    }
}

fn order(ops: &[Op], values: usize, budget: u64, leg: usize) -> Outcome {
    let mut returns: Vec<Op> = ops.iter().filter(|op| !op.crashed()).copied().collect();
    returns.sort_unstable_by_key(|op| op.end);
    let (mut left, mut furthest) = (budget, (0, 0));
    for walk in walks(ops, values) {
        let scope = Scope { ops, returns: &returns, values: values + 1, walk };
        let share = if walk.counted == Counted::All { left } else { left / SHARE };
        let (end, steps) = relay::walk(scope, leg, share);
        left -= steps;
        match end {
            End::Impossible(stuck) => return Outcome::Stuck(stuck),
            End::TooWide(call) => return Outcome::TooWide { call },
            End::Survived if walk.counted == Counted::All => {
                return Outcome::Linearizable { steps: budget - left };
            }
            End::Survived => {}
            End::Lost(returned, call) => furthest = furthest.max((returned, call)),
        }
    }
    Outcome::Exhausted { returned: furthest.0, call: furthest.1 }
}

/// The walks to make until one decides.
fn walks(ops: &[Op], values: usize) -> Vec<Walk> {
    let exact = |most| Walk { most, counted: Counted::All };
    if !ops.iter().any(Op::crashed) {
        return WIDTHS[UNCRASHED..].iter().copied().map(exact).collect();
    }
    let loose = |counted| Walk { most: WIDEST, counted };
    let into = (1..values as ValueId).take(INTO).map(|value| loose(Counted::Into(value)));
    let mut walks: Vec<Walk> = vec![exact(WIDTHS[0]), loose(Counted::None)];
    walks.extend(WIDTHS[1..UNCRASHED].iter().copied().map(exact));
    walks.extend(into);
    walks.extend(WIDTHS[UNCRASHED..].iter().copied().map(exact));
    walks
}
