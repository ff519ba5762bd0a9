//! How old the values are that reads return, in versions: a measure of how far a register is
//! from linearizable.
//!
//! A register is *k-atomic* if its calls can be ordered, as real time allows, so that every read returns
//! one of the last k values written before it (Aiyer, Alvisi and Bazzi, DISC 2005; Golab, Li and
//! Shah, PODC 2011). 1-atomic is linearizable. Here a swap sets its value as a write does, and what
//! it found may be as old as what a read returns.
//!
//! The least k is bounded from both sides, and looked for between them:
//!
//! - *Above.* Let `e(v)` be the least end of the calls that set, saw or swapped `v` or a value that came of
//!   it by swaps, and order the values by it. No call that set a value is put after one that began
//!   later than `e(v)`, so real time allows it. Put every read right behind its value or behind the
//!   last `v'` with `e(v')` before its start, whichever is later: not behind any value set by a call
//!   that began after its end. So with C values of `e` before its start, a read of the value at place p is
//!   `C - p` versions late at the most.
//! - *Below.* A value whose setter began after `e(v)`, with `e` before the start of a read of `v`, lies
//!   between the two in every order.
//! - *Between.* A search of an order in which no read is older than k (`recent`) answers for one
//!   k after the other. Only where that takes too long the two bounds are all that is known.

use super::op::{Action, INITIAL, Op, Point};
use super::recent::within;
use super::stretches::Life;
use super::versions::Versions;

/// How many looks at a value the search between the bounds may take: so many, and so many for each value.
const BUDGET: (u64, u64) = (100_000, 64);

/// How many versions old a read may be: 1 is the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Staleness {
    /// Some read is this old in every order.
    pub at_least: usize,
    /// In some order, no read is older.
    pub at_most: usize,
}

/// How old the reads of one register are whose values are `0..values`; the bounds are mostly equal.
///
/// `None` where no order explains the calls however old their reads are, or where that is not known.
pub fn staleness(ops: &[Op], values: usize) -> Option<Staleness> {
    let versions = Versions::of(ops, values)?;
    let order = versions.by_swaps()?;
    let ends = ends(&versions, &order);
    let mut places = vec![0; values];
    let mut ranked = order;
    // A value and one swapped for it may have the same end: the sort keeps their order.
    ranked.sort_by_key(|&value| ends[value as usize]);
    for (place, &value) in ranked.iter().enumerate() {
        places[value as usize] = place;
        let began = versions.setter(value).map_or(0, |op| op.start);
        if began > ends[value as usize] {
            return None;
        }
    }
    let age = |op: &Op| match op.action {
        Action::Cas(old, new) => places[new as usize] - places[old as usize],
        Action::Read(value) => {
            let settled = ranked.partition_point(|&other| ends[other as usize] < op.start);
            settled.saturating_sub(places[value as usize]).max(1)
        }
        Action::Write(_) | Action::Differs(_) => 1,
    };
    let Some(worst) = versions.ops.iter().max_by_key(|op| age(op)) else {
        return Some(Staleness { at_least: 1, at_most: 1 });
    };
    let since = worst.action.observes().map_or(Point::MAX, |value| ends[value as usize]);
    let between = ranked.iter().filter(|&&value| {
        let began = versions.setter(value).map_or(0, |op| op.start);
        began > since && ends[value as usize] < worst.start
    });
    let bounds = Staleness { at_least: 1 + between.count(), at_most: age(worst) };
    Some(between_bounds(bounds, &lives(&versions, &ranked, &ends, &places)))
}

/// The staleness as far as the budget goes.
fn between_bounds(mut bounds: Staleness, lives: &[Life]) -> Staleness {
    let mut budget = BUDGET.0 + BUDGET.1 * lives.len() as u64;
    while bounds.at_least < bounds.at_most {
        match within(lives, bounds.at_least, &mut budget) {
            Some(true) => bounds.at_most = bounds.at_least,
            Some(false) => bounds.at_least += 1,
            None => break,
        }
    }
    bounds
}

/// When each value was set and seen, in the order of `ranked`, which gives the places.
fn lives(versions: &Versions, ranked: &[u32], ends: &[Point], places: &[usize]) -> Vec<Life> {
    let life = |&value: &u32| Life {
        start: versions.setter(value).map_or(0, |op| op.start),
        end: ends[value as usize],
        seen: 0,
        before: versions.before(value).map(|before| places[before as usize]),
    };
    let mut lives: Vec<Life> = ranked.iter().map(life).collect();
    for op in &versions.ops {
        if let Some(value) = op.action.observes() {
            let life = &mut lives[places[value as usize]];
            life.seen = life.seen.max(op.start);
        }
    }
    lives
}

/// When each value must have been set at the latest, because of who saw it or what came of it.
fn ends(versions: &Versions, order: &[u32]) -> Vec<Point> {
    let mut ends = vec![Point::MAX; versions.producer.len()];
    ends[INITIAL as usize] = 0;
    for op in &versions.ops {
        for value in op.action.observes().into_iter().chain(op.action.produces()) {
            ends[value as usize] = ends[value as usize].min(op.end);
        }
    }
    for &value in order.iter().rev() {
        if let Some(old) = versions.before(value) {
            ends[old as usize] = ends[old as usize].min(ends[value as usize]);
        }
    }
    ends
}
