//! The appends that no read shows.
//!
//! Lists only grow, so a committed append that is missing from the longest read came after it:
//! after the last writer that was read, and after whoever read the whole. Among themselves
//! such appends have no known order. With this the graph is complete: a history of lists is
//! serializable exactly if it has no cycle.

use crate::transactions::TxnId;
use crate::transactions::graph::{Builder, Kind, Node};

/// Who comes before, and who after, the end of what was read of a key.
#[derive(Clone, Debug, Default)]
pub struct Tail {
    /// The last writer that was read.
    pub last: Option<TxnId>,
    /// Whoever read all that was ever read, and appended nothing before.
    pub readers: Vec<TxnId>,
    /// Whose appends no read shows: present or not.
    pub unread: Vec<TxnId>,
    /// One who read all and then appended, unread.
    pub updater: Option<TxnId>,
}

impl Tail {
    /// Adds its edges, for those writers that are present, and tells these. Helper nodes get the
    /// numbers from `next` on, which is moved behind them.
    ///
    /// An edge from everyone before to everyone after but itself, though only linear in number:
    /// helpers stand for the writers up to a place, and for those from a place on.
    pub fn edges(&self, present: &[bool], next: &mut Node, edges: &mut Builder) -> Vec<TxnId> {
        let after: Vec<TxnId> =
            self.unread.iter().copied().filter(|&txn| present[txn as usize]).collect();
        let before = self.readers.iter().map(|&txn| (txn, Kind::ReadWrite));
        let before = before.chain(self.last.map(|txn| (txn, Kind::WriteWrite)));
        let before: Vec<(TxnId, Kind)> = before.collect();
        if before.len() < 3 || after.len() < 3 {
            for &(from, kind) in &before {
                after.iter().for_each(|&to| edges.add(from, to, kind));
            }
            return after;
        }
        let ends = Ends { first: *next, after: &after };
        ends.chains(edges);
        *next += 2 * after.len() as Node;
        for (from, kind) in before {
            ends.lead(from, kind, edges);
        }
        after
    }
}

/// Helpers for writers of unknown order: at each place one for all up to it, one for all from it.
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

    /// To all but itself. The writers are in the order of their numbers.
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
