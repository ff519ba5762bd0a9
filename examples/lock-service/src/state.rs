//! The data: who holds which lock under which token, how many have passed which semaphore, and the stores
//! that locks guard.
//!
//! No time passes here: that a lease has run out is a change like any other, which the leader
//! asks for by its clock (`clock.rs`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Bug;

/// All data.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct State {
    locks: BTreeMap<String, Lock>,
    /// How many hold a permit of each.
    semaphores: BTreeMap<String, u64>,
    stores: BTreeMap<String, Guarded>,
}

/// A lock that was ever held.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Lock {
    held: bool,
    /// The token of the last grant; the next one's is higher.
    token: u64,
    /// For how long that was from the grant or the last renewal on, where it was a lease.
    ttl_ms: Option<u64>,
    /// How often any lease of it was renewed.
    renewals: u64,
}

/// A lease that runs.
pub struct Lease {
    pub key: String,
    pub token: u64,
    pub ttl_ms: u64,
    pub renewals: u64,
}

/// A value that a lock guards.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Guarded {
    /// The highest token that anybody wrote under.
    token: u64,
    value: Value,
}

/// What alters them.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// The lock, if nobody has it, until it is released or for a time.
    Acquire { key: String, ttl_ms: Option<u64> },
    /// The lease anew, for whoever has this token.
    Renew { key: String, token: u64 },
    /// The lock is given back; without a token by whoever has it.
    Release { key: String, token: Option<u64> },
    /// A permit of the semaphore, if fewer than `permits` are out.
    Enter { key: String, permits: u64 },
    /// A permit is given back.
    Leave { key: String },
    /// The lease has run out, unless it was renewed more often than this.
    Expire { key: String, token: u64, renewals: u64 },
    /// A value for the store that the lock of this key guards.
    Write { key: String, token: u64, value: Value },
}

/// What only looks at them.
#[derive(Serialize, Deserialize)]
pub enum Question {
    /// The value that the lock of this key guards.
    Read { key: String },
}

/// What comes back.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum Answer {
    /// The lock is the caller's, or still is.
    Granted { token: u64, ttl_ms: Option<u64> },
    /// It was done.
    Done,
    /// It is somebody else's, or not the caller's any more, or the token is too old.
    Denied,
    /// To a read.
    Value(Value),
}

impl State {
    /// Performs a change.
    pub fn apply(&mut self, change: Change, bug: Bug) -> Answer {
        match change {
            Change::Acquire { key, ttl_ms } => self.locks.entry(key).or_default().acquire(ttl_ms),
            Change::Renew { key, token } => {
                self.locks.get_mut(&key).map_or(Answer::Denied, |lock| lock.renew(token, bug))
            }
            Change::Release { key, token } => {
                self.locks.get_mut(&key).map_or(Answer::Denied, |lock| lock.release(token))
            }
            Change::Enter { key, permits } => {
                let out = self.semaphores.entry(key).or_default();
                if *out >= permits {
                    return Answer::Denied;
                }
                *out += 1;
                Answer::Done
            }
            Change::Leave { key } => match self.semaphores.get_mut(&key) {
                Some(out) if *out > 0 => {
                    *out -= 1;
                    Answer::Done
                }
                _ => Answer::Denied,
            },
            Change::Expire { key, token, renewals } => {
                let lock = self.locks.entry(key).or_default();
                if (lock.token, lock.renewals) == (token, renewals) {
                    lock.held = false;
                }
                Answer::Done
            }
            Change::Write { key, token, value } => {
                self.stores.entry(key).or_default().write(token, value, bug)
            }
        }
    }

    /// Answers a question.
    pub fn look(&self, question: &Question) -> Answer {
        let Question::Read { key } = question;
        Answer::Value(self.stores.get(key).map(|store| store.value.clone()).unwrap_or_default())
    }

    /// The leases that run.
    pub fn leases(&self) -> impl Iterator<Item = Lease> {
        self.locks.iter().filter(|(_, lock)| lock.held).filter_map(|(key, lock)| {
            let Lock { token, renewals, .. } = *lock;
            Some(Lease { key: key.clone(), token, ttl_ms: lock.ttl_ms?, renewals })
        })
    }
}

impl Lock {
    fn acquire(&mut self, ttl_ms: Option<u64>) -> Answer {
        if self.held {
            return Answer::Denied;
        }
        (self.held, self.token, self.ttl_ms) = (true, self.token + 1, ttl_ms);
        self.granted(self.token)
    }

    fn renew(&mut self, token: u64, bug: Bug) -> Answer {
        // THE BUG `renewed-after-expiry`: nobody looks whether there still is that lease to renew.
        if !self.is_held_under(token) && bug != Bug::RenewedAfterExpiry {
            return Answer::Denied;
        }
        (self.held, self.renewals) = (true, self.renewals + 1);
        self.granted(token)
    }

    fn release(&mut self, token: Option<u64>) -> Answer {
        if !self.is_held_under(token.unwrap_or(self.token)) {
            return Answer::Denied;
        }
        self.held = false;
        Answer::Done
    }

    fn is_held_under(&self, token: u64) -> bool {
        self.held && self.token == token
    }

    fn granted(&self, token: u64) -> Answer {
        Answer::Granted { token, ttl_ms: self.ttl_ms }
    }
}

impl Guarded {
    fn write(&mut self, token: u64, value: Value, bug: Bug) -> Answer {
        // THE BUG `token-not-checked`.
        if token < self.token && bug != Bug::TokenNotChecked {
            return Answer::Denied;
        }
        self.token = self.token.max(token);
        self.value = value;
        Answer::Done
    }
}
