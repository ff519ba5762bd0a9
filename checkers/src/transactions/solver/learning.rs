//! What a search learns from a conflict, and what a refutation follows from (first unique
//! implication points, after Zhang, Madigan, Moskewicz and Malik, ICCAD 2001).

use super::chain::Choice;
use super::clauses::{ClauseId, GUESS};
use super::search::Search;

impl Search<'_, '_> {
    /// Learns from a conflict: of the choices at the last guess's depth that lead to it, the last
    /// one that all of them go through must not be made where the others are.
    pub(super) fn learn(&mut self, conflict: ClauseId) {
        self.conflicts += 1;
        let depth = self.guesses.len() as u32;
        let (mut learned, mut sources) = (vec![Choice::NONE], vec![conflict]);
        let (mut open, mut at, mut clause) = (0, self.trail.len(), conflict);
        loop {
            self.order.steps += self.clauses.get(clause).len() as u64;
            for place in 0..self.clauses.get(clause).len() {
                let choice = self.clauses.get(clause)[place];
                let state = &mut self.states[choice.pair() as usize];
                if state.seen || state.depth == 0 || state.made == choice {
                    continue;
                }
                state.seen = true;
                state.stamp = self.conflicts;
                match state.depth == depth {
                    true => open += 1,
                    false => learned.push(choice),
                }
            }
            let found =
                self.trail[..at].iter().rposition(|it| self.states[it.pair() as usize].seen);
            let found = found.expect("the conflict has a choice of this depth");
            self.order.steps += (at - found) as u64;
            at = found;
            let made = self.trail[at];
            self.states[made.pair() as usize].seen = false;
            open -= 1;
            if open == 0 {
                learned[0] = made.not();
                break;
            }
            clause = self.states[made.pair() as usize].reason;
            sources.push(clause);
        }
        learned[1..].iter().for_each(|it| self.states[it.pair() as usize].seen = false);
        self.keep(learned, &sources);
    }

    /// Keeps a learned clause, goes back to where it leaves one choice, and makes that one.
    fn keep(&mut self, mut learned: Vec<Choice>, sources: &[ClauseId]) {
        let depth = |search: &Self, at: usize| search.states[learned[at].pair() as usize].depth;
        let second = (1..learned.len()).max_by_key(|&at| depth(self, at));
        let back = second.map_or(0, |at| depth(self, at));
        if let Some(second) = second {
            learned.swap(1, second);
        }
        let id = self.clauses.add(&learned, sources);
        if let [first, second, ..] = learned[..] {
            self.watches[first.at()].push(id);
            self.watches[second.at()].push(id);
        }
        self.back_to(back as usize);
        self.make(learned[0], id);
    }

    /// The cycles that a clause without a choice follows from: what refutes all orders.
    pub fn cycles_behind(&self, refuted: ClauseId) -> Vec<Vec<Choice>> {
        let mut met = vec![false; self.clauses.len()];
        let (mut open, mut cycles) = (vec![refuted], Vec::new());
        while let Some(id) = open.pop() {
            if id == GUESS || std::mem::replace(&mut met[id as usize], true) {
                continue;
            }
            // What was settled before any guess was left out on the way.
            let settled = self.clauses.get(id).iter().map(|it| &self.states[it.pair() as usize]);
            open.extend(settled.filter(|state| state.depth == 0).map(|state| state.reason));
            let sources = self.clauses.sources(id);
            open.extend(sources);
            if sources.is_empty() {
                let made = self.clauses.get(id).iter().map(|choice| choice.not());
                cycles.push(made.collect());
            }
        }
        cycles
    }
}
