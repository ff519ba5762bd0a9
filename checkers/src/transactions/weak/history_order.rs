//! An order of transactions in which each comes after those that must come before it, and as near
//! as may be to the one that was guessed before.

use super::super::register::reads::INITIAL;
use super::super::transaction::TxnId;

/// An order, and everybody's place in it.
pub struct Order {
    /// The transactions, the first one first.
    pub txns: Vec<TxnId>,
    /// The place of each; of those that are not in it, none.
    pub places: Vec<u32>,
}

impl Order {
    /// The place before all.
    pub const NOWHERE: u32 = u32::MAX;

    /// Whether one comes before another. What was there before all writes comes before everybody.
    pub fn has(&self, before: TxnId, after: TxnId) -> bool {
        after != INITIAL && self.places[before as usize] < self.places[after as usize]
    }
}

/// The order of `guess` with everybody's predecessors pulled before it; `None` if there is no such order.
///
/// `before` tells one predecessor of a transaction after the other. A walk in depth
/// without recursion: a chain of predecessors may be a million long.
pub fn order<I: Iterator<Item = TxnId>>(
    guess: impl Iterator<Item = TxnId>,
    count: usize,
    before: impl Fn(TxnId) -> I,
) -> Option<Order> {
    const OPEN: u32 = Order::NOWHERE - 1;
    let mut places = vec![Order::NOWHERE; count];
    let mut txns = Vec::with_capacity(count);
    let mut path: Vec<(TxnId, I)> = Vec::new();
    for txn in guess {
        if places[txn as usize] == Order::NOWHERE {
            places[txn as usize] = OPEN;
            path.push((txn, before(txn)));
        }
        while let Some((txn, rest)) = path.last_mut() {
            match rest.next().map(|next| (next, places[next as usize])) {
                Some((next, Order::NOWHERE)) => {
                    places[next as usize] = OPEN;
                    path.push((next, before(next)));
                }
                Some((_, OPEN)) => return None,
                Some(_) => {}
                None => {
                    places[*txn as usize] = txns.len() as u32;
                    txns.push(*txn);
                    path.pop();
                }
            }
        }
    }
    Some(Order { txns, places })
}
