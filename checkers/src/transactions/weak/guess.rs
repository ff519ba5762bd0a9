//! The order of all transactions that is tried first. Whatever it is, it decides nothing; the
//! nearer it is to the one in which they ran, the less is at odds with it.

use rayon::prelude::*;

use super::super::transaction::TxnId;
use super::history_order::{Order, order};
use super::table::Table;

/// The order of the history, if it can be one. If not, as for files that list one session after the
/// other, that of the chains of those that saw each other.
pub fn guess(table: &Table) -> Vec<TxnId> {
    let everybody = (0..table.len() as TxnId).filter(|&txn| table.present[txn as usize]);
    if everybody.clone().all(|txn| table.saw(txn).all(|seen| seen < txn)) {
        return everybody.collect();
    }
    let paced = by_share(everybody.collect(), &paces(table));
    match order(paced.iter().copied(), table.len(), |txn| table.saw(txn)) {
        Some(order) => along_chains(table, order),
        None => paced,
    }
}

/// How far each is in its session, as if sessions ran side by side, each at its own even pace. Those in
/// no session come when they are pulled.
fn paces(table: &Table) -> Vec<u32> {
    let mut shares = vec![u32::MAX; table.len()];
    for session in &table.sessions {
        for (at, &txn) in session.iter().enumerate() {
            shares[txn as usize] = share(at, session.len());
        }
    }
    shares
}

/// By how far each is along the longest chain through it of transactions that saw the one before.
/// A session that sees no other keeps its even pace; those that see each other often are
/// tied together far more closely than by any pace.
fn along_chains(table: &Table, order: Order) -> Vec<TxnId> {
    let (mut before, mut after) = (vec![0_usize; table.len()], vec![0_usize; table.len()]);
    for &txn in &order.txns {
        let longest = table.saw(txn).map(|seen| before[seen as usize] + 1).max();
        before[txn as usize] = longest.unwrap_or(0);
    }
    for &txn in order.txns.iter().rev() {
        for seen in table.saw(txn) {
            after[seen as usize] = after[seen as usize].max(after[txn as usize] + 1);
        }
    }
    let whole = before.iter().zip(&after).map(|(before, after)| before + after + 1);
    let shares: Vec<u32> = before.iter().zip(whole).map(|(&at, of)| share(at, of)).collect();
    by_share(order.txns, &shares)
}

/// A share as a whole number.
fn share(at: usize, of: usize) -> u32 {
    (((at as u64) << 31) / of as u64) as u32
}

/// Sorted by their shares; of equal ones the first stays the first.
fn by_share(mut txns: Vec<TxnId>, shares: &[u32]) -> Vec<TxnId> {
    txns.par_sort_by_key(|&txn| shares[txn as usize]);
    txns
}
