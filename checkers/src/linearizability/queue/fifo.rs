//! First-in-first-out queues whose values are unique, exactly, in n log n (the sort
//! of the ends; the rest is linear).
//!
//! Such a history is linearizable iff nobody took a value that was never put, or
//! twice, or before it was put; no value overtakes another; and every empty answer has
//! its moment (Henzinger, Sezgin and Vafeiadis, "Aspect-oriented linearizability proofs",
//! CONCUR 2013). One value overtakes another if its put began after the other's had ended, and its take had
//! ended before the other's began. Calls that crashed are not in that theorem: see
//! [`lives`](super::lives) for puts and [`deadlines`](super::deadlines) for takes.

use super::clash::Clash;
use super::deadlines::Deadlines;
use super::life::{At, Life, by_put_end};
use super::lives::{Pairing, pair};
use super::{Call, empty};
use crate::linearizability::model::{Op, Point};

/// Judges calls in the order of their invocations, drains expanded; `None` where a value was put twice.
pub fn check(ops: &[Op<Call>]) -> Option<Result<(), Clash>> {
    let found = match pair(ops) {
        Pairing::Unique(found) => found,
        Pairing::Repeated => return None,
        Pairing::Clash(clash) => return Some(Err(clash)),
    };
    let by_end = by_put_end(&found.lives);
    let takes: Vec<Point> = found.takes.iter().map(|&at| ops[at as usize].start).collect();
    let deadlines = Deadlines::in_order(&found.lives, takes);
    Some(
        in_order(&found.lives, &by_end)
            .and_then(|()| deadlines.check(&found))
            .and_then(|()| empty::check(ops, &found, &by_end, &deadlines)),
    )
}

/// Whether no value that was taken was overtaken. Of the lives put before one began, only
/// the one taken last matters.
fn in_order(lives: &[Life], by_end: &[At]) -> Result<(), Clash> {
    let mut earlier = by_end.iter().map(|&at| &lives[at as usize]).peekable();
    let mut last_out: Option<&Life> = None;
    for life in lives {
        while let Some(put) = earlier.next_if(|put| put.put_end < life.put_start) {
            if put.taken() && last_out.is_none_or(|last| last.took_start < put.took_start) {
                last_out = Some(put);
            }
        }
        if let Some(last) = last_out.filter(|last| life.took_end < last.took_start) {
            return Err(Clash::Overtaken { first: *last, second: *life });
        }
    }
    Ok(())
}
