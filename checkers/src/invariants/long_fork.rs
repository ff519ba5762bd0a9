//! `long-fork`: two readers may not disagree on which of two writes came first (Jepsen's
//! `long-fork`; the anomaly that parallel snapshot isolation allows and snapshot isolation forbids).
//!
//! Calls: `txn` [["w", k, v]], each key written once; `txn` [["r", k, v or null], …] of several keys.
//! Whatever two reads share, the one must have seen all that the other saw, or the other way round. What
//! a read finds is what was written to that key.

use rustc_hash::FxHashMap;
use tribunal_history::{Datum, History, Operation};

use super::{Stray, anomaly, first, first_of_each, who};
use crate::transactions::{Action, Shape, Transactions, TxnId};
use crate::{Anomaly, Checker, Verdict};

/// Judges reads of keys that are written once.
#[derive(Clone, Copy, Debug, Default)]
pub struct LongFork;

/// A read of a group of keys: which of them it found written.
struct Seen {
    txn: TxnId,
    found: Vec<bool>,
    count: usize,
}

impl Checker for LongFork {
    fn check(&self, history: &History) -> Verdict {
        let transactions = match Transactions::read(history, Shape::Registers) {
            Ok(transactions) => transactions,
            Err(bad) => return Verdict::objected(bad.to_string()),
        };
        let writes = match writes(&transactions) {
            Ok(writes) => writes,
            Err(problem) => return Verdict::objected(problem),
        };
        let groups = groups(&transactions);
        let mut forks: Vec<(TxnId, Anomaly)> =
            groups.iter().filter_map(|(keys, reads)| fork(&transactions, keys, reads)).collect();
        forks.sort_by_key(|&(first, _)| first);
        let reads: usize = groups.values().map(Vec::len).sum();
        let mut anomalies = first_of_each(strays(&transactions, &writes));
        anomalies.extend(first(forks.into_iter().map(|(_, fork)| fork).collect()));
        let mut verdict =
            Verdict::of(anomalies).fact("reads", reads).fact("groups_of_keys", groups.len());
        if reads == 0 {
            verdict.doubt("no read of several keys was acknowledged: no order was seen");
        }
        verdict
    }
}

/// What is written to each key, and by which transaction.
type Writes = FxHashMap<u32, (TxnId, Datum)>;

fn writes(transactions: &Transactions) -> Result<Writes, String> {
    let mut writes = Writes::default();
    for txn in transactions.ids() {
        for op in transactions.ops(txn).iter().filter(|op| op.action == Action::Write) {
            if let Some((other, _)) = writes.insert(op.key, (txn, op.value)) {
                let start = |txn| transactions.get(txn).start;
                return Err(format!(
                    "event {} writes key {} again, as event {} did; in long-fork each key is \
                     written once",
                    start(txn),
                    transactions.key(op.key),
                    start(other)
                ));
            }
        }
    }
    Ok(writes)
}

/// The first value of each read that it cannot have found.
fn strays(transactions: &Transactions, writes: &Writes) -> Vec<Anomaly> {
    let has_real_time = transactions.history().has_real_time();
    let stray = |txn: TxnId| {
        let reads = transactions.ops(txn).iter().filter(|op| op.action == Action::Read);
        reads.filter(|op| !op.value.is_null()).find_map(|op| {
            let write = writes.get(&op.key).filter(|(_, value)| *value == op.value);
            let write: Option<Operation> = write.map(|&(txn, _)| transactions.operation(txn));
            let read = transactions.operation(txn);
            let stray = Stray::of(&read, write.as_ref(), has_real_time)?;
            let (value, key) = (transactions.value(op.value), transactions.key(op.key));
            Some(stray.anomaly("thin-air-read", &read, &format!("{value} in key {key}")))
        })
    };
    transactions.ids().filter_map(stray).collect()
}

/// The reads of each group of keys.
fn groups(transactions: &Transactions) -> FxHashMap<Vec<u32>, Vec<Seen>> {
    let mut groups: FxHashMap<Vec<u32>, Vec<Seen>> = FxHashMap::default();
    for txn in transactions.ids() {
        let mut reads: Vec<(u32, Datum)> = transactions
            .ops(txn)
            .iter()
            .filter(|op| op.action == Action::Read)
            .map(|op| (op.key, op.value))
            .collect();
        reads.sort_unstable();
        if reads.len() > 1 {
            let keys = reads.iter().map(|&(key, _)| key).collect();
            let found: Vec<bool> = reads.iter().map(|(_, value)| !value.is_null()).collect();
            let count = found.iter().filter(|&&found| found).count();
            groups.entry(keys).or_default().push(Seen { txn, found, count });
        }
    }
    groups
}

/// Two reads neither of which saw all that the other saw. Sorted by how much they saw, each
/// must go on from the one before: what is not so there is not so anywhere.
fn fork(transactions: &Transactions, keys: &[u32], reads: &[Seen]) -> Option<(TxnId, Anomaly)> {
    let mut sorted: Vec<&Seen> = reads.iter().collect();
    sorted.sort_by_key(|seen| (seen.count, seen.txn));
    let missing =
        |less: &Seen, more: &Seen| (0..keys.len()).find(|&at| less.found[at] && !more.found[at]);
    let pair = sorted.windows(2).find(|pair| missing(pair[0], pair[1]).is_some())?;
    let (one, other) = (pair[0], pair[1]);
    let (only_one, only_other) = (missing(one, other)?, missing(other, one)?);
    let calls = [one.txn, other.txn].map(|txn| transactions.operation(txn));
    let [here, there] = [only_one, only_other].map(|at| transactions.key(keys[at]));
    let message = format!(
        "{} saw the write of key {here} and not yet that of {there}; {} saw that of {there} and not \
         yet that of {here}. No order of the two writes is right for both.",
        who(&calls[0]),
        who(&calls[1])
    );
    Some((one.txn, anomaly("long-fork", &calls, message)))
}
