//! The micro-operations of all transactions, sorted by key.

use std::ops::Range;

use super::transaction::{KeyId, MicroOp, Transactions, TxnId};

/// A micro-operation and whose it is.
#[derive(Clone, Copy, Debug)]
pub struct Step {
    /// The transaction.
    pub txn: TxnId,
    /// Where it is among the micro-operations of all.
    pub at: u32,
}

/// Steps by key, those on each key in the order of their transactions.
pub struct ByKey {
    steps: Vec<Step>,
    begins: Vec<u32>,
}

impl ByKey {
    /// Sorts the steps of all transactions, by counting.
    pub fn of(transactions: &Transactions) -> Self {
        let keys = transactions.key_count();
        let mut begins = vec![0_u32; keys + 1];
        for op in transactions.all_ops() {
            begins[op.key as usize + 1] += 1;
        }
        let mut sum = 0;
        for begin in &mut begins {
            sum += *begin;
            *begin = sum;
        }
        let mut next = begins.clone();
        let mut steps = vec![Step { txn: 0, at: 0 }; sum as usize];
        for txn in transactions.ids() {
            for at in transactions.range(txn) {
                let place = &mut next[transactions.all_ops()[at].key as usize];
                steps[*place as usize] = Step { txn, at: at as u32 };
                *place += 1;
            }
        }
        Self { steps, begins }
    }

    /// The steps on a key.
    pub fn steps(&self, key: KeyId) -> &[Step] {
        let range: Range<u32> = self.begins[key as usize]..self.begins[key as usize + 1];
        &self.steps[range.start as usize..range.end as usize]
    }
}

impl Step {
    /// What it does.
    pub fn op<'t>(&self, transactions: &'t Transactions) -> &'t MicroOp {
        &transactions.all_ops()[self.at as usize]
    }
}
