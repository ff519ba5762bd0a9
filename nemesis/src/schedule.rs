//! When and where each fault is injected and healed, all drawn before the run.
//!
//! Faults come one at a time, in rounds: each round has every kind that was
//! asked for once, in an order of chance, so that each occurs as early as it
//! can. Where several are to act at once there are several such **lanes**, and kinds that
//! harm the same (packets, links, the database's processes) share one, so that no fault undoes or
//! hides another. A script's faults come when it says. Times move by up to half an interval, lest a fault always meets the
//! database in the same phase of its timers. All is healed before the end.
//!
//! Every kind draws from a stream of its own, so that asking for one more
//! leaves the plans of the others as they were.

use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::time::Duration;

use serde_json::json;
use tribunal_generator::{Context, Generator, Next, Rng, Seed};
use tribunal_history::{Call, FaultNote, Name, Nanos, Process, Stage};

use crate::faults::{self, Fault, Needs, Options, Plan, PlanError};

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
}

/// A fault that comes at a time of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Scripted {
    /// Which, and what was chosen about it.
    pub spec: FaultSpec,
    /// When it is injected, since the run began.
    pub at: Duration,
    /// How long it lasts.
    pub lasts: Duration,
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
    /// A script's fault that would outlast the run.
    #[error(
        "the script's `{fault}` ends {} s after the start, but faults must be over after {} s",
        .ends.as_secs_f64(), .until.as_secs_f64()
    )]
    TooLate {
        /// Which.
        fault: String,
        /// When it would be over.
        ends: Duration,
        /// When it must be.
        until: Duration,
    },
    /// Two faults that harm the same processes at the same time.
    #[error(
        "these two harm the same processes at once, and each would undo or hide the other: {0}; and {1}"
    )]
    Contradiction(String, String),
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
    /// What is still to be called: when, which fault, and whether to heal it.
    ahead: VecDeque<(Nanos, usize, Stage)>,
    /// Faults whose time was over before they could be injected.
    missed: BTreeSet<usize>,
}

/// A kind that was asked for, with its stream of chance.
type Kind<'s> = (&'static dyn Fault, &'s Options, Rng);

impl Schedule {
    /// Draws a schedule. Without faults it is empty.
    pub fn new(
        seed: Seed,
        nodes: &[Name],
        faults: &[FaultSpec],
        script: &[Scripted],
        timing: Timing,
    ) -> Result<Self, ScheduleError> {
        let mut planned = Vec::new();
        for (lane, kinds) in lanes(seed, faults, timing.at_once)?.into_iter().enumerate() {
            draw_lane(seed, lane, kinds, nodes, timing, &mut planned)?;
        }
        for (at, scripted) in script.iter().enumerate() {
            let mut rng = seed.stream(&format!("fault/script/{at}"));
            planned.push(scripted.planned(nodes, &mut rng, timing.until)?);
        }
        planned.sort_by_key(|fault| fault.inject);
        if planned.len() > MOST {
            return Err(ScheduleError::TooMany);
        }
        for (id, fault) in planned.iter_mut().enumerate() {
            fault.id = id as u64;
        }
        check(&planned)?;
        let stages = planned.iter().enumerate().flat_map(|(at, fault)| {
            [(fault.inject, at, Stage::Inject), (fault.heal, at, Stage::Heal)]
        });
        let mut ahead: Vec<_> = stages.collect();
        // Of what is due together, healing comes first.
        ahead.sort_by_key(|&(due, at, stage)| (due, stage == Stage::Inject, at));
        Ok(Self { faults: planned, ahead: ahead.into(), missed: BTreeSet::new() })
    }

    /// What will happen, in order.
    pub fn faults(&self) -> &[Planned] {
        &self.faults
    }
}

impl Scripted {
    fn planned(
        &self,
        nodes: &[Name],
        rng: &mut Rng,
        until: Duration,
    ) -> Result<Planned, ScheduleError> {
        let fault = faults::find(&self.spec.name)?;
        let ends = self.at + self.lasts;
        if ends > until {
            return Err(ScheduleError::TooLate { fault: self.spec.name.clone(), ends, until });
        }
        let plan = faults::plan(fault, nodes, &self.spec.options, rng)?;
        let (inject, heal) = (nanos(self.at), nanos(ends));
        Ok(Planned { id: 0, name: fault.name().into(), inject, heal, plan })
    }
}

/// What a fault harms; faults of one family are never drawn to act at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Packets,
    Links,
    Processes,
}

fn family(fault: &dyn Fault) -> Family {
    match fault.needs() {
        Needs::Nft => Family::Packets,
        Needs::Wire => Family::Links,
        Needs::Daemon | Needs::Clock | Needs::Start => Family::Processes,
    }
}

/// The kinds of each lane: one family, or several where there are more families than lanes.
fn lanes(
    seed: Seed,
    faults: &[FaultSpec],
    at_once: usize,
) -> Result<Vec<Vec<Kind<'_>>>, ScheduleError> {
    let mut families = Vec::new();
    let mut lanes: Vec<Vec<Kind>> = Vec::new();
    for spec in faults {
        let fault = faults::find(&spec.name)?;
        let family = family(fault);
        let place = families.iter().position(|&it| it == family).unwrap_or_else(|| {
            families.push(family);
            families.len() - 1
        });
        let lane = place % at_once.max(1);
        lanes.resize_with(lanes.len().max(lane + 1), Vec::new);
        lanes[lane].push((fault, &spec.options, seed.stream(&format!("fault/{}", spec.name))));
    }
    Ok(lanes)
}

/// Draws the faults of one lane, one after the other.
fn draw_lane(
    seed: Seed,
    lane: usize,
    mut kinds: Vec<Kind>,
    nodes: &[Name],
    timing: Timing,
    planned: &mut Vec<Planned>,
) -> Result<(), ScheduleError> {
    let (count, gaps) = (kinds.len() as u32, kinds.len().saturating_sub(1) as u32);
    let ends = timing.first + timing.duration * count + timing.interval * gaps;
    if ends > timing.until {
        return Err(ScheduleError::NoTime { faults: kinds.len(), ends, timing });
    }
    // The first lane's streams have the plain names.
    let stream = |what: &str| match lane {
        0 => seed.stream(&format!("fault/{what}")),
        _ => seed.stream(&format!("fault/{what}/{lane}")),
    };
    let (mut starts, mut order) = (starts(stream("times"), timing), stream("order"));
    loop {
        let mut round: Vec<usize> = (0..kinds.len()).collect();
        order.shuffle(&mut round);
        for kind in round {
            let Some(inject) = starts.next() else { return Ok(()) };
            if planned.len() == MOST {
                return Err(ScheduleError::TooMany);
            }
            let (fault, options, rng) = &mut kinds[kind];
            let plan = faults::plan(*fault, nodes, options, rng)?;
            let (name, heal) = (Fault::name(*fault).into(), inject + nanos(timing.duration));
            planned.push(Planned { id: 0, name, inject, heal, plan });
        }
    }
}

/// Refuses two faults of the same processes at the same time: only a script can ask for them.
fn check(planned: &[Planned]) -> Result<(), ScheduleError> {
    let harmful: Vec<&Planned> = planned
        .iter()
        .filter(|it| faults::find(&it.name).is_ok_and(|it| family(it) == Family::Processes))
        .collect();
    for (at, one) in harmful.iter().enumerate() {
        for other in harmful[at + 1..].iter().take_while(|other| other.inject < one.heal) {
            // Primaries are nobody in particular until the time has come.
            let (these, those) = (&one.plan.nodes, &other.plan.nodes);
            let anybody = these.is_empty() || those.is_empty();
            if anybody || these.iter().any(|node| those.contains(node)) {
                return Err(ScheduleError::Contradiction(one.to_string(), other.to_string()));
            }
        }
    }
    Ok(())
}

/// When each fault begins, as long as one fits.
fn starts(mut rng: Rng, timing: Timing) -> impl Iterator<Item = Nanos> {
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
        at_once: 1,
    };

    fn nodes() -> Vec<Name> {
        (1..=5).map(|number| format!("n{number}").into()).collect()
    }

    fn specs(names: &[&str]) -> Vec<FaultSpec> {
        names.iter().copied().map(FaultSpec::named).collect()
    }

    fn schedule(seed: u64, names: &[&str]) -> Schedule {
        Schedule::new(Seed(seed), &nodes(), &specs(names), &[], TIMING).unwrap()
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
    fn kinds_that_harm_different_things_act_at_once_and_others_never() {
        let names = ["partition", "pause", "link-slow", "clock-jump", "kill"];
        let timing = Timing { at_once: 3, ..TIMING };
        for seed in 0..50 {
            let drawn = Schedule::new(Seed(seed), &nodes(), &specs(&names), &[], timing).unwrap();
            let of = |fault: &Planned| family(faults::find(&fault.name).unwrap());
            let together = |one: &Planned, other: &Planned| {
                one.id != other.id && one.inject < other.heal && other.inject < one.heal
            };
            let (mut alike, mut different) = (0, 0);
            for one in drawn.faults() {
                for other in drawn.faults().iter().filter(|other| together(one, other)) {
                    if of(one) == of(other) { alike += 1 } else { different += 1 }
                }
            }
            assert!(alike == 0 && different > 0, "{alike} and {different}");
            let calls = calls(drawn.clone());
            assert_eq!(calls.len(), 2 * drawn.faults().len());
            assert!(calls.windows(2).all(|pair| pair[0].0 <= pair[1].0));
        }
    }

    #[test]
    fn a_script_says_when() {
        let scripted = |name: &str, at, options: serde_json::Value| Scripted {
            spec: FaultSpec {
                name: name.to_owned(),
                options: options.as_object().cloned().unwrap_or_default(),
            },
            at: Duration::from_secs(at),
            lasts: Duration::from_secs(5),
        };
        let of = |script: &[Scripted]| Schedule::new(Seed(1), &nodes(), &[], script, TIMING);
        let pause = scripted("pause", 20, json!({"target": "all"}));
        let cut = scripted("partition-one", 10, json!({}));
        let drawn = of(&[pause.clone(), cut]).unwrap();
        let told: Vec<String> = drawn.faults().iter().map(ToString::to_string).collect();
        assert!(told[0].starts_with("10.000 s to 15.000 s: partition-one {"), "{told:?}");
        assert_eq!(told[1], "20.000 s to 25.000 s: pause n1 n2 n3 n4 n5");
        let both =
            of(&[pause.clone(), scripted("clock-jump", 22, json!({}))]).unwrap_err().to_string();
        assert!(both.starts_with("these two harm the same processes at once, "), "{both}");
        assert!(both.contains("22.000 s to 27.000 s: clock-jump n"), "{both}");
        let late = of(&[scripted("pause", 58, json!({}))]).unwrap_err().to_string();
        assert_eq!(
            late,
            "the script's `pause` ends 63 s after the start, but faults must be over after 60 s"
        );
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
            Schedule::new(Seed(1), &nodes(), &specs(names), &[], timing).unwrap_err().to_string()
        };
        let short = Timing { until: Duration::from_secs(20), ..TIMING };
        assert_eq!(
            refused(&["pause", "clock-jump"], short),
            "2 faults of 6 s each, 4 s apart, end 21 s after the start, \
             but faults must be over after 20 s: run longer or ask for fewer"
        );
        assert!(refused(&["puase"], TIMING).starts_with("there is no fault `puase`; there are "));
        assert!(Schedule::new(Seed(1), &nodes(), &[], &[], short).unwrap().faults().is_empty());
    }
}
