//! Which pairs of chains an order leaves open: those of which neither is over before the other
//! begins.
//!
//! Only of these anything has to be chosen. An order in which no two chains of a key overlap is an
//! answer, however few choices led to it.

use super::chain::{ChainId, Chains, Pair};
use super::order::Order;

/// The pairs that overlap, each with the one first that begins first; `most` at the most.
pub fn overlapping(order: &Order, chains: &Chains, most: usize) -> Vec<Pair> {
    let mut pairs = Vec::new();
    let mut sweep = Sweep::default();
    for key in chains.keys() {
        sweep.key(order, key.clone(), &mut pairs);
        if pairs.len() >= most {
            pairs.truncate(most);
            break;
        }
    }
    pairs
}

/// A walk over the chains of a key, by where their first writers begin.
#[derive(Default)]
struct Sweep {
    /// Where each begins, and the least place of a commit of those from it on.
    begins: Vec<(u32, ChainId, u32)>,
    /// Those passed that may yet overlap with one ahead.
    open: Vec<ChainId>,
}

impl Sweep {
    fn key(&mut self, order: &Order, key: std::ops::Range<ChainId>, pairs: &mut Vec<Pair>) {
        let last = order.layers.count - 1;
        self.begins.clear();
        self.begins.extend(key.map(|chain| (order.head(chain, 0), chain, order.head(chain, last))));
        self.begins.sort_unstable();
        let mut least = u32::MAX;
        for (.., commit) in self.begins.iter_mut().rev() {
            least = least.min(*commit);
            *commit = least;
        }
        self.open.clear();
        for &(begin, chain, least) in &self.begins {
            let commit = order.head(chain, last);
            self.open.retain(|&before| {
                let over = order.end(before, 0) < begin;
                if !over || order.end(before, last) > commit {
                    pairs.push(Pair { one: before, other: chain });
                }
                !over || order.end(before, last) > least
            });
            self.open.push(chain);
        }
    }
}
