//! When and where each fault is injected and healed, all drawn before the run.
//!
//! Faults come one at a time, in rounds: each round has every kind that was
//! asked for once, in an order of chance, so that each occurs as early as it
//! can. Where several are to act at once there are several such **lanes**, and kinds that
//! harm the same (packets, links, the database's processes) share one, so that no fault undoes or
//! hides another. A script's faults come when it says. Times move by up to half an interval, lest a fault always meets the
//! database in the same phase of its timers; where an interval is asked for, they do not, and each kind has its
//! turn as it was named. All is healed before the end. What a run has recorded is a schedule, too ([`recorded`]).
//!
//! Every kind draws from a stream of its own, so that asking for one more
//! leaves the plans of the others as they were.

mod down;
mod error;
mod lanes;
mod recorded;
mod script;

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use serde_json::json;
use tribunal_generator::{Context, Generator, Next, Seed};
use tribunal_harness::test_file::Rhythm;
use tribunal_history::{Call, FaultNote, Name, Nanos, Process, Stage};

use crate::faults::{Options, Plan};
use crate::model::{Failures, SystemModel};

use down::Limit;
pub use down::down;
pub use error::ScheduleError;
pub use recorded::recorded;
pub use script::Scripted;

/// A fault that is asked for, and what was chosen about it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FaultSpec {
    /// Its name in the table.
    pub name: String,
    /// Its options.
    pub options: Options,
}

impl FaultSpec {
    /// A fault with everything as it usually is.
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), options: Options::new() }
    }
}

/// When faults happen, from the beginning of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// No fault before.
    pub first: Duration,
    /// From one fault's end to the next one's beginning, on average.
    pub interval: Duration,
    /// How long each fault lasts.
    pub duration: Duration,
    /// All is healed by then.
    pub until: Duration,
    /// How many faults may act at once.
    pub at_once: usize,
    /// In which rhythm they come.
    pub rhythm: Rhythm,
}

/// What faults may not go beyond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// How many nodes may be down at once, under all faults together.
    pub max_down: Option<usize>,
    /// What can happen at all.
    pub model: Option<SystemModel>,
}

impl Bounds {
    /// How many of `nodes` may be down at once. Where nodes stop for good, a majority must be left.
    pub fn most_down(&self, nodes: usize) -> Option<usize> {
        let for_good = self.model.is_some_and(|model| model.failures == Failures::CrashStop);
        self.max_down.or(for_good.then(|| nodes.saturating_sub(1) / 2))
    }
}

/// More than a run can have use for; the plan of each is held in memory.
const MOST: usize = 100_000;

/// One fault to come.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Its number, from 0.
    pub id: u64,
    /// Its kind.
    pub name: Name,
    /// When it is injected, in nanoseconds since the run began.
    pub inject: Nanos,
    /// When it is healed.
    pub heal: Nanos,
    /// Where and how.
    pub plan: Plan,
}

impl Planned {
    /// When what it took is there again.
    fn ends(&self) -> Nanos {
        if self.plan.stays_dead() { Nanos::MAX } else { self.heal }
    }

    fn call(&self, stage: Stage) -> Call {
        let Plan { nodes, summary, data } = self.plan.clone();
        // The plan is told once, where the fault begins.
        let plan = if stage == Stage::Inject { data } else { Options::new() };
        let note = FaultNote { id: self.id, stage, nodes, summary, plan, effect: None };
        Call::new(self.name.clone()).value(json!(note))
    }
}

impl fmt::Display for Planned {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = |nanos: Nanos| nanos as f64 / 1e9;
        let (from, to) = (seconds(self.inject), seconds(self.heal));
        write!(out, "{from:.3} s to {to:.3} s: {} {}", self.name, self.plan.summary)
    }
}

/// All faults of a run, in order. As a generator it makes the nemesis' calls.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    faults: Vec<Planned>,
    /// What is still to be called: when, which fault, and whether to heal it.
    ahead: VecDeque<(Nanos, usize, Stage)>,
    /// Faults whose time was over before they could be injected.
    missed: BTreeSet<usize>,
}

impl Schedule {
    /// Draws a schedule. Without faults it is empty.
    pub fn new(
        seed: Seed,
        nodes: &[Name],
        faults: &[FaultSpec],
        script: &[Scripted],
        timing: Timing,
        bounds: Bounds,
    ) -> Result<Self, ScheduleError> {
        let most = bounds.most_down(nodes.len());
        let limit = Limit { nodes, most, model: bounds.model };
        let mut planned = Vec::new();
        for (at, scripted) in script.iter().enumerate() {
            let mut rng = seed.stream(&format!("fault/script/{at}"));
            planned.push(scripted.planned(&planned, limit, &mut rng, timing.until)?);
        }
        for (lane, kinds) in lanes::of(seed, faults, limit, timing.at_once)?.into_iter().enumerate()
        {
            lanes::draw(seed, lane, kinds, limit, timing, &mut planned)?;
        }
        let missing = faults.iter().find(|spec| planned.iter().all(|it| *it.name != *spec.name));
        if let (Some(spec), Some(most)) = (missing, most) {
            let (fault, of) = (spec.name.clone(), nodes.len());
            return Err(ScheduleError::NeverFits { fault, of, most });
        }
        planned.sort_by_key(|fault| fault.inject);
        if planned.len() > MOST {
            return Err(ScheduleError::TooMany);
        }
        script::check(&planned)?;
        Ok(Self::of(planned))
    }

    /// What a run has recorded ([`recorded`]), on these nodes; `were` are the nodes of that run.
    pub fn again(
        recorded: Vec<Planned>,
        were: &[Name],
        nodes: &[Name],
    ) -> Result<Self, ScheduleError> {
        for fault in &recorded {
            crate::faults::find(&fault.name)?;
            recorded::check(fault, were, nodes)?;
        }
        Ok(Self::of(recorded))
    }

    /// The schedule of these, which are in order.
    fn of(mut planned: Vec<Planned>) -> Self {
        for (id, fault) in planned.iter_mut().enumerate() {
            fault.id = id as u64;
        }
        let stages = planned.iter().enumerate().flat_map(|(at, fault)| {
            [(fault.inject, at, Stage::Inject), (fault.heal, at, Stage::Heal)]
        });
        let mut ahead: Vec<_> = stages.collect();
        // Of what is due together, healing comes first.
        ahead.sort_by_key(|&(due, at, stage)| (due, stage == Stage::Inject, at));
        Self { faults: planned, ahead: ahead.into(), missed: BTreeSet::new() }
    }

    /// What will happen, in order.
    pub fn faults(&self) -> &[Planned] {
        &self.faults
    }
}

fn nanos(duration: Duration) -> Nanos {
    duration.as_nanos() as Nanos
}

impl Generator for Schedule {
    fn next(&mut self, context: &Context) -> Next {
        while let Some((due, at, stage)) = self.ahead.front().copied() {
            let fault = &self.faults[at];
            let late = stage == Stage::Inject && context.time >= fault.heal;
            if late || self.missed.contains(&at) {
                // Too late to do it and be done in time: it does not happen.
                self.missed.insert(at);
                self.ahead.pop_front();
                continue;
            }
            if context.time < due {
                return Next::Wait(due);
            }
            if !context.free.iter().any(|worker| worker.process == Process::Nemesis) {
                return Next::Wait(Nanos::MAX);
            }
            self.ahead.pop_front();
            return Next::Call(Process::Nemesis, fault.call(stage));
        }
        Next::Done
    }
}

#[cfg(test)]
mod tests;
