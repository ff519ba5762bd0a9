//! When and where each fault is injected and healed, all drawn before the run.
//!
//! Faults come one at a time, in rounds: each round has every kind that was
//! asked for once, in an order of chance, so that each occurs as early as it
//! can. Times move by up to half an interval, lest a fault always meets the
//! database in the same phase of its timers. All is healed before the end.
//!
//! Every kind draws from a stream of its own, so that asking for one more
//! leaves the plans of the others as they were.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use serde_json::json;
use tribunal_generator::{Context, Generator, Next, Seed};
use tribunal_history::{Call, FaultNote, Name, Nanos, Process, Stage};

use crate::faults::{self, Fault, Options, Plan, PlanError};

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
}

/// Why there is no schedule.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ScheduleError {
    /// A fault that cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Not enough time.
    #[error(
        "{faults} faults of {} s each, {} s apart, end {} s after the start, \
         but faults must be over after {} s: run longer or ask for fewer",
        .timing.duration.as_secs_f64(), .timing.interval.as_secs_f64(),
        .ends.as_secs_f64(), .timing.until.as_secs_f64()
    )]
    NoTime {
        /// How many kinds were asked for.
        faults: usize,
        /// When the last of them would be over.
        ends: Duration,
        /// What was asked for.
        timing: Timing,
    },
    /// Next to no time from one to the next.
    #[error("more than {MOST} faults in one run: let them last longer, or lie farther apart")]
    TooMany,
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
    /// What is still to be called: which fault, and whether to heal it.
    ahead: VecDeque<(usize, Stage)>,
}

impl Schedule {
    /// Draws a schedule. Without faults it is empty.
    pub fn new(
        seed: Seed,
        nodes: &[Name],
        faults: &[FaultSpec],
        timing: Timing,
    ) -> Result<Self, ScheduleError> {
        let (count, gaps) = (faults.len() as u32, faults.len().saturating_sub(1) as u32);
        let ends = timing.first + timing.duration * count + timing.interval * gaps;
        if !faults.is_empty() && ends > timing.until {
            return Err(ScheduleError::NoTime { faults: faults.len(), ends, timing });
        }
        let mut kinds = Vec::new();
        for spec in faults {
            let rng = seed.stream(&format!("fault/{}", spec.name));
            kinds.push((faults::find(&spec.name)?, &spec.options, rng));
        }
        let mut starts = starts(seed, timing);
        let mut order = seed.stream("fault/order");
        let mut planned = Vec::new();
        'rounds: while !kinds.is_empty() {
            let mut round: Vec<usize> = (0..kinds.len()).collect();
            order.shuffle(&mut round);
            for kind in round {
                let Some(inject) = starts.next() else { break 'rounds };
                if planned.len() == MOST {
                    return Err(ScheduleError::TooMany);
                }
                let (fault, options, rng) = &mut kinds[kind];
                let plan = faults::plan(*fault, nodes, options, rng)?;
                let (id, name) = (planned.len() as u64, Fault::name(*fault).into());
                let heal = inject + nanos(timing.duration);
                planned.push(Planned { id, name, inject, heal, plan });
            }
        }
        let stages = |at| [(at, Stage::Inject), (at, Stage::Heal)];
        let ahead = (0..planned.len()).flat_map(stages).collect();
        Ok(Self { faults: planned, ahead })
    }

    /// What will happen, in order.
    pub fn faults(&self) -> &[Planned] {
        &self.faults
    }
}

/// When each fault begins, as long as one fits.
fn starts(seed: Seed, timing: Timing) -> impl Iterator<Item = Nanos> {
    let mut rng = seed.stream("fault/times");
    let (first, duration) = (nanos(timing.first), nanos(timing.duration));
    let (interval, until) = (nanos(timing.interval), nanos(timing.until));
    let mut slots = 0..;
    std::iter::from_fn(move || {
        let slot: u64 = slots.next()?;
        let earliest = first + slot * (duration + interval).max(1);
        let latest = until.checked_sub(duration)?;
        let room = latest.checked_sub(earliest)?.min(interval / 2);
        Some(earliest + rng.between(0, room))
    })
}

fn nanos(duration: Duration) -> Nanos {
    duration.as_nanos() as Nanos
}

impl Generator for Schedule {
    fn next(&mut self, context: &Context) -> Next {
        while let Some((at, stage)) = self.ahead.front().copied() {
            let fault = &self.faults[at];
            if stage == Stage::Inject && context.time >= fault.heal {
                // Too late to do it and be done in time: it does not happen.
                self.ahead.drain(..2);
                continue;
            }
            let due = if stage == Stage::Inject { fault.inject } else { fault.heal };
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
mod tests {
    use std::collections::BTreeSet;

    use serde::Deserialize;
    use tribunal_generator::Worker;
    use tribunal_history::{Event, History, Kind};

    use super::*;

    const TIMING: Timing = Timing {
        first: Duration::from_secs(5),
        interval: Duration::from_secs(4),
        duration: Duration::from_secs(6),
        until: Duration::from_secs(60),
    };

    fn nodes() -> Vec<Name> {
        (1..=5).map(|number| format!("n{number}").into()).collect()
    }

    fn specs(names: &[&str]) -> Vec<FaultSpec> {
        names.iter().copied().map(FaultSpec::named).collect()
    }

    fn schedule(seed: u64, names: &[&str]) -> Schedule {
        Schedule::new(Seed(seed), &nodes(), &specs(names), TIMING).unwrap()
    }

    /// The calls that an idle nemesis would be given, with their times.
    fn calls(mut schedule: Schedule) -> Vec<(Nanos, Call)> {
        let free = [Worker { process: Process::Nemesis, node: None }];
        let (mut time, mut calls) = (0, Vec::new());
        loop {
            match schedule.next(&Context { time, free: &free, all: &free }) {
                Next::Call(_, call) => calls.push((time, call)),
                Next::Wait(until) => time = until,
                Next::Done => return calls,
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_schedule() {
        let names = ["partition", "pause", "clock-jump"];
        for seed in 0..20 {
            assert_eq!(calls(schedule(seed, &names)), calls(schedule(seed, &names)));
        }
        let different: BTreeSet<String> =
            (0..20).map(|seed| format!("{:?}", schedule(seed, &names).faults())).collect();
        assert_eq!(different.len(), 20);
    }

    #[test]
    fn one_more_kind_leaves_the_plans_of_the_others() {
        let plans = |names: &[&str]| -> Vec<Plan> {
            let schedule = schedule(3, names);
            let pauses = schedule.faults().iter().filter(|fault| &*fault.name == "pause");
            pauses.take(2).map(|fault| fault.plan.clone()).collect()
        };
        assert_eq!(plans(&["pause"]), plans(&["partition", "pause"]));
    }

    #[test]
    fn each_kind_comes_once_a_round_and_all_is_healed_in_time() {
        for seed in 0..50 {
            let schedule = schedule(seed, &["partition-halves", "pause", "clock-jump"]);
            let faults = schedule.faults();
            let first: BTreeSet<&str> = faults[..3].iter().map(|fault| &*fault.name).collect();
            assert_eq!(first.len(), 3);
            assert!(faults.len() >= 5, "{} faults in 55 s", faults.len());
            assert!(faults[0].inject >= 5_000_000_000);
            for pair in faults.windows(2) {
                assert!(
                    pair[0].heal + 2_000_000_000 <= pair[1].inject,
                    "{} / {}",
                    pair[0],
                    pair[1]
                );
            }
            assert!(faults.last().unwrap().heal <= 60_000_000_000);
        }
    }

    #[test]
    fn a_schedule_can_be_read_back_from_the_history() {
        let schedule = schedule(1, &["partition", "pause", "clock-jump"]);
        let mut events = Vec::new();
        for (time, call) in calls(schedule.clone()) {
            events.push(Event::of(&call, time, Process::Nemesis, Kind::Info));
            let mut note = FaultNote::deserialize(&call.value).unwrap();
            let inject = note.stage == Stage::Inject;
            note.stage = if inject { Stage::Injected } else { Stage::Healed };
            let done = Call::new(call.f.clone()).value(json!(note));
            events.push(Event::of(&done, time, Process::Nemesis, Kind::Info));
        }
        let mut text = Vec::new();
        for event in History::new(events).unwrap().events() {
            tribunal_history::jsonl::write(&mut text, &event.to_event()).unwrap();
        }
        let history = History::parse(std::str::from_utf8(&text).unwrap()).unwrap();
        let read: Vec<Planned> = history.faults().into_iter().map(planned).collect();
        assert_eq!(read, schedule.faults());
    }

    fn planned(fault: tribunal_history::Fault) -> Planned {
        let plan = Plan { nodes: fault.nodes, summary: fault.summary, data: fault.plan };
        let (inject, heal) = (fault.from, fault.heal.unwrap());
        Planned { id: fault.id, name: fault.name, inject, heal, plan }
    }

    #[test]
    fn a_busy_nemesis_is_waited_for_and_a_late_fault_is_left_out() {
        let mut schedule = schedule(1, &["pause"]);
        let nemesis = [Worker { process: Process::Nemesis, node: None }];
        let first = schedule.faults()[0].clone();
        let busy = Context { time: first.inject, free: &[], all: &nemesis };
        assert_eq!(schedule.next(&busy), Next::Wait(Nanos::MAX));
        let late = Context { time: first.heal, free: &nemesis, all: &nemesis };
        assert_eq!(schedule.next(&late), Next::Wait(schedule.faults()[1].inject));
    }

    #[test]
    fn what_cannot_be_is_one_clear_sentence() {
        let refused = |names: &[&str], timing| {
            Schedule::new(Seed(1), &nodes(), &specs(names), timing).unwrap_err().to_string()
        };
        let short = Timing { until: Duration::from_secs(20), ..TIMING };
        assert_eq!(
            refused(&["pause", "clock-jump"], short),
            "2 faults of 6 s each, 4 s apart, end 21 s after the start, \
             but faults must be over after 20 s: run longer or ask for fewer"
        );
        assert!(refused(&["puase"], TIMING).starts_with("there is no fault `puase`; there are "));
        assert!(Schedule::new(Seed(1), &nodes(), &[], short).unwrap().faults().is_empty());
    }
}
