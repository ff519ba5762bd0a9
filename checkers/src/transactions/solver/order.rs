//! An order of all states that is kept up while choices come and go (Pearce and Kelly, "A dynamic
//! topological sort algorithm for directed acyclic graphs", ACM JEA 2006).
//!
//! Only what lies between the two ends of a new edge is looked at, so a choice that agrees with
//! the order costs nothing, and one that is taken back costs nothing either: the order stays.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::chain::{ChainId, Chains, Choice, Pair};
use super::layers::{Layers, State};
use crate::transactions::graph::Node;

/// An order that keeps the edges that are certain and those that were chosen.
pub struct Order<'a> {
    /// The graph of what is certain.
    pub layers: &'a Layers<'a>,
    chains: &'a Chains,
    /// The node of the first chain's end.
    ends: Node,
    places: Vec<u32>,
    /// The chosen edges of each state of an end, and those to each state of a transaction.
    ahead: Vec<Vec<(State, Choice)>>,
    behind: Vec<Vec<(State, Choice)>>,
    /// When each state was last visited, by the number of the visit.
    visited: Vec<u32>,
    visit: u32,
    /// From where a visit came to a state, and by which choice.
    came: Vec<(State, Choice)>,
    /// How many states were looked at.
    pub steps: u64,
}

impl<'a> Order<'a> {
    /// An order of the states of a graph; of those that could come next always the one of the
    /// least rank does. The last nodes are the ends of the chains, those before `transactions`
    /// their heads. `None` if what is certain has a cycle.
    pub fn new(
        layers: &'a Layers<'a>,
        chains: &'a Chains,
        transactions: usize,
        rank: impl Fn(State) -> u32,
    ) -> Option<Self> {
        let places = linear(layers, rank)?;
        let ends = layers.len() / layers.count as usize - chains.len();
        let per = layers.count as usize;
        Some(Self {
            layers,
            chains,
            ends: ends as Node,
            ahead: vec![Vec::new(); chains.len() * per],
            behind: vec![Vec::new(); transactions * per],
            visited: vec![0; places.len()],
            visit: 0,
            came: vec![(0, Choice::NONE); places.len()],
            steps: places.len() as u64,
            places,
        })
    }

    /// The place of the beginning or commit at which a chain's head stands in a layer.
    pub fn head(&self, chain: ChainId, layer: u32) -> u32 {
        self.places[self.head_state(chain, layer) as usize]
    }

    /// The place of a chain's end.
    pub fn end(&self, chain: ChainId, layer: u32) -> u32 {
        self.places[self.end_state(chain, layer) as usize]
    }

    /// The places of the first nodes, or of their commits.
    pub fn commits(&self, nodes: usize) -> Vec<u32> {
        let last = self.layers.count - 1;
        let state = |node| self.layers.state(node, last) as usize;
        (0..nodes as Node).map(|node| self.places[state(node)]).collect()
    }

    /// The place of a state.
    pub fn place(&self, state: State) -> u32 {
        self.places[state as usize]
    }

    /// Where the chosen edges of a state lead.
    pub fn chosen(&self, state: State) -> &[(State, Choice)] {
        self.end_at(state).map_or(&[], |end| &self.ahead[end])
    }

    fn head_state(&self, chain: ChainId, layer: u32) -> State {
        self.layers.state(self.chains.get(chain).head, layer)
    }

    fn end_state(&self, chain: ChainId, layer: u32) -> State {
        self.layers.state(self.ends + chain, layer)
    }

    /// Whether of two chains one is over before the other begins.
    pub fn is_apart(&self, Pair { one, other }: Pair) -> bool {
        let before = |one, other| {
            (0..self.layers.count).all(|layer| self.end(one, layer) < self.head(other, layer))
        };
        before(one, other) || before(other, one)
    }

    /// The edges of a choice: from the end of the one chain to the head of the other.
    pub fn edges(
        &self,
        choice: Choice,
        pairs: &[Pair],
    ) -> impl Iterator<Item = (State, State)> + use<'a> {
        let [before, after] = choice.chains(pairs);
        let (from, to) = (self.end_state(before, 0), self.head_state(after, 0));
        (0..self.layers.count).map(move |layer| (from + layer, to + layer))
    }

    /// Makes a choice. If it closes a cycle, nothing changes, and the other choices on it are told.
    pub fn choose(&mut self, choice: Choice, pairs: &[Pair]) -> Result<(), Vec<Choice>> {
        for (done, (from, to)) in self.edges(choice, pairs).enumerate() {
            if let Err(mut others) = self.add(from, to, choice) {
                self.edges(choice, pairs).take(done).for_each(|edge| self.remove(edge));
                others.retain(|&other| other != choice);
                return Err(others);
            }
        }
        Ok(())
    }

    /// Takes back the choice that was made last.
    pub fn take_back(&mut self, choice: Choice, pairs: &[Pair]) {
        self.edges(choice, pairs).for_each(|edge| self.remove(edge));
    }

    fn add(&mut self, from: State, to: State, choice: Choice) -> Result<(), Vec<Choice>> {
        if self.places[from as usize] > self.places[to as usize] {
            let ahead = self.reach(from, to)?;
            let behind = self.lead(from, to);
            self.shift(behind, ahead);
        }
        let end = self.end_at(from).expect("choices lead from ends");
        self.ahead[end].push((to, choice));
        self.behind[to as usize].push((from, choice));
        Ok(())
    }

    fn remove(&mut self, (from, to): (State, State)) {
        let end = self.end_at(from).expect("choices lead from ends");
        self.ahead[end].pop();
        self.behind[to as usize].pop();
    }

    /// The place of an end's state among those of all ends.
    fn end_at(&self, state: State) -> Option<usize> {
        (state as usize).checked_sub((self.ends * self.layers.count) as usize)
    }

    /// All that comes after `to` and, by the order, not after `from`. If that is `from` itself, the
    /// choices on a path to it, of which there are as few as can be.
    fn reach(&mut self, from: State, to: State) -> Result<Vec<State>, Vec<Choice>> {
        let most = self.places[from as usize];
        self.visit += 1;
        let mut reached = Vec::new();
        // First whatever takes no choice, then what takes one, and so on.
        let (mut now, mut later) = (vec![(to, to, Choice::NONE)], Vec::new());
        while !now.is_empty() {
            while let Some((state, before, choice)) = now.pop() {
                if self.visited[state as usize] == self.visit {
                    continue;
                }
                self.visited[state as usize] = self.visit;
                self.came[state as usize] = (before, choice);
                self.steps += 1;
                if state == from {
                    return Err(self.choices(to, from));
                }
                reached.push(state);
                let inside = |&next: &State| self.places[next as usize] <= most;
                let certain = self.layers.ahead(state).filter(inside);
                now.extend(certain.map(|next| (next, state, Choice::NONE)));
                let chosen = self.chosen(state).iter().filter(|(next, _)| inside(next));
                later.extend(chosen.map(|&(next, choice)| (next, state, choice)));
            }
            std::mem::swap(&mut now, &mut later);
        }
        Ok(reached)
    }

    /// The choices on the way by which a visit came from one state to another.
    fn choices(&self, from: State, to: State) -> Vec<Choice> {
        let (mut choices, mut state) = (Vec::new(), to);
        while state != from {
            let (before, choice) = self.came[state as usize];
            choices.extend((choice != Choice::NONE).then_some(choice));
            state = before;
        }
        choices.sort_unstable();
        choices.dedup();
        choices
    }

    /// All that comes before `from` and, by the order, not before `to`.
    fn lead(&mut self, from: State, to: State) -> Vec<State> {
        let least = self.places[to as usize];
        self.visit += 1;
        let (mut led, mut now) = (Vec::new(), vec![from]);
        while let Some(state) = now.pop() {
            if self.visited[state as usize] == self.visit {
                continue;
            }
            self.visited[state as usize] = self.visit;
            self.steps += 1;
            led.push(state);
            let inside = |&next: &State| self.places[next as usize] >= least;
            now.extend(self.layers.behind(state).filter(inside));
            if let Some(chosen) = self.behind.get(state as usize) {
                now.extend(chosen.iter().map(|&(next, _)| next).filter(inside));
            }
        }
        led
    }

    /// Puts all that leads to a new edge before all that it leads to, in the places of both.
    fn shift(&mut self, mut behind: Vec<State>, mut ahead: Vec<State>) {
        behind.sort_unstable_by_key(|&state| self.places[state as usize]);
        ahead.sort_unstable_by_key(|&state| self.places[state as usize]);
        behind.append(&mut ahead);
        let mut free: Vec<u32> = behind.iter().map(|&state| self.places[state as usize]).collect();
        free.sort_unstable();
        for (state, place) in behind.into_iter().zip(free) {
            self.places[state as usize] = place;
        }
    }
}

/// The places of all states in an order that keeps what is certain (Kahn 1962).
fn linear(layers: &Layers, rank: impl Fn(State) -> u32) -> Option<Vec<u32>> {
    let mut waits: Vec<u32> =
        (0..layers.len() as State).map(|state| layers.behind(state).count() as u32).collect();
    let free = (0..layers.len() as State).filter(|&state| waits[state as usize] == 0);
    let mut ready: BinaryHeap<Reverse<(u32, State)>> =
        free.map(|state| Reverse((rank(state), state))).collect();
    let (mut places, mut next) = (vec![0; layers.len()], 0);
    while let Some(Reverse((_, state))) = ready.pop() {
        places[state as usize] = next;
        next += 1;
        for after in layers.ahead(state) {
            waits[after as usize] -= 1;
            if waits[after as usize] == 0 {
                ready.push(Reverse((rank(after), after)));
            }
        }
    }
    (next as usize == layers.len()).then_some(places)
}
