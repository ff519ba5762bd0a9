//! Locks of keys, shared or exclusive, without deadlocks: **wait-die** (Rosenkrantz,
//! Stearns and Lewis, "System level concurrency control for distributed database
//! systems", TODS 1978). Who asks for a lock that others hold may wait for it when it is
//! older than all of them, and else gives up and begins again with its old age. So nobody waits
//! in a circle, on one node or across several, and the oldest always comes through.

use std::collections::HashMap;

use crate::message::{Age, TxnId};

/// How a key is locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Beside others that share it.
    Shared,
    /// Alone.
    Exclusive,
}

/// What becomes of who asks for a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// It has it.
    Granted,
    /// It may ask again when somebody has let go.
    Wait,
    /// It must not wait.
    Die,
}

/// The locks that are held.
#[derive(Default)]
pub struct Locks {
    keys: HashMap<String, Vec<Holder>>,
}

struct Holder {
    txn: TxnId,
    age: Age,
    mode: Mode,
}

impl Locks {
    /// Asks for a lock of `key`, or for a stronger one than it has.
    pub fn request(&mut self, txn: &TxnId, age: &Age, key: &str, mode: Mode) -> Grant {
        let holders = self.keys.entry(key.to_owned()).or_default();
        let excluded = |holder: &&Holder| mode.max(holder.mode) == Mode::Exclusive;
        let mut others = holders.iter().filter(|holder| holder.txn != *txn).filter(excluded);
        if let Some(first) = others.next() {
            let oldest = others.map(|holder| &holder.age).fold(&first.age, Ord::min);
            return if age < oldest { Grant::Wait } else { Grant::Die };
        }
        match holders.iter_mut().find(|holder| holder.txn == *txn) {
            Some(own) => own.mode = own.mode.max(mode),
            None => holders.push(Holder { txn: txn.clone(), age: age.clone(), mode }),
        }
        Grant::Granted
    }

    /// Lets go of one key.
    pub fn release(&mut self, txn: &TxnId, key: &str) {
        if let Some(holders) = self.keys.get_mut(key) {
            holders.retain(|holder| holder.txn != *txn);
        }
    }

    /// Lets go of all.
    pub fn release_all(&mut self, txn: &TxnId) {
        self.keys.retain(|_, holders| {
            holders.retain(|holder| holder.txn != *txn);
            !holders.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(locks: &mut Locks, number: u64, key: &str, mode: Mode) -> Grant {
        let txn = TxnId { node: "n1".into(), number };
        locks.request(&txn, &Age { begun: number, node: "n1".into() }, key, mode)
    }

    fn end(locks: &mut Locks, number: u64) {
        locks.release_all(&TxnId { node: "n1".into(), number });
    }

    #[test]
    fn readers_share_and_writers_exclude() {
        let mut locks = Locks::default();
        assert_eq!(ask(&mut locks, 5, "x", Mode::Shared), Grant::Granted);
        assert_eq!(ask(&mut locks, 9, "x", Mode::Shared), Grant::Granted);
        assert_eq!(ask(&mut locks, 9, "x", Mode::Exclusive), Grant::Die, "5 is older");
        assert_eq!(ask(&mut locks, 3, "x", Mode::Exclusive), Grant::Wait, "3 is the oldest");
        assert_eq!(ask(&mut locks, 7, "x", Mode::Exclusive), Grant::Die, "older than one only");
        end(&mut locks, 9);
        assert_eq!(ask(&mut locks, 5, "x", Mode::Exclusive), Grant::Granted, "alone: stronger");
        assert_eq!(ask(&mut locks, 5, "x", Mode::Shared), Grant::Granted, "it keeps the stronger");
        assert_eq!(ask(&mut locks, 3, "x", Mode::Shared), Grant::Wait);
        assert_eq!(ask(&mut locks, 9, "x", Mode::Shared), Grant::Die);
        end(&mut locks, 5);
        assert_eq!(ask(&mut locks, 9, "x", Mode::Shared), Grant::Granted);
    }

    #[test]
    fn two_that_want_each_other_s_keys_do_not_both_wait() {
        let mut locks = Locks::default();
        assert_eq!(ask(&mut locks, 1, "x", Mode::Exclusive), Grant::Granted);
        assert_eq!(ask(&mut locks, 2, "y", Mode::Exclusive), Grant::Granted);
        assert_eq!(ask(&mut locks, 1, "y", Mode::Exclusive), Grant::Wait);
        assert_eq!(ask(&mut locks, 2, "x", Mode::Exclusive), Grant::Die);
        end(&mut locks, 2);
        assert_eq!(ask(&mut locks, 1, "y", Mode::Exclusive), Grant::Granted);
    }

    #[test]
    fn one_key_is_let_go_alone() {
        let mut locks = Locks::default();
        ask(&mut locks, 1, "x", Mode::Shared);
        ask(&mut locks, 1, "y", Mode::Shared);
        locks.release(&TxnId { node: "n1".into(), number: 1 }, "x");
        assert_eq!(ask(&mut locks, 2, "x", Mode::Exclusive), Grant::Granted);
        assert_eq!(ask(&mut locks, 2, "y", Mode::Exclusive), Grant::Die);
    }
}
