//! Counters to which every call adds the same amount: exact in n log n.
//!
//! An add is put off until something forces it: its own end, or a call that ends
//! having found a sum that needs it. Of several, the one that must end first goes. An add that
//! returned the sum has a step of its own: from the sum it found to the next, which no other add may make.
//!
//! Why nothing is missed: the sum of this lazy schedule is at every instant the least
//! that a legal schedule can have. (Adds are alike but for their times, so a legal one may take
//! those with the earliest end first too; the argument is that of
//! [`semaphore`](super::super::lock::semaphore).) So a call that began when the lazy sum
//! was past what it found cannot have found it, and where the lazy sum cannot be brought up to
//! what an ended call found, no schedule can bring it there.
//!
//! Adds of unknown outcome have no end: they are taken last, or never.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::super::model::{NEVER, Op, Point};
use super::super::moments::{Moment, moments};
use super::{Breach, Call, Reason, before_end};

/// No call.
const NONE: u32 = u32::MAX;

/// Judges the calls on a counter, in the order of their starts. `None` where amounts differ.
pub fn check(ops: &[Op<Call>], initial: i64) -> Option<Result<(), Breach>> {
    let mut amounts = ops.iter().map(|op| op.call.amount()).filter(|&amount| amount != 0);
    let step = amounts.next().unwrap_or(1);
    if amounts.any(|amount| amount != step) {
        return None;
    }
    let mut steps = Steps { ops, initial, step, ..Steps::default() };
    Some(steps.prepare().and_then(|()| steps.run()))
}

/// The lazy schedule, in steps from the initial sum.
#[derive(Default)]
struct Steps<'a> {
    ops: &'a [Op<Call>],
    initial: i64,
    step: i64,
    /// How many steps were made.
    level: u64,
    /// How many calls have begun.
    begun: u32,
    /// Adds that have begun and not been taken: those that end, by their ends.
    ending: BinaryHeap<Reverse<(Point, u32)>>,
    /// Those of unknown outcome.
    crashed: usize,
    /// For each call that found a sum, the level when it began.
    passed: Vec<u32>,
    /// For each level, the add that found it.
    finder: Vec<u32>,
}

/// Why a step cannot be made.
enum Stuck {
    /// No add is left.
    NoAdd,
    /// The add whose step it is has not begun.
    NotBegun(u32),
}

impl Steps<'_> {
    /// The level at which a call found the counter.
    fn found(&self, at: u32) -> Option<Result<u64, Breach>> {
        let away = i128::from(self.ops[at as usize].call.found()?) - i128::from(self.initial);
        let (steps, rest) = (away / i128::from(self.step), away % i128::from(self.step));
        let level = u64::try_from(steps).ok().filter(|_| rest == 0);
        Some(level.ok_or_else(|| {
            let reason = match rest {
                0 => Reason::Passed { least: self.initial, since: None },
                _ => Reason::BetweenSteps { step: self.step },
            };
            Breach { call: at, reason, calls: before_end(self.ops, at) }
        }))
    }

    /// Gives every add that found a level its step.
    fn prepare(&mut self) -> Result<(), Breach> {
        let adds = self.ops.iter().filter(|op| op.call.amount() != 0).count();
        self.finder = vec![NONE; adds];
        self.passed = vec![0; self.ops.len()];
        for (at, op) in (0..).zip(self.ops) {
            if let Some(level) = self.found(at).transpose()?
                && op.call.amount() != 0
                && let Some(finder) = self.finder.get_mut(level as usize)
            {
                let other = std::mem::replace(finder, at);
                if other != NONE {
                    let reason = Reason::FoundTwice { other };
                    return Err(Breach { call: at, reason, calls: vec![other, at] });
                }
            }
        }
        Ok(())
    }

    fn run(&mut self) -> Result<(), Breach> {
        let ops = self.ops;
        for moment in moments(ops) {
            match moment {
                Moment::Start(at) => self.begin(at),
                Moment::End(at) => self.end(at)?,
            }
        }
        Ok(())
    }

    fn begin(&mut self, at: u32) {
        let op = &self.ops[at as usize];
        self.begun = at + 1;
        self.passed[at as usize] = self.level as u32;
        match op.call {
            Call::Add(0) => {}
            Call::Add(_) if op.end == NEVER => self.crashed += 1,
            Call::Add(_) => self.ending.push(Reverse((op.end, at))),
            Call::Read(_) | Call::FetchAdd { .. } => {}
        }
    }

    fn end(&mut self, at: u32) -> Result<(), Breach> {
        let Some(level) = self.found(at).transpose()? else {
            while self.ending.peek().is_some_and(|&Reverse((_, first))| first == at) {
                self.advance().map_err(|stuck| self.breach(at, stuck))?;
            }
            return Ok(());
        };
        let adds = self.ops[at as usize].call.amount() != 0;
        if !adds && level < u64::from(self.passed[at as usize]) {
            return Err(self.behind(at));
        }
        while self.level < level + u64::from(adds) {
            self.advance().map_err(|stuck| self.breach(at, stuck))?;
        }
        Ok(())
    }

    /// Makes a step.
    fn advance(&mut self) -> Result<(), Stuck> {
        let finder = self.finder.get(self.level as usize).copied().unwrap_or(NONE);
        if finder != NONE && finder >= self.begun {
            return Err(Stuck::NotBegun(finder));
        }
        if finder == NONE && self.ending.pop().is_none() {
            self.crashed = self.crashed.checked_sub(1).ok_or(Stuck::NoAdd)?;
        }
        self.level += 1;
        Ok(())
    }

    fn sum(&self, level: u64) -> i64 {
        self.initial.saturating_add(self.step.saturating_mul(level as i64))
    }
}

/// What the calls that cannot be scheduled are told by.
impl Steps<'_> {
    fn breach(&self, at: u32, stuck: Stuck) -> Breach {
        match stuck {
            Stuck::NotBegun(finder) => self.behind(finder),
            Stuck::NoAdd => self.ahead(at),
        }
    }

    /// The level that a call knows of afterwards.
    fn after(&self, at: u32) -> Option<u64> {
        let level = self.found(at)?.ok()?;
        Some(level + u64::from(self.ops[at as usize].call.amount() != 0))
    }

    /// A call found less than what was there before it began.
    fn behind(&self, call: u32) -> Breach {
        let start = self.ops[call as usize].start;
        let found = self.found(call).and_then(Result::ok).unwrap_or(0);
        let ended = |at: u32| self.ops[at as usize].end < start;
        let mut earlier: Vec<u32> = (0..call).filter(|&at| ended(at)).collect();
        earlier.sort_unstable_by_key(|&at| Reverse(self.ops[at as usize].end));
        // Adds that ended before it began, the one that began last in front.
        let mut adds: Vec<u32> = earlier
            .iter()
            .copied()
            .filter(|&at| self.ops[at as usize].call.amount() != 0)
            .collect();
        adds.sort_unstable_by_key(|&at| Reverse(at));
        let mut since_then = 0;
        for &base in earlier.iter().filter(|&&at| self.after(at).is_some()) {
            let end = self.ops[base as usize].end;
            since_then += adds[since_then..]
                .iter()
                .take_while(|&&at| self.ops[at as usize].start > end)
                .count();
            let known = self.after(base).unwrap_or(0);
            if known + since_then as u64 > found {
                let needed = (found + 1).saturating_sub(known) as usize;
                return self.passed(call, known.max(found + 1), Some(base), &adds[..needed]);
            }
        }
        match adds.len() as u64 > found {
            true => self.passed(call, found + 1, None, &adds[..found as usize + 1]),
            false => {
                let least = self.sum(self.level.max(found + 1));
                let calls = (0..self.begun.max(call + 1)).collect();
                Breach { call, reason: Reason::Passed { least, since: None }, calls }
            }
        }
    }

    fn passed(&self, call: u32, least: u64, since: Option<u32>, adds: &[u32]) -> Breach {
        let mut calls: Vec<u32> = adds.iter().copied().chain(since).chain([call]).collect();
        calls.sort_unstable();
        Breach { call, reason: Reason::Passed { least: self.sum(least), since }, calls }
    }

    /// A call found more than what can have been there before it ended.
    fn ahead(&self, call: u32) -> Breach {
        let most = self.sum(self.level);
        Breach { call, reason: Reason::Beyond { most }, calls: before_end(self.ops, call) }
    }
}
