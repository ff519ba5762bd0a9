//! A cycle that choices close, from transaction to transaction.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use super::chain::{Chain, Chains, Choice, Pair};
use super::layers::State;
use super::order::Order;
use crate::transactions::cycles::Hop;
use crate::transactions::graph::Kind;

/// A step of a cycle.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// From transaction to transaction.
    pub hop: Hop,
    /// Where it is not certain: which chain is taken to come before which.
    pub choice: Option<[Chain; 2]>,
}

/// A way from state to state: why, where it is certain, and else by which choice.
#[derive(Clone, Copy)]
struct Move {
    from: State,
    to: State,
    kind: Option<Kind>,
    choice: Choice,
}

/// The shortest cycle of what is certain and these choices, or of some of them that already have
/// one. `None` if they have none.
pub fn cycle(
    order: &mut Order,
    choices: &[Choice],
    pairs: &[Pair],
    chains: &Chains,
    transactions: usize,
) -> Option<Vec<Step>> {
    let made = choices.iter().take_while(|&&choice| order.choose(choice, pairs).is_ok()).count();
    let last = choices.get(made).copied();
    let moves = last.and_then(|last| close(order, last, pairs));
    choices[..made].iter().rev().for_each(|&choice| order.take_back(choice, pairs));
    let moves = moves?;
    let node = |state| order.layers.node(state);
    let is_transaction = |state| (node(state) as usize) < transactions;
    let first = moves.iter().position(|step| is_transaction(step.from))?;
    let (behind, ahead) = moves.split_at(first);
    let (mut steps, mut open) = (Vec::new(), None::<Step>);
    for step in ahead.iter().chain(behind).filter(|step| node(step.from) != node(step.to)) {
        let kind = step.kind.unwrap_or(Kind::Onward);
        let begun = Step { hop: Hop { from: node(step.from), to: 0, kind }, choice: None };
        let mut next = open.take().unwrap_or(begun);
        if step.choice != Choice::NONE {
            next.choice = Some(step.choice.chains(pairs).map(|chain| *chains.get(chain)));
        }
        next.hop.to = node(step.to);
        match is_transaction(step.to) {
            true => steps.push(next),
            false => open = Some(next),
        }
    }
    Some(steps)
}

/// The shortest cycle that a choice closes with those made before.
fn close(order: &Order, last: Choice, pairs: &[Pair]) -> Option<Vec<Move>> {
    let edges: Vec<(State, State)> = order.edges(last, pairs).collect();
    // What leads from where the choice leads to where it comes from lies between them.
    let places = |state: &State| order.place(*state);
    let least = edges.iter().map(|(_, to)| places(to)).min()?;
    let most = edges.iter().map(|(from, _)| places(from)).max()?;
    let moves = |state: State| -> Vec<Move> {
        let certain = order.layers.edges(state).map(|(to, edge)| Move {
            from: state,
            to,
            kind: edge.map(|edge| edge.kind),
            choice: Choice::NONE,
        });
        let own = edges.iter().filter(|&&(from, _)| from == state).map(|&(_, to)| (to, last));
        let chosen = order.chosen(state).iter().copied().chain(own);
        let chosen =
            chosen.map(|(to, choice)| Move { from: state, to, kind: Some(Kind::Onward), choice });
        let inside = |it: &Move| (least..=most).contains(&order.place(it.to));
        certain.chain(chosen).filter(inside).collect()
    };
    let back = edges.iter().filter_map(|&(from, to)| {
        let mut cycle = shortest(to, from, &moves)?;
        cycle.push(Move { from, to, kind: Some(Kind::Onward), choice: last });
        Some(cycle)
    });
    back.min_by_key(Vec::len)
}

/// The shortest way from one state to another.
fn shortest(from: State, to: State, moves: &impl Fn(State) -> Vec<Move>) -> Option<Vec<Move>> {
    let mut came: FxHashMap<State, Move> = FxHashMap::default();
    let mut queue = VecDeque::from([from]);
    while let Some(state) = queue.pop_front().filter(|_| !came.contains_key(&to)) {
        for step in moves(state) {
            if step.to != from && !came.contains_key(&step.to) {
                came.insert(step.to, step);
                queue.push_back(step.to);
            }
        }
    }
    let (mut way, mut at) = (Vec::new(), to);
    while at != from {
        let step = *came.get(&at)?;
        way.push(step);
        at = step.from;
    }
    way.reverse();
    Some(way)
}
