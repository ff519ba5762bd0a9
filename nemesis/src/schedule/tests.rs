//! Schedules, as they are drawn and as they are called.

use std::collections::BTreeSet;

use serde::Deserialize;
use tribunal_generator::Worker;
use tribunal_history::{Event, History, Kind};

use super::*;
use crate::faults;

const TIMING: Timing = Timing {
    first: Duration::from_secs(5),
    interval: Duration::from_secs(4),
    duration: Duration::from_secs(6),
    until: Duration::from_secs(60),
    at_once: 1,
    rhythm: Rhythm::Random,
};

const FREE: Bounds = Bounds { max_down: None, model: None };

fn nodes() -> Vec<Name> {
    (1..=5).map(|number| format!("n{number}").into()).collect()
}

fn specs(names: &[&str]) -> Vec<FaultSpec> {
    names.iter().copied().map(FaultSpec::named).collect()
}

fn schedule(seed: u64, names: &[&str]) -> Schedule {
    Schedule::new(Seed(seed), &nodes(), &specs(names), &[], TIMING, FREE).unwrap()
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
        let drawn = Schedule::new(Seed(seed), &nodes(), &specs(&names), &[], timing, FREE).unwrap();
        let of = |fault: &Planned| faults::find(&fault.name).unwrap().family();
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
    let of = |script: &[Scripted]| Schedule::new(Seed(1), &nodes(), &[], script, TIMING, FREE);
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
        assert!(matches!(both, Err(ScheduleError::Contradiction { .. })), "{other}: {both:?}");
    }
    let late = of(&[scripted("pause", 58, json!({}))]).unwrap_err().to_string();
    assert_eq!(
        late,
        "the script's `pause` ends 63 s after the start, but faults must be over after 60 s"
    );
}

/// What a run of a schedule records; `aimed` says what becomes of a plan's nodes.
fn history(schedule: &Schedule, aimed: impl Fn(&mut FaultNote)) -> History {
    let mut events = Vec::new();
    for (time, call) in calls(schedule.clone()) {
        events.push(Event::of(&call, time, Process::Nemesis, Kind::Info));
        let mut note = FaultNote::deserialize(&call.value).unwrap();
        let inject = note.stage == Stage::Inject;
        note.stage = if inject { Stage::Injected } else { Stage::Healed };
        aimed(&mut note);
        let done = Call::new(call.f.clone()).value(json!(note));
        events.push(Event::of(&done, time, Process::Nemesis, Kind::Info));
    }
    let mut text = Vec::new();
    for event in History::new(events).unwrap().events() {
        tribunal_history::jsonl::write(&mut text, &event.to_event()).unwrap();
    }
    History::parse(std::str::from_utf8(&text).unwrap()).unwrap()
}

#[test]
fn a_history_is_a_schedule() {
    let names = ["partition", "pause", "clock-jump", "link-slow"];
    let aimed = |note: &mut FaultNote| {
        if note.nodes.is_empty() {
            note.nodes = vec!["n3".into()];
            note.summary = "primaries: n3".to_owned();
        }
    };
    let (mut primaries, timing) = (0, Timing { at_once: 3, ..TIMING });
    for seed in 0..20 {
        let drawn = Schedule::new(Seed(seed), &nodes(), &specs(&names), &[], timing, FREE).unwrap();
        primaries += drawn.faults().iter().filter(|it| it.plan.nodes.is_empty()).count();
        let read = recorded(&history(&drawn, aimed));
        assert_eq!(read, drawn.faults());
        let again = Schedule::again(read, &nodes(), &nodes()).unwrap();
        assert_eq!(calls(again), calls(drawn));
    }
    assert!(primaries > 0, "the plan of primaries must stay one of primaries");
}

#[test]
fn a_fault_that_was_never_healed_lasts_until_the_history_ends() {
    let drawn = schedule(3, &["pause"]);
    let whole = history(&drawn, |_| ());
    let cut: Vec<Event> = whole.events().take(6).map(|event| event.to_event()).collect();
    let read = recorded(&History::new(cut.clone()).unwrap());
    assert_eq!(read[0], drawn.faults()[0]);
    assert_eq!((read.len(), read[1].heal), (2, cut[5].time));
}

#[test]
fn a_recorded_fault_of_a_node_that_is_gone_is_refused() {
    let few = &nodes()[..3];
    for name in ["partition-one", "clock-drift", "link-slow", "pause"] {
        let drawn = schedule(5, &[name]);
        let refused = Schedule::again(drawn.faults().to_vec(), &nodes(), few).unwrap_err();
        let told = refused.to_string();
        assert!(told.contains(&format!(": {name} ")), "{told}");
        assert!(told.ends_with("there is no such node now; there are n1 n2 n3"), "{told}");
    }
}

#[test]
fn an_interval_knows_no_chance_and_once_is_once() {
    let drawn = |rhythm, seed| {
        let timing = Timing { rhythm, ..TIMING };
        let names = specs(&["pause", "partition-one", "kill"]);
        Schedule::new(Seed(seed), &nodes(), &names, &[], timing, FREE).unwrap()
    };
    for seed in 0..20 {
        let steady = drawn(Rhythm::Interval, seed);
        let times: Vec<Nanos> = steady.faults().iter().map(|it| it.inject).collect();
        let wanted: Vec<Nanos> = (0..5).map(|turn| (5 + 10 * turn) * 1_000_000_000).collect();
        assert_eq!(times, wanted);
        let names: Vec<&str> = steady.faults().iter().map(|it| &*it.name).collect();
        assert_eq!(names, ["pause", "partition-one", "kill", "pause", "partition-one"]);
        let once = drawn(Rhythm::Once, seed);
        let names: BTreeSet<&str> = once.faults().iter().map(|it| &*it.name).collect();
        assert_eq!((once.faults().len(), names.len()), (3, 3));
    }
}

/// The most nodes that are down at any time of a schedule.
fn most_down(drawn: &Schedule) -> usize {
    let toll = |fault: &&Planned| faults::find(&fault.name).unwrap().toll(&fault.plan);
    let at = |moment: Nanos| {
        let then = |it: &&Planned| it.inject <= moment && moment < it.heal;
        let tolls: Vec<_> = drawn.faults().iter().filter(then).map(|it| toll(&it)).collect();
        down(&nodes(), &tolls)
    };
    drawn.faults().iter().map(|fault| at(fault.inject)).max().unwrap()
}

#[test]
fn never_more_nodes_are_down_than_may_be() {
    let names = ["partition", "pause", "kill", "clock-jump", "link-held", "restart"];
    let of = |seed, max_down| {
        let timing = Timing { at_once: 3, until: Duration::from_secs(120), ..TIMING };
        let bounds = Bounds { max_down, ..FREE };
        Schedule::new(Seed(seed), &nodes(), &specs(&names), &[], timing, bounds).unwrap()
    };
    let mut unlimited = 0;
    for seed in 0..30 {
        unlimited = unlimited.max(most_down(&of(seed, None)));
        for most in [1, 2] {
            let drawn = of(seed, Some(most));
            assert!(most_down(&drawn) <= most, "{:?}", drawn.faults());
            let kinds: BTreeSet<&str> = drawn.faults().iter().map(|it| &*it.name).collect();
            assert_eq!(kinds.len(), names.len());
        }
    }
    assert!(unlimited >= 4, "without a limit at most {unlimited} were down");
}

#[test]
fn what_takes_too_many_down_is_refused_with_both_named() {
    let scripted = |name: &str, at, target: &str| Scripted {
        spec: FaultSpec {
            name: name.to_owned(),
            options: Options::from_iter([("target".to_owned(), target.into())]),
        },
        at: Duration::from_secs(at),
        lasts: Duration::from_secs(5),
    };
    let of = |names: &[&str], script: &[Scripted], most| {
        let bounds = Bounds { max_down: Some(most), ..FREE };
        Schedule::new(Seed(1), &nodes(), &specs(names), script, TIMING, bounds)
    };
    let refused = |names: &[&str], script: &[Scripted], most| {
        of(names, script, most).unwrap_err().to_string()
    };
    let all = [scripted("pause", 10, "all")];
    assert_eq!(
        refused(&[], &all, 2),
        "the fault `pause`, as it is asked for, takes at least 5 of 5 nodes down, and `max_down` is 2"
    );
    let two = [scripted("pause", 10, "primaries"), scripted("kill", 12, "minority")];
    let told = refused(&[], &two, 2);
    let begins = "these two together take more than 2 of 5 nodes down, which is `max_down`: \
                  10.000 s to 15.000 s: pause primaries; and 12.000 s to 17.000 s: kill n";
    assert!(told.starts_with(begins), "{told}");
    let later = [scripted("pause", 10, "primaries"), scripted("kill", 15, "minority")];
    assert_eq!(of(&[], &later, 2).unwrap().faults().len(), 2);
    assert!(refused(&["partition-ring"], &[], 2).contains("takes at least 3 of 5 nodes down"));
    let whole = [Scripted { lasts: Duration::from_secs(59), ..scripted("pause", 0, "minority") }];
    let told = refused(&["partition-halves"], &whole, 1);
    assert!(told.contains("takes at least 2 of 5"), "{told}");
    let one = [Scripted { lasts: Duration::from_secs(59), ..scripted("pause", 0, "primaries") }];
    let told = refused(&["partition-one"], &one, 1);
    assert!(told.starts_with("the fault `partition-one` never fits beside the others"), "{told}");
}

#[test]
fn a_system_model_says_what_can_happen() {
    let of = |name: &str, model: &str| {
        let bounds = Bounds { model: Some(model.parse().unwrap()), ..FREE };
        Schedule::new(Seed(3), &nodes(), &specs(&[name]), &[], TIMING, bounds)
    };
    let told = of("pause", "synchronous/byzantine").unwrap_err().to_string();
    assert_eq!(
        told,
        "the fault `pause` cannot happen in the system model synchronous/byzantine: \
         it takes at least partially-synchronous/crash-stop"
    );
    for (name, model, allowed) in [
        ("partition", "synchronous/crash-recovery", false),
        ("partition", "asynchronous/crash-stop", true),
        ("clock-jump", "partially-synchronous/crash-stop", true),
        ("restart", "asynchronous/crash-stop", false),
        ("restart", "synchronous/crash-recovery", true),
        ("link-altering", "asynchronous/crash-recovery", false),
        ("link-altering", "synchronous/byzantine", true),
        ("link-duplicating", "synchronous/crash-stop", true),
        ("kill", "synchronous/crash-stop", true),
    ] {
        assert_eq!(of(name, model).is_ok(), allowed, "{name} in {model}");
    }
}

#[test]
fn who_stops_for_good_is_harmed_no_more_and_a_majority_is_left() {
    let timing = Timing { at_once: 2, until: Duration::from_secs(200), ..TIMING };
    for (seed, model) in
        (0..50).zip(["synchronous/crash-stop", "asynchronous/crash-stop"].iter().cycle())
    {
        let bounds = Bounds { model: Some(model.parse().unwrap()), ..FREE };
        let names: &[&str] =
            if seed % 2 == 0 { &["kill"] } else { &["kill", "pause", "link-slow"] };
        let drawn = Schedule::new(Seed(seed), &nodes(), &specs(names), &[], timing, bounds);
        // Where the dead leave nobody to pause, that is said, and not left out in silence.
        if let Err(ScheduleError::NeverFits { fault, .. }) = &drawn {
            assert_eq!((fault.as_str(), seed % 2), ("pause", 1));
            continue;
        }
        let drawn = drawn.unwrap();
        let dead: Vec<&Planned> = drawn.faults().iter().filter(|it| it.plan.stays_dead()).collect();
        assert!(!dead.is_empty() && dead.iter().all(|it| &*it.name == "kill"));
        let count = |it: &&Planned| it.plan.nodes.len().max(1);
        assert!(dead.iter().map(count).sum::<usize>() <= 2, "{dead:?}");
        for (fault, later) in
            dead.iter().flat_map(|dead| drawn.faults().iter().map(move |it| (dead, it)))
        {
            let harmed = later.inject > fault.inject && &*later.name != "link-slow";
            let both = later.plan.nodes.iter().any(|node| fault.plan.nodes.contains(node));
            assert!(!(harmed && both), "{fault} / {later}");
        }
    }
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
        Schedule::new(Seed(1), &nodes(), &specs(names), &[], timing, FREE).unwrap_err().to_string()
    };
    let short = Timing { until: Duration::from_secs(20), ..TIMING };
    assert_eq!(
        refused(&["pause", "clock-jump"], short),
        "2 faults of 6 s each, 4 s apart, end 21 s after the start, \
         but faults must be over after 20 s: run longer or ask for fewer"
    );
    assert!(refused(&["puase"], TIMING).starts_with("there is no fault `puase`; there are "));
    assert!(Schedule::new(Seed(1), &nodes(), &[], &[], short, FREE).unwrap().faults().is_empty());
}
