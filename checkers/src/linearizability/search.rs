//! Registers and compare-and-set registers in general: a search for an order.
//!
//! The search walks the history from return to return and keeps every
//! configuration the calls so far may have led to: just-in-time linearization,
//! after Wing and Gong (1993) and Lowe, "Testing for linearizability"
//! (Concurrency and Computation 29(4), 2017), layer by layer. A call that returns must have taken
//! effect in every configuration that survives. [`pass`](super::pass) is one such walk.
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
use super::pass::{End, Pass, Scope};
use super::reduction::relevant;
use super::register::{Op, ValueId};

/// The most configurations held at once, for the sake of memory: some 200 MB.
const WIDEST: usize = 1 << 20;

/// The configurations that the first walks keep.
const NARROW: [usize; 4] = [8, 1 << 8, 1 << 12, 1 << 16];

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
    let mut steps = 0;
    let mut walk = |most, counted| {
        let scope = Scope { ops, returns: &returns, values: values + 1, most, counted };
        let (end, taken) = Pass::new(scope, budget - steps).run();
        steps += taken;
        (end, steps)
    };
    let mut furthest = None;
    let crashes = ops.iter().any(Op::crashed);
    let narrow = if crashes { &NARROW[..] } else { &NARROW[2..] };
    for (nth, most) in narrow.iter().copied().chain([WIDEST]).enumerate() {
        let (end, steps) = walk(most, Counted::All);
        match end {
            End::Survived => return Outcome::Linearizable { steps },
            End::Impossible(stuck) => return Outcome::Stuck(stuck),
            End::TooWide(call) => return Outcome::TooWide { call },
            End::Lost(returned, call) => furthest = furthest.max(Some((returned, call))),
        }
        if crashes && nth == 0 {
            let into = (0..values as ValueId).map(Counted::Into);
            for counted in [Counted::None].into_iter().chain(into) {
                if let (End::Impossible(stuck), _) = walk(WIDEST, counted) {
                    return Outcome::Stuck(stuck);
                }
            }
        }
    }
    let (returned, call) = furthest.expect("a walk that does not decide loses something");
    Outcome::Exhausted { returned, call }
}
