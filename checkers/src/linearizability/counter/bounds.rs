//! Counters to which different amounts are added: bounds of what can be found, in linear time.
//!
//! What a call found is at least the initial sum, all that was added before it
//! began, and all that may have been taken away before it ended; and at the most the
//! reverse of that. Where nothing is ever taken away the sum only grows, so what was found
//! before, with all that was added since, is a bound too.
//!
//! This is how Jepsen judges counters. A sum within its bounds may still be impossible.

use super::super::model::Op;
use super::super::moments::{Moment, moments};
use super::{Breach, Call, Reason, before_end};

/// Judges the calls on a counter, in the order of their starts. `None` where sums were
/// found and all are within their bounds.
pub fn check(ops: &[Op<Call>], initial: i64) -> Option<Result<(), Breach>> {
    let mut bounds = Bounds {
        ops,
        initial: initial.into(),
        begun: Sums::default(),
        ended: Sums::default(),
        grows: ops.iter().all(|op| op.call.amount() >= 0),
        growth: Growth { least: initial.into(), since: 0, by: None },
        starts: vec![Start::default(); ops.len()],
    };
    let mut found = false;
    for moment in moments(ops) {
        match moment {
            Moment::Start(at) => bounds.begin(at),
            Moment::End(at) => {
                found |= ops[at as usize].call.found().is_some();
                if let Err(breach) = bounds.end(at) {
                    return Some(Err(breach));
                }
            }
        }
    }
    (!found).then_some(Ok(()))
}

/// What is known of the sum at an instant.
struct Bounds<'a> {
    ops: &'a [Op<Call>],
    initial: i128,
    /// Of all calls that have begun.
    begun: Sums,
    /// Of all that have ended.
    ended: Sums,
    /// Whether nothing is ever taken away.
    grows: bool,
    growth: Growth,
    /// What was known when each call began.
    starts: Vec<Start>,
}

/// What calls add, and what they take away.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    added: i128,
    taken: i128,
}

impl Sums {
    fn count(&mut self, amount: i64) {
        self.added += i128::from(amount.max(0));
        self.taken += i128::from(amount.min(0));
    }
}

/// A sum that was found, and what was added since.
#[derive(Clone, Copy, Debug, Default)]
struct Growth {
    least: i128,
    since: u32,
    by: Option<u32>,
}

/// What was certain when a call began.
#[derive(Clone, Copy, Debug, Default)]
struct Start {
    ended: Sums,
    growth: Growth,
}

impl Bounds<'_> {
    fn begin(&mut self, at: u32) {
        self.begun.count(self.ops[at as usize].call.amount());
        self.starts[at as usize] = Start { ended: self.ended, growth: self.growth };
    }

    fn end(&mut self, at: u32) -> Result<(), Breach> {
        let op = &self.ops[at as usize];
        let amount = op.call.amount();
        if let Some(found) = op.call.found() {
            self.judge(at, found.into())?;
            let after = i128::from(found) + i128::from(amount);
            if after > self.growth.least {
                self.growth = Growth { least: after, since: op.end, by: Some(at) };
            }
        }
        self.ended.count(amount);
        if op.start > self.growth.since {
            self.growth.least += i128::from(amount);
        }
        Ok(())
    }

    fn judge(&self, call: u32, found: i128) -> Result<(), Breach> {
        let amount = i128::from(self.ops[call as usize].call.amount());
        let start = &self.starts[call as usize];
        let least = self.initial + start.ended.added + self.begun.taken - amount.min(0);
        let most = self.initial + start.ended.taken + self.begun.added - amount.max(0);
        let clamped = |sum: i128| sum.clamp(i64::MIN.into(), i64::MAX.into()) as i64;
        if self.grows && start.growth.by.is_some() && found < start.growth.least {
            let Growth { least, by, .. } = start.growth;
            let reason = Reason::Passed { least: clamped(least), since: by };
            return Err(Breach { call, reason, calls: self.since(start.growth, call) });
        }
        let reason = match (found < least, found > most) {
            (true, _) => Reason::Passed { least: clamped(least), since: None },
            (_, true) => Reason::Beyond { most: clamped(most) },
            _ => return Ok(()),
        };
        Err(Breach { call, reason, calls: before_end(self.ops, call) })
    }

    /// The call that found a sum, the adds since, and the one that found less.
    fn since(&self, growth: Growth, call: u32) -> Vec<u32> {
        let start = self.ops[call as usize].start;
        let between = |&at: &u32| {
            let op = &self.ops[at as usize];
            op.start > growth.since && op.end < start && op.call.amount() != 0
        };
        growth.by.into_iter().chain((0..call).filter(between)).chain([call]).collect()
    }
}
