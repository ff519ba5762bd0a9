//! What came before what without any data: sessions and real time, with a linear number of edges.

use rustc_hash::FxHashMap;

use super::graph::{Builder, Kind, Node};
use super::transaction::{NEVER, Transactions, TxnId};

/// From each transaction to the next of its session. Whatever nobody knows the end of is not
/// before anything: it may take effect later.
pub fn sessions(transactions: &Transactions, present: &[bool]) -> Builder {
    let mut last: FxHashMap<u32, TxnId> = FxHashMap::default();
    let mut edges = Builder::default();
    for id in transactions.ids().filter(|&id| present[id as usize]) {
        let txn = transactions.get(id);
        if let Some(&before) = last.get(&txn.session) {
            edges.add(before, id, Kind::Session);
        }
        if txn.end != NEVER {
            last.insert(txn.session, id);
        }
    }
    edges
}

/// Real time: whoever was acknowledged before another began comes first.
///
/// Not an edge for each such pair, but a chain of moments: those that end lead to the next
/// moment, each moment to the next and to those that begin after it. There is a path from one
/// transaction to another over moments exactly if the one was over when the other began.
/// Moments get the numbers from `first` on; the second number is how many there are.
pub fn real_time(transactions: &Transactions, present: &[bool], first: Node) -> (Builder, usize) {
    let mut ends = vec![NEVER; transactions.history().len()];
    for id in transactions.ids().filter(|&id| present[id as usize]) {
        let end = transactions.get(id).end;
        if end != NEVER {
            ends[end as usize] = id;
        }
    }
    let mut edges = Builder::default();
    let (mut moments, mut now) = (0, 0);
    for id in transactions.ids().filter(|&id| present[id as usize]) {
        let start = transactions.get(id).start as usize;
        let moment = first + moments as Node;
        let mut any = false;
        for &over in ends[now..start].iter().filter(|&&over| over != NEVER) {
            edges.add(over, moment, Kind::RealTime);
            any = true;
        }
        now = start;
        if any {
            if moments > 0 {
                edges.add(moment - 1, moment, Kind::Onward);
            }
            moments += 1;
        }
        if moments > 0 {
            edges.add(first + moments as Node - 1, id, Kind::Onward);
        }
    }
    (edges, moments)
}
