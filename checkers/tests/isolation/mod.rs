//! Brute force for isolation levels: whether transactions have any order at all, by the
//! definitions and nothing else.
//!
//! Serializability: one after the other (Papadimitriou, JACM 1979). Snapshot isolation: each
//! begins on what was committed by then and commits at once, and of two that overlap and write
//! the same key only one does (Berenson et al., SIGMOD 1995). For about six transactions.
//!
//! Every order is tried, but none goes on from where another has failed: what is still to come depends
//! only on who is done, on what the keys hold, and on what those that have begun found there.
#![allow(dead_code, reason = "every test binary uses a part of it")]

pub mod random;
pub mod visible;
pub mod ways;

use std::collections::{BTreeMap, HashSet};

use crate::oracle::NEVER;

/// What a key holds: a list, or a register as a list of its values.
pub type State = BTreeMap<u64, Vec<u64>>;

/// A step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Reads a key and finds this.
    Read(u64, Vec<u64>),
    /// Appends an element, or sets a value, which is the next of the key's values.
    Append(u64, u64),
}

/// A transaction that may have happened.
#[derive(Clone, Debug)]
pub struct Txn {
    pub steps: Vec<Step>,
    pub process: u64,
    pub start: u32,
    /// [`NEVER`] where nobody knows whether it happened.
    pub end: u32,
}

/// Which order beside that of the data must be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    Any,
    Session,
    RealTime,
}

impl Order {
    /// Whether `one` must be over before `other` begins.
    fn before(self, one: &Txn, other: &Txn) -> bool {
        let over = one.end != NEVER && one.end < other.start;
        match self {
            Order::Any => false,
            Order::Session => over && one.process == other.process,
            Order::RealTime => over,
        }
    }
}

/// What a read returns of a key's values.
pub type Look = fn(&[u64]) -> Vec<u64>;

/// The whole list.
pub fn whole(values: &[u64]) -> Vec<u64> {
    values.to_vec()
}

/// The last value.
pub fn last(values: &[u64]) -> Vec<u64> {
    values.last().copied().into_iter().collect()
}

/// The state after a transaction that ran on a state; `None` if it cannot have.
fn run(txn: &Txn, mut state: State, look: Look) -> Option<State> {
    for step in &txn.steps {
        match step {
            Step::Append(key, element) => state.entry(*key).or_default().push(*element),
            Step::Read(key, found) => {
                let there = state.get(key).map_or(&[][..], Vec::as_slice);
                // Nobody knows what an unacknowledged read found.
                if txn.end != NEVER && look(there) != *found {
                    return None;
                }
            }
        }
    }
    Some(state)
}

/// Whether the transactions could have run one after the other.
pub fn serializable(txns: &[Txn], order: Order, look: Look) -> bool {
    serial(txns, order, look, 0, State::new(), &mut HashSet::new())
}

fn must(txns: &[Txn]) -> u32 {
    (0..txns.len()).filter(|&at| txns[at].end != NEVER).fold(0, |set, at| set | 1 << at)
}

fn serial(
    txns: &[Txn],
    order: Order,
    look: Look,
    done: u32,
    state: State,
    dead: &mut HashSet<(u32, State)>,
) -> bool {
    if done & must(txns) == must(txns) {
        return true;
    }
    let here = (done, state);
    if dead.contains(&here) {
        return false;
    }
    let left = || (0..txns.len()).filter(|&at| done & 1 << at == 0);
    let found = left().any(|next| {
        let waits = left().any(|other| order.before(&txns[other], &txns[next]));
        let after = if waits { None } else { run(&txns[next], here.1.clone(), look) };
        after.is_some_and(|after| serial(txns, order, look, done | 1 << next, after, dead))
    });
    if !found {
        dead.insert(here);
    }
    found
}

/// Whether each could have run on a snapshot.
pub fn snapshot_isolated(txns: &[Txn], order: Order, look: Look) -> bool {
    let mut snapshots = Snapshots { txns, order, look, dead: HashSet::new() };
    snapshots.go(&mut vec![None; txns.len()], 0, &State::new())
}

struct Snapshots<'a> {
    txns: &'a [Txn],
    order: Order,
    look: Look,
    /// Where it was in vain to go on.
    dead: HashSet<(Vec<Began>, u32, State)>,
}

/// What a transaction saw when it began: how many had committed to each key, and at which step.
type Began = Option<State>;

impl Snapshots<'_> {
    fn go(&mut self, began: &mut Vec<Began>, done: u32, state: &State) -> bool {
        if done & must(self.txns) == must(self.txns) {
            return true;
        }
        let here = (began.clone(), done, state.clone());
        if self.dead.contains(&here) {
            return false;
        }
        let left: Vec<usize> = (0..self.txns.len()).filter(|&at| done & 1 << at == 0).collect();
        let found = left.iter().any(|&next| {
            let txn = &self.txns[next];
            match began[next].clone() {
                None => {
                    let waits = left.iter().any(|&other| self.order.before(&self.txns[other], txn));
                    if waits || run(txn, state.clone(), self.look).is_none() {
                        return false;
                    }
                    began[next] = Some(state.clone());
                    let found = self.go(began, done, state);
                    began[next] = None;
                    found
                }
                Some(snapshot) => {
                    let mut after = state.clone();
                    for step in &txn.steps {
                        let Step::Append(key, element) = step else { continue };
                        let written = |state: &State| state.get(key).map_or(0, Vec::len);
                        if written(state) != written(&snapshot) {
                            return false;
                        }
                        after.entry(*key).or_default().push(*element);
                    }
                    let snapshot = began[next].take();
                    let found = self.go(began, done | 1 << next, &after);
                    began[next] = snapshot;
                    found
                }
            }
        });
        if !found {
            self.dead.insert(here);
        }
        found
    }
}
