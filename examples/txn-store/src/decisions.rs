//! What a coordinator knows of its transactions: which are open, and which are
//! committed. All others are aborted (presumed abort: Mohan, Lindsay and Obermarck,
//! "Transaction management in the R* distributed database management system", TODS 1986).

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::message::{Outcome, Timestamp, TxnId};

/// Open and committed transactions. Committed ones are kept for ever, since nobody says
/// when the last participant knows; a test run is short.
#[derive(Default)]
pub struct Decisions {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    open: HashSet<TxnId>,
    committed: HashMap<TxnId, Timestamp>,
}

impl Decisions {
    /// It is open.
    pub fn begin(&self, txn: TxnId) {
        self.known().open.insert(txn);
    }

    /// It is committed, and on disk.
    pub fn commit(&self, txn: TxnId, time: Timestamp) {
        let mut known = self.known();
        known.open.remove(&txn);
        known.committed.insert(txn, time);
    }

    /// It is aborted.
    pub fn abort(&self, txn: &TxnId) {
        self.known().open.remove(txn);
    }

    /// How it ended; nothing as long as it is open.
    pub fn outcome(&self, txn: &TxnId) -> Option<Outcome> {
        let known = self.known();
        match known.committed.get(txn) {
            Some(&time) => Some(Outcome::Committed(time)),
            None if known.open.contains(txn) => None,
            None => Some(Outcome::Aborted),
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_coordinator_knows_is_aborted() {
        let decisions = Decisions::default();
        let txn = |number| TxnId { node: "n1".into(), number };
        (1..=3).for_each(|number| decisions.begin(txn(number)));
        decisions.commit(txn(1), 7);
        decisions.abort(&txn(2));
        assert_eq!(decisions.outcome(&txn(1)), Some(Outcome::Committed(7)));
        assert_eq!(decisions.outcome(&txn(2)), Some(Outcome::Aborted));
        assert_eq!(decisions.outcome(&txn(3)), None, "nobody knows yet");
        assert_eq!(decisions.outcome(&txn(4)), Some(Outcome::Aborted));
    }
}
