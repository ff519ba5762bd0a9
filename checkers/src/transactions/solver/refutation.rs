//! Why there is no order: cycles, of which every order of the blind writes has one.
//!
//! What a search learned follows from cycles. Their pairs are asked again by themselves, without
//! one and without another, while there is still no order; and of the cycles those are left out
//! that the others do without (deletion, after Dershowitz, Hanna and Nadel, SAT 2006). What
//! remains can be checked by hand: however the pairs are ordered, one of the cycles is whole.

use rustc_hash::FxHashMap;

use super::chain::{Chains, Choice, Pair, PairId};
use super::clauses::ClauseId;
use super::order::Order;
use super::path::{Step, cycle};
use super::search::{End, Search};

/// Steps that may be taken to make a refutation smaller.
const STEPS: u64 = 50_000_000;

/// Pairs, and cycles, of which each is tried to be left out.
const FEW: usize = 64;

/// Looks at cycles to see whether some are all that there need be.
const LOOKS: u32 = 20_000;

/// A cycle by its steps: each ends where the next begins, and the last where the first does.
pub type Way = Vec<Step>;

/// Pairs that have no order, and the cycles that say so.
struct Core {
    pairs: Vec<Pair>,
    cycles: Vec<Vec<Choice>>,
}

/// The cycles that every order has one of, after a search that found none. `None` if one of them
/// is not found again.
pub fn ways(
    search: Search,
    refuted: ClauseId,
    chains: &Chains,
    transactions: usize,
) -> Option<Vec<Way>> {
    let mut core = Core::of(&search, refuted);
    let order = search.leave();
    let end = order.steps + STEPS;
    while let Some(smaller) = Core::again(order, &core.pairs, end) {
        let before = std::mem::replace(&mut core, smaller).pairs.len();
        if core.pairs.len() >= before {
            break;
        }
    }
    core.shrink(order, end);
    let mut ways: Vec<Way> = Vec::new();
    for choices in core.needed() {
        ways.push(cycle(order, choices, &core.pairs, chains, transactions)?);
    }
    let chosen = |way: &Way| way.iter().filter(|step| step.choice.is_some()).count();
    ways.sort_by_key(|way| (chosen(way), way.len()));
    Some(ways)
}

impl Core {
    /// What a clause without a choice follows from.
    fn of(search: &Search, refuted: ClauseId) -> Self {
        let (mut pairs, mut names) = (Vec::new(), FxHashMap::default());
        let mut rename = |choice: Choice| {
            let name = *names.entry(choice.pair()).or_insert_with(|| {
                pairs.push(search.pairs[choice.pair() as usize]);
                (pairs.len() - 1) as PairId
            });
            Choice::new(name, choice.one_first())
        };
        let cycles = search.cycles_behind(refuted).into_iter();
        let cycles = cycles.map(|it| it.into_iter().map(&mut rename).collect()).collect();
        Self { pairs, cycles }
    }

    /// The same by a search of some pairs alone; `None` where they have an order, or nobody knows.
    fn again(order: &mut Order, pairs: &[Pair], end: u64) -> Option<Self> {
        let mut search = Search::new(order, end);
        let core = loop {
            let open = pairs.iter().copied().filter(|&pair| !search.order.is_apart(pair));
            let open: Vec<Pair> = open.collect();
            if open.is_empty() {
                break None;
            }
            search.add(open);
            match search.run() {
                End::Refuted(clause) => break Some(Self::of(&search, clause)),
                End::Ordered => {}
                End::Over => break None,
            }
        };
        search.leave();
        core
    }

    /// Leaves out each pair without which there is still no order.
    fn shrink(&mut self, order: &mut Order, end: u64) {
        if self.pairs.len() > FEW {
            return;
        }
        let mut needed: Vec<Pair> = Vec::new();
        while let Some(&pair) = self.pairs.iter().find(|pair| !needed.contains(pair)) {
            let rest: Vec<Pair> = self.pairs.iter().copied().filter(|&it| it != pair).collect();
            match Self::again(order, &rest, end) {
                Some(smaller) => *self = smaller,
                None => needed.push(pair),
            }
        }
    }

    /// Those of the cycles without which there would be an order.
    fn needed(&self) -> Vec<&[Choice]> {
        let mut cycles: Vec<&[Choice]> = self.cycles.iter().map(Vec::as_slice).collect();
        if cycles.len() > FEW {
            return cycles;
        }
        // The longest first, so that the shortest stay.
        cycles.sort_by_key(|cycle| std::cmp::Reverse(cycle.len()));
        let (mut at, mut looks) = (0, LOOKS);
        while at < cycles.len() {
            let cycle = cycles.remove(at);
            if !cover(&cycles, &mut Vec::new(), &mut looks) {
                cycles.insert(at, cycle);
                at += 1;
            }
        }
        cycles
    }
}

/// Whether one of the cycles is whole however the pairs are ordered that have no order yet. Says no
/// where that takes too many looks.
fn cover(cycles: &[&[Choice]], made: &mut Vec<Choice>, looks: &mut u32) -> bool {
    *looks = looks.saturating_sub(1);
    let possible = cycles.iter().filter(|it| !it.iter().any(|choice| made.contains(&choice.not())));
    let open = |cycle: &[Choice]| cycle.iter().filter(|it| !made.contains(it)).count();
    let Some(cycle) = possible.min_by_key(|cycle| open(cycle)).filter(|_| *looks > 0) else {
        return false;
    };
    let Some(&choice) = cycle.iter().find(|it| !made.contains(it)) else { return true };
    [choice, choice.not()].into_iter().all(|choice| {
        made.push(choice);
        let covered = cover(cycles, made, looks);
        made.pop();
        covered
    })
}
