//! Brute force for the levels of visibility: read atomic and causal consistency.
//!
//! By the axioms of Cerone, Bernardi and Gotsman, "A Framework for Transactional Consistency
//! Models with Atomic Visibility" (CONCUR 2015), with sessions where that is said: some order of all, and for each
//! transaction some of those before it that it sees; of the writers of a key that it sees it
//! reads the last one's version. A version of a list is all that was appended up to it in that order.
//! Every order and every choice is tried, but none from where another has failed.

use std::collections::HashSet;

use super::{Order, State, Step, Txn, must, run, whole};
use crate::oracle::NEVER;

/// Whether there is an order, and choices. `transitive`: whether who is seen is seen with all that it saw.
pub fn keeps(txns: &[Txn], transitive: bool) -> bool {
    Search { transitive, ..Search::of(txns) }.go(&mut Vec::new())
}

/// Causal consistency of sessions: each transaction also sees those that its process ran before it.
pub fn keeps_in_sessions(txns: &[Txn]) -> bool {
    Search { transitive: true, sessions: true, ..Search::of(txns) }.go(&mut Vec::new())
}

/// The same, where of two writers of a key the second also sees the first: parallel snapshot isolation.
pub fn keeps_without_conflict(txns: &[Txn]) -> bool {
    Search { transitive: true, apart: true, ..Search::of(txns) }.go(&mut Vec::new())
}

struct Search<'a> {
    txns: &'a [Txn],
    transitive: bool,
    /// Whether it is seen who ran before in one's session.
    sessions: bool,
    /// Whether writers of one key see each other.
    apart: bool,
    /// Where it was in vain to go on: who is placed, what the keys hold, and who sees whom, if that
    /// matters to others.
    dead: HashSet<(u32, State, Vec<Placed>)>,
}

/// A transaction in its place, and whom it sees.
type Placed = (usize, u32);

impl<'a> Search<'a> {
    fn of(txns: &'a [Txn]) -> Self {
        Self { txns, transitive: false, sessions: false, apart: false, dead: HashSet::new() }
    }

    fn go(&mut self, placed: &mut Vec<Placed>) -> bool {
        let done = placed.iter().fold(0, |set, &(at, _)| set | 1 << at);
        if done & must(self.txns) == must(self.txns) {
            return true;
        }
        let here = (done, self.held(placed), self.views(placed));
        if self.dead.contains(&here) {
            return false;
        }
        let found = (0..self.txns.len()).filter(|&at| done & 1 << at == 0).any(|next| {
            // Subsets of those before, from all down to none.
            let mut sees = done;
            loop {
                if self.may_see(placed, sees)
                    && self.sees_its_session(next, sees)
                    && self.is_apart(placed, next, sees)
                    && self.reads_right(placed, next, sees)
                {
                    placed.push((next, sees));
                    let found = self.go(placed);
                    placed.pop();
                    if found {
                        return true;
                    }
                    // Without transitivity nobody else depends on what it sees.
                    if !self.transitive {
                        return false;
                    }
                }
                if sees == 0 {
                    return false;
                }
                sees = (sees - 1) & done;
            }
        });
        if !found {
            self.dead.insert(here);
        }
        found
    }

    /// What the keys hold after all that are placed.
    fn held(&self, placed: &[Placed]) -> State {
        let mut held = State::new();
        for step in placed.iter().flat_map(|&(at, _)| &self.txns[at].steps) {
            if let Step::Append(key, element) = step {
                held.entry(*key).or_default().push(*element);
            }
        }
        held
    }

    /// Who sees whom; nobody asks where whoever is seen need not be seen with all that it saw.
    fn views(&self, placed: &[Placed]) -> Vec<Placed> {
        let mut views = if self.transitive { placed.to_vec() } else { Vec::new() };
        views.sort_unstable();
        views
    }

    fn may_see(&self, placed: &[Placed], sees: u32) -> bool {
        let seen = |&&(at, _): &&Placed| sees & 1 << at != 0;
        !self.transitive || placed.iter().filter(seen).all(|&(_, saw)| saw & !sees == 0)
    }

    fn sees_its_session(&self, next: usize, sees: u32) -> bool {
        let before = |at: usize| Order::Session.before(&self.txns[at], &self.txns[next]);
        !self.sessions || (0..self.txns.len()).all(|at| sees & 1 << at != 0 || !before(at))
    }

    fn is_apart(&self, placed: &[Placed], next: usize, sees: u32) -> bool {
        let writes = |at: usize, key: u64| {
            let mut steps = self.txns[at].steps.iter();
            steps.any(|step| matches!(step, Step::Append(it, _) if *it == key))
        };
        let conflicts = |at: usize| {
            self.txns[at].steps.iter().any(|step| match step {
                Step::Append(key, _) => writes(next, *key),
                Step::Read(..) => false,
            })
        };
        !self.apart || placed.iter().all(|&(at, _)| sees & 1 << at != 0 || !conflicts(at))
    }

    fn reads_right(&self, placed: &[Placed], next: usize, sees: u32) -> bool {
        let (mut full, mut view) = (State::new(), State::new());
        for &(at, _) in placed {
            let mut wrote = Vec::new();
            for step in &self.txns[at].steps {
                let Step::Append(key, element) = step else { continue };
                full.entry(*key).or_default().push(*element);
                wrote.push(*key);
            }
            if sees & 1 << at != 0 {
                wrote.into_iter().for_each(|key| {
                    view.insert(key, full[&key].clone());
                });
            }
        }
        let txn = &self.txns[next];
        // What it reads after its own append is the version that this made.
        let own = |at: usize, key: u64| {
            txn.steps[..at].iter().any(|step| matches!(step, Step::Append(it, _) if *it == key))
        };
        let versions = txn.steps.iter().enumerate().all(|(at, step)| match step {
            Step::Read(key, _) if own(at, *key) => view.get(key) == full.get(key),
            _ => true,
        });
        (versions || txn.end == NEVER) && run(txn, view, whole).is_some()
    }
}
