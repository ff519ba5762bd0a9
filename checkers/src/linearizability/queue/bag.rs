//! Queues that give their values out in any order, where these are unique: exactly, in n log n.
//!
//! Every value must be put before it is taken, once, and every empty answer must
//! have its moment; nothing else is promised.

use super::clash::Clash;
use super::deadlines::Deadlines;
use super::life::by_put_end;
use super::lives::{Pairing, pair};
use super::{Call, empty};
use crate::linearizability::model::Op;

/// Judges calls in the order of their invocations, drains expanded; `None` where a value was put twice.
pub fn check(ops: &[Op<Call>]) -> Option<Result<(), Clash>> {
    let found = match pair(ops) {
        Pairing::Unique(found) => found,
        Pairing::Repeated => return None,
        Pairing::Clash(clash) => return Some(Err(clash)),
    };
    if found.empties.is_empty() {
        return Some(Ok(()));
    }
    let takes = found.takes.iter().map(|&at| ops[at as usize].start).collect();
    let deadlines = Deadlines::none(&found.lives, takes);
    Some(empty::check(ops, &found, &by_put_end(&found.lives), &deadlines))
}
