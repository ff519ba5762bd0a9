//! A search for an order of every pair: conflict-driven clause learning (Marques-Silva and Sakallah,
//! "GRASP", IEEE TC 1999) over choices whose only law is that they close no cycle.
//!
//! Every clause comes from a cycle or from other clauses, and remembers which: what refutes a
//! history is told as cycles. Guessed are only pairs that the order there is leaves open, first what
//! was last in a conflict (Biere and Fröhlich, "Evaluating CDCL Variable Scoring Schemes", SAT
//! 2015). All is counted in steps, never in time.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

use super::chain::{ChainId, Choice, Pair, PairId};
use super::clauses::{ClauseId, Clauses, GUESS};
use super::order::Order;

/// Conflicts before the first restart; each time half as many more.
const RESTART: u64 = 128;

/// How a search ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every pair has its order.
    Ordered,
    /// There is no order; this clause has no choice left.
    Refuted(ClauseId),
    /// The budget ran out.
    Over,
}

/// A pair and what is known of it.
#[derive(Clone, Copy)]
pub(super) struct State {
    /// The choice that was made, or [`Choice::NONE`].
    pub(super) made: Choice,
    /// How many guesses deep.
    pub(super) depth: u32,
    /// The clause that left no other choice.
    pub(super) reason: ClauseId,
    /// What was chosen last, to be guessed again.
    wish: Choice,
    /// The last conflict that it was part of.
    pub(super) stamp: u64,
    /// Whether the conflict that is looked at has come by it.
    pub(super) seen: bool,
}

/// A search.
pub struct Search<'a, 'o> {
    /// The order that the choices made so far allow.
    pub order: &'o mut Order<'a>,
    /// The pairs to be ordered.
    pub pairs: Vec<Pair>,
    /// What was learned.
    pub clauses: Clauses,
    /// The pair of two chains.
    names: FxHashMap<(ChainId, ChainId), PairId>,
    pub(super) states: Vec<State>,
    /// How many pairs were tried by themselves.
    tried: PairId,
    /// By choice, the clauses that watch for its contrary.
    pub(super) watches: Vec<Vec<ClauseId>>,
    /// The choices made, in order; where each guess is among them; how many the order has.
    pub(super) trail: Vec<Choice>,
    pub(super) guesses: Vec<usize>,
    ordered: usize,
    waiting: BinaryHeap<(u64, Reverse<PairId>)>,
    /// How many conflicts there were.
    pub conflicts: u64,
    /// The steps at which the search ends.
    budget: u64,
}

impl<'a, 'o> Search<'a, 'o> {
    /// A search without any pair yet, until the order has taken `budget` steps.
    pub fn new(order: &'o mut Order<'a>, budget: u64) -> Self {
        Self {
            order,
            pairs: Vec::new(),
            clauses: Clauses::default(),
            names: FxHashMap::default(),
            states: Vec::new(),
            tried: 0,
            watches: Vec::new(),
            trail: Vec::new(),
            guesses: Vec::new(),
            ordered: 0,
            waiting: BinaryHeap::new(),
            conflicts: 0,
            budget,
        }
    }

    /// Has pairs ordered, each in the order that is to be guessed first.
    pub fn add(&mut self, pairs: impl IntoIterator<Item = Pair>) {
        for pair in pairs {
            let known = [(pair.one, pair.other), (pair.other, pair.one)];
            let known = known.map(|chains| self.names.get(&chains).copied());
            if let Some(id) = known[0].or(known[1]) {
                let state = &mut self.states[id as usize];
                state.wish = Choice::new(id, known[0].is_some());
                self.waiting.push((state.stamp, Reverse(id)));
                continue;
            }
            let id = self.pairs.len() as PairId;
            self.names.insert((pair.one, pair.other), id);
            self.pairs.push(pair);
            let wish = Choice::new(id, true);
            let (made, reason) = (Choice::NONE, GUESS);
            self.states.push(State { made, depth: 0, reason, wish, stamp: 0, seen: false });
            self.watches.extend([Vec::new(), Vec::new()]);
            self.waiting.push((0, Reverse(id)));
        }
    }

    /// Takes all choices back and leaves the order as it has become.
    pub fn leave(mut self) -> &'o mut Order<'a> {
        self.back_to(0);
        for choice in self.trail.drain(..self.ordered).rev() {
            self.order.take_back(choice, &self.pairs);
        }
        self.order
    }

    /// Orders all pairs. Those that were not tried yet are first tried by themselves.
    pub fn run(&mut self) -> End {
        if let Some(clause) = self.probe() {
            return End::Refuted(clause);
        }
        let (mut until, mut patience) = (self.conflicts + RESTART, RESTART);
        loop {
            if let Some(clause) = self.follow() {
                if self.guesses.is_empty() {
                    return End::Refuted(clause);
                }
                self.learn(clause);
            } else if self.order.steps > self.budget {
                return End::Over;
            } else if self.conflicts >= until {
                self.back_to(0);
                patience += patience / 2;
                until = self.conflicts + patience;
            } else if !self.guess() {
                return End::Ordered;
            }
        }
    }

    /// Tries each pair that was not tried yet both ways, before any guess: what closes a cycle at
    /// once is settled. The clause that is left without a choice, if there is no order at all.
    fn probe(&mut self) -> Option<ClauseId> {
        let fresh = self.tried..self.pairs.len() as PairId;
        if fresh.is_empty() {
            return None;
        }
        self.tried = fresh.end;
        self.back_to(0);
        if let Some(clause) = self.follow() {
            return Some(clause);
        }
        for pair in fresh {
            for choice in [Choice::new(pair, true), Choice::new(pair, false)] {
                if self.states[pair as usize].made != Choice::NONE {
                    break;
                }
                match self.order.choose(choice, &self.pairs) {
                    Ok(()) => self.order.take_back(choice, &self.pairs),
                    Err(others) => {
                        let reason = self.cycle(choice, &others);
                        self.make(choice.not(), reason);
                        if let Some(clause) = self.follow() {
                            return Some(clause);
                        }
                    }
                }
            }
            if self.order.steps > self.budget {
                break;
            }
        }
        None
    }

    /// The clause of a cycle: not this choice, or not one of the others.
    fn cycle(&mut self, choice: Choice, others: &[Choice]) -> ClauseId {
        let all: Vec<Choice> = [choice].iter().chain(others).map(|choice| choice.not()).collect();
        self.clauses.add(&all, &[])
    }

    pub(super) fn make(&mut self, choice: Choice, reason: ClauseId) {
        let depth = self.guesses.len() as u32;
        let state = &mut self.states[choice.pair() as usize];
        (state.made, state.depth, state.reason) = (choice, depth, reason);
        self.trail.push(choice);
    }

    /// Guesses the next pair that is open; false if there is none. One whose chains are apart in the
    /// order has no need of a guess; if they overlap again, it is added again.
    fn guess(&mut self) -> bool {
        while let Some((stamp, Reverse(pair))) = self.waiting.pop() {
            self.order.steps += 1;
            let state = self.states[pair as usize];
            let open = state.made == Choice::NONE && state.stamp == stamp;
            if open && !self.order.is_apart(self.pairs[pair as usize]) {
                self.guesses.push(self.trail.len());
                self.make(state.wish, GUESS);
                return true;
            }
        }
        false
    }

    /// Takes back all that is more than so many guesses deep.
    pub(super) fn back_to(&mut self, depth: usize) {
        let Some(&end) = self.guesses.get(depth) else { return };
        self.guesses.truncate(depth);
        self.order.steps += (self.trail.len() - end) as u64;
        while self.trail.len() > end {
            let choice = self.trail.pop().expect("longer than its part");
            if self.trail.len() < self.ordered {
                self.ordered = self.trail.len();
                self.order.take_back(choice, &self.pairs);
            }
            let state = &mut self.states[choice.pair() as usize];
            (state.made, state.wish) = (Choice::NONE, choice);
            self.waiting.push((state.stamp, Reverse(choice.pair())));
        }
    }

    /// Draws all conclusions of the choices made; the clause that has no choice left, if one has.
    fn follow(&mut self) -> Option<ClauseId> {
        while let Some(&choice) = self.trail.get(self.ordered) {
            if let Some(clause) = self.watch(choice) {
                return Some(clause);
            }
            if let Err(others) = self.order.choose(choice, &self.pairs) {
                return Some(self.cycle(choice, &others));
            }
            self.ordered += 1;
        }
        None
    }

    /// Looks at the clauses that watched for the contrary of a choice.
    fn watch(&mut self, choice: Choice) -> Option<ClauseId> {
        let lost = choice.not();
        let mut watching = std::mem::take(&mut self.watches[lost.at()]);
        let (mut kept, mut conflict) = (0, None);
        for at in 0..watching.len() {
            let id = watching[at];
            self.order.steps += 1;
            if conflict.is_none() && self.moves(id, lost) {
                continue;
            }
            watching[kept] = id;
            kept += 1;
            let first = self.clauses.get(id)[0];
            let made = self.states[first.pair() as usize].made;
            if conflict.is_none() && made == first.not() {
                conflict = Some(id);
            } else if conflict.is_none() && made == Choice::NONE {
                self.make(first, id);
            }
        }
        watching.truncate(kept);
        self.watches[lost.at()] = watching;
        conflict
    }

    /// Has a clause watch another choice than the one that was lost, if it has one. Its first two
    /// are those that it watches; the lost one is put second.
    fn moves(&mut self, id: ClauseId, lost: Choice) -> bool {
        let choices = self.clauses.get_mut(id);
        if choices[0] == lost {
            choices.swap(0, 1);
        }
        let open = |choice: Choice| self.states[choice.pair() as usize].made != choice.not();
        if self.states[choices[0].pair() as usize].made == choices[0] {
            return false;
        }
        let Some(other) = (2..choices.len()).find(|&at| open(choices[at])) else { return false };
        choices.swap(1, other);
        self.watches[choices[1].at()].push(id);
        true
    }
}
