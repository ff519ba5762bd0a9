//! Schedules, as they are drawn and as they are called.

use std::collections::BTreeSet;

use serde::Deserialize;
use tribunal_generator::Worker;
use tribunal_history::{Event, History, Kind};

use super::lanes::family;
use super::*;
use crate::faults;

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
            assert!(pair[0].heal + 2_000_000_000 <= pair[1].inject, "{} / {}", pair[0], pair[1]);
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
    // Each partition has rules of its own: two may forbid the same.
    let cuts =
        [scripted("partition-one", 10, json!({})), scripted("partition-ring", 12, json!({}))];
    assert_eq!(of(&cuts).unwrap().faults().len(), 2);
    let both = of(&[pause.clone(), scripted("clock-jump", 22, json!({}))]).unwrap_err().to_string();
    assert!(both.starts_with("these two harm the same processes at once, "), "{both}");
    assert!(both.contains("22.000 s to 27.000 s: clock-jump n"), "{both}");
    // The disk under a process is as good as the process.
    for other in ["power-loss", "disk-hung", "disk-full", "segment-lost", "snapshot-restore"] {
        let both = of(&[pause.clone(), scripted(other, 22, json!({}))]);
        assert!(matches!(both, Err(ScheduleError::Contradiction(..))), "{other}: {both:?}");
    }
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
