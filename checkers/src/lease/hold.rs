//! Holds: when a process certainly held a lease, and when it may have.

use rustc_hash::FxHashMap;
use tribunal_history::Nanos;

use super::Lease;
use super::call::{Action, Call, Outcome};
use crate::linearizability::lock;
use crate::linearizability::model::Op;

/// One stretch of a process' lease.
///
/// The lease was granted by `granted`, and did not run out before `until`: between them it was
/// certainly held, if they are in that order; if not, it was held at some instant between them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hold {
    pub process: u64,
    pub token: Option<i64>,
    /// The operation that began it.
    pub first: u32,
    /// The one that prolonged it last, or the same.
    pub last: u32,
    /// The operation that may have ended it, if one was called.
    pub release: Option<u32>,
    pub granted: Nanos,
    pub until: Nanos,
    /// Before this it was certainly not held.
    pub earliest: Nanos,
    /// Nor after this.
    pub latest: Nanos,
    /// How long its first call granted it for, at least.
    pub length: Nanos,
    /// Something may have ended it from here on.
    pub cut: Nanos,
    /// Whether it may have ended at the very instant at which it began.
    pub fleeting: bool,
}

impl Hold {
    /// Whether this one certainly began before that one ended.
    fn precedes(&self, other: &Hold) -> bool {
        self.granted < other.until
    }

    /// Whether two processes held the lease at once, however the instants are placed.
    pub fn overlaps(&self, other: &Hold) -> bool {
        !self.fleeting && !other.fleeting && self.precedes(other) && other.precedes(self)
    }

    /// Whether it certainly lasted for [`length`](Hold::length), whichever its first instant, or
    /// until it was cut: no renewal has made its end depend on another instant.
    pub fn slides(&self) -> bool {
        self.first == self.last && !self.fleeting
    }

    /// Something at that time may have ended it.
    fn cut(&mut self, at: Nanos) {
        self.until = self.until.min(at);
        self.cut = self.cut.min(at);
        self.fleeting |= at <= self.granted;
    }
}

/// All that is known of one lease.
#[derive(Default)]
pub(super) struct Holds {
    /// In the order in which they began.
    pub all: Vec<Hold>,
    /// Acquires that answered with a token.
    pub grants: Vec<Op<lock::Call>>,
    /// Renewals under a token: the token, where each began in the log, and its number.
    pub renewals: Vec<(i64, u32, u32)>,
    /// How many grants and renewals there were.
    pub granted: usize,
    /// Those of them that tell no duration.
    pub without_ttl: usize,
    lessees: FxHashMap<u64, Lessee>,
}

/// A process, and what it holds.
#[derive(Clone, Copy)]
struct Lessee {
    hold: Option<usize>,
    /// The shortest duration that a call of unknown outcome may have asked for: it may take
    /// effect at any later time and shorten the lease to this.
    shortest: Nanos,
}

impl Holds {
    /// What the calls on one lease tell of it.
    pub fn of(calls: impl Iterator<Item = Call>, lease: &Lease) -> Self {
        let mut holds = Self::default();
        calls.for_each(|call| holds.add(&call, lease));
        holds
    }

    fn add(&mut self, call: &Call, lease: &Lease) {
        let unknown = Lessee { hold: None, shortest: Nanos::MAX };
        let mut lessee = self.lessees.get(&call.process).copied().unwrap_or(unknown);
        match (call.action, call.outcome) {
            (Action::Acquire, Outcome::Refused) => return,
            (Action::Acquire | Action::Renew, Outcome::Ok) => {
                self.grant(&mut lessee, call, lease);
            }
            (Action::Acquire | Action::Renew, Outcome::Unknown) => {
                let shortened = lease.least(call.ttl.unwrap_or(0));
                lessee.shortest = lessee.shortest.min(shortened);
                self.cut(&lessee, call.start.saturating_add(shortened));
            }
            (Action::Renew, Outcome::Refused) => {
                self.cut(&lessee, call.start);
                lessee.hold = None;
            }
            (Action::Release, outcome) => {
                self.release(&lessee, call, outcome);
                lessee.hold = lessee.hold.filter(|_| outcome == Outcome::Refused);
                if outcome == Outcome::Unknown {
                    // It may yet end whatever this process holds later.
                    lessee.shortest = 0;
                }
            }
        }
        self.lessees.insert(call.process, lessee);
    }

    fn grant(&mut self, lessee: &mut Lessee, call: &Call, lease: &Lease) {
        self.granted += 1;
        let current = lessee.hold.filter(|&at| self.continues(&self.all[at], call));
        self.note_token(call, current.is_some());
        let Some(ttl) = call.ttl else {
            self.without_ttl += 1;
            // Whatever it was prolonged by, or shortened to.
            self.cut(lessee, call.start);
            lessee.hold = None;
            return;
        };
        let least = lease.least(ttl).min(lessee.shortest);
        let until = call.start.saturating_add(least);
        let latest = call.end.saturating_add(lease.most(ttl));
        if let Some(at) = current {
            let hold = &mut self.all[at];
            (hold.last, hold.until) = (call.number, until);
            hold.fleeting |= least == 0;
            hold.latest = hold.latest.max(latest);
            return;
        }
        // The lease before, if there was one, may have been replaced by this one, and ends with it.
        self.cut(lessee, call.start);
        lessee.hold = Some(self.all.len());
        self.all.push(Hold {
            process: call.process,
            token: call.token,
            first: call.number,
            last: call.number,
            release: None,
            granted: call.end,
            until,
            earliest: call.start,
            latest,
            length: least,
            cut: Nanos::MAX,
            fleeting: least == 0,
        });
    }

    /// Whether the lease was certainly held from the hold until this call: the token is the
    /// same, or it had not run out.
    fn continues(&self, hold: &Hold, call: &Call) -> bool {
        let same = hold.token.is_some() && hold.token == call.token;
        same || (call.action == Action::Renew && call.end <= hold.until)
    }

    fn note_token(&mut self, call: &Call, continued: bool) {
        let Some(token) = call.token else { return };
        let (start, end) = call.points;
        match call.action {
            Action::Renew => self.renewals.push((token, start, call.number)),
            Action::Acquire if !continued => {
                let granted = lock::Call::Acquire { process: call.process, token: Some(token) };
                self.grants.push(Op { call: granted, start, end, number: call.number });
            }
            Action::Acquire | Action::Release => {}
        }
    }

    fn release(&mut self, lessee: &Lessee, call: &Call, outcome: Outcome) {
        let Some(hold) = lessee.hold.map(|at| &mut self.all[at]) else { return };
        if outcome == Outcome::Refused {
            return;
        }
        hold.release = Some(call.number);
        hold.cut(call.start);
        if outcome == Outcome::Ok {
            hold.latest = hold.latest.min(call.end);
        }
    }

    fn cut(&mut self, lessee: &Lessee, at: Nanos) {
        if let Some(hold) = lessee.hold.map(|at| &mut self.all[at]) {
            hold.cut(at);
        }
    }
}
