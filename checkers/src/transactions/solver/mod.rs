//! Whether blind writes have any order that keeps a level: what is left where what is certain does
//! not convict and no guess acquits. NP-hard (Papadimitriou, JACM 1979), so with a budget.
//!
//! The unknowns are pairs of chains of one key: which comes first ([`chain`]). A history keeps a
//! level exactly if its graph ([`layers`]) with one order of every pair has no cycle. Pairs are asked
//! of only when the order that there is leaves them open ([`overlap`]); what is chosen of them keeps
//! the order up to date ([`order`]) or is a conflict to learn from ([`search`]); and so on, until
//! nothing overlaps or there is no order. So a history is repaired where it is broken, and only
//! there. A refusal is told as the cycles that every order has one of ([`refutation`]).
//!
//! The search is our own. Of the solvers in Rust with a theory beside the clauses, batsat tells which
//! assumptions were in conflict, not which cycles they come from; it counts conflicts, not
//! the steps of the theory, which are most of the work here.

mod chain;
mod clauses;
mod layers;
mod learning;
mod order;
mod overlap;
mod path;
mod refutation;
mod search;

pub use chain::{Chain, Chains};
pub use layers::Question;
pub use path::Step;
pub use refutation::Way;

use super::graph::{Builder, Graph, Node};
use super::transaction::{NEVER, Transactions};
use layers::Layers;
use order::Order;
use overlap::overlapping;
use refutation::ways;
use search::{End, Search};

/// Steps of one question.
const STEPS: u64 = 100_000_000;

/// Pairs of one question.
const PAIRS: usize = 2_000_000;

/// What a search for an order comes to.
#[derive(Debug)]
pub enum Answer {
    /// There is one: the place of each transaction in it.
    Ordered(Vec<u32>),
    /// There is none: every order has one of these cycles.
    Refuted(Vec<Way>),
    /// The budget ran out first.
    Open,
}

/// How far a search came.
#[derive(Clone, Copy, Debug, Default)]
pub struct Progress {
    /// Pairs of writes that were asked of.
    pub pairs: usize,
    /// Contradictions among them that were learned from.
    pub conflicts: u64,
    /// States of the graph that were looked at.
    pub steps: u64,
}

/// Asks for orders of the chains of a history.
pub struct Solver<'a, 'h> {
    transactions: &'a Transactions<'h>,
    chains: &'a Chains,
    /// What is certain, and the same turned round.
    ahead: Graph,
    behind: Graph,
}

impl<'a, 'h> Solver<'a, 'h> {
    /// Of chains, with what is certain on `nodes` nodes, the transactions first.
    pub fn new(
        transactions: &'a Transactions<'h>,
        chains: &'a Chains,
        edges: &mut Vec<Builder>,
        nodes: usize,
    ) -> Self {
        edges.push(chains.ends(nodes as Node));
        let ahead = Graph::new(nodes + chains.len(), edges);
        edges.pop();
        Self { transactions, chains, behind: ahead.reversed(), ahead }
    }

    /// Asks for an order, and tells how far the search came.
    pub fn ask(&self, question: Question) -> (Answer, Progress) {
        let layers = Layers::new(&self.ahead, &self.behind, question);
        let rank = |state| rank(self.transactions, &layers, state);
        let count = self.transactions.len();
        let Some(mut order) = Order::new(&layers, self.chains, count, rank) else {
            return (Answer::Open, Progress::default());
        };
        let mut search = Search::new(&mut order, STEPS);
        loop {
            let room = PAIRS - search.pairs.len();
            let pairs = overlapping(search.order, self.chains, room);
            search.order.steps += self.chains.len() as u64;
            let done = pairs.is_empty() && room > 0;
            search.add(pairs);
            let end = if done { End::Ordered } else { search.run() };
            let (pairs, conflicts) = (search.pairs.len(), search.conflicts);
            let progress = Progress { pairs, conflicts, steps: search.order.steps };
            let answer = match end {
                End::Ordered if done => Answer::Ordered(search.leave().commits(count)),
                End::Ordered if room > 0 => continue,
                End::Refuted(clause) => {
                    let ways = ways(search, clause, self.chains, count);
                    ways.map_or(Answer::Open, Answer::Refuted)
                }
                End::Ordered | End::Over => Answer::Open,
            };
            return (answer, progress);
        }
    }
}

/// Where a state would be by time: a beginning when the transaction began, all else when it ended.
fn rank(transactions: &Transactions, layers: &Layers, state: layers::State) -> u32 {
    match transactions.all().get(layers.node(state) as usize) {
        Some(txn) if txn.end == NEVER || layers.begins(state) => txn.start,
        Some(txn) => txn.end,
        None => 0,
    }
}
