//! Transactions and their steps in words.

use super::transaction::{KeyId, MicroOp, Transactions, TxnId};
use crate::times;

/// The longest list that is told whole.
const ELEMENTS: usize = 12;

/// "T17": a transaction by the index of its invocation, which is its name in a verdict.
pub fn name(transactions: &Transactions, txn: TxnId) -> String {
    format!("T{}", transactions.get(txn).start)
}

/// "read [1,2] of x"; of a long list the end.
pub fn read(transactions: &Transactions, op: &MicroOp) -> String {
    let key = transactions.key(op.key);
    if op.value.is_null() {
        return format!("read nothing of {key}");
    }
    let list = transactions.list(op.value);
    let data = list.data();
    match data.len().checked_sub(ELEMENTS) {
        Some(hidden @ 1..) => {
            let last: Vec<String> =
                data[hidden..].iter().map(|&it| transactions.value(it).to_string()).collect();
            format!("read [… {hidden} more, {}] of {key}", last.join(","))
        }
        _ => format!("read {} of {key}", transactions.value(op.value)),
    }
}

/// "appended 3 to x".
pub fn appended(transactions: &Transactions, op: &MicroOp) -> String {
    format!("appended {} to {}", transactions.value(op.value), transactions.key(op.key))
}

/// "wrote 3 to x".
pub fn wrote(transactions: &Transactions, op: &MicroOp) -> String {
    format!("wrote {} to {}", transactions.value(op.value), transactions.key(op.key))
}

/// "key x".
pub fn key(transactions: &Transactions, key: KeyId) -> String {
    format!("key {}", transactions.key(key))
}

/// "T17 (p3 on n1, 1.200–1.210 s)"; without the times where nobody knows them.
pub fn introduced(transactions: &Transactions, txn: TxnId) -> String {
    let call = transactions.operation(txn);
    let node = call.node().map_or(String::new(), |node| format!(" on {node}"));
    let span = match transactions.history().has_real_time() {
        true => format!(", {}", times::span(&call)),
        false => String::new(),
    };
    format!("{} ({}{node}{span})", name(transactions, txn), call.process())
}
