//! Edges from everyone to everyone else, though only linear in number.
//!
//! The versions of a key whose order is not known all come after what is: after whoever read the
//! last of what is known, and after its writer. Among themselves they have no order.

use super::graph::{Builder, Kind, Node};
use super::transaction::TxnId;

/// Who comes before, and who after.
#[derive(Clone, Debug, Default)]
pub struct Fan {
    /// Those before, and why.
    pub before: Vec<(TxnId, Kind)>,
    /// Those after, in the order of their numbers; only those that are present count.
    pub after: Vec<TxnId>,
}

impl Fan {
    /// Adds an edge from everyone before to everyone after but itself, for those after that are
    /// present, and tells these. Helper nodes get the numbers from `next` on, which is moved
    /// behind them: they stand for those after up to a place, and for those from a place on.
    pub fn edges(&self, present: &[bool], next: &mut Node, edges: &mut Builder) -> Vec<TxnId> {
        let after: Vec<TxnId> =
            self.after.iter().copied().filter(|&txn| present[txn as usize]).collect();
        if self.before.len() < 3 || after.len() < 3 {
            for &(from, kind) in &self.before {
                after.iter().for_each(|&to| edges.add(from, to, kind));
            }
            return after;
        }
        let ends = Ends { first: *next, after: &after };
        ends.chains(edges);
        *next += 2 * after.len() as Node;
        for &(from, kind) in &self.before {
            ends.lead(from, kind, edges);
        }
        after
    }
}

/// Helpers: at each place one for all up to it, one for all from it.
struct Ends<'a> {
    first: Node,
    after: &'a [TxnId],
}

impl Ends<'_> {
    fn up_to(&self, place: usize) -> Node {
        self.first + 2 * place as Node
    }

    fn on_from(&self, place: usize) -> Node {
        self.first + 2 * place as Node + 1
    }

    fn chains(&self, edges: &mut Builder) {
        for (place, &writer) in self.after.iter().enumerate() {
            edges.add(self.up_to(place), writer, Kind::Onward);
            edges.add(self.on_from(place), writer, Kind::Onward);
            if let Some(before) = place.checked_sub(1) {
                edges.add(self.up_to(place), self.up_to(before), Kind::Onward);
                edges.add(self.on_from(before), self.on_from(place), Kind::Onward);
            }
        }
    }

    /// To all but itself.
    fn lead(&self, from: TxnId, kind: Kind, edges: &mut Builder) {
        let (lower, higher) = match self.after.binary_search(&from) {
            Ok(place) => (place.checked_sub(1), place + 1),
            Err(_) => (None, 0),
        };
        if let Some(place) = lower {
            edges.add(from, self.up_to(place), kind);
        }
        if higher < self.after.len() {
            edges.add(from, self.on_from(higher), kind);
        }
    }
}
