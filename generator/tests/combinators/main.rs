//! Each combinator, run by simulation. Those that need more than a few lines have files of their own.

mod cycles;
mod limits;
mod reactions;
mod workers;

use std::time::Duration;

use tribunal_generator::simulation::{Answer, Attempt, Simulation};
use tribunal_generator::{
    Boxed, Chain, Pace, Policy, Seed, any, calls, clients, each_node, each_process, flip_flop,
    keys, mix, nemesis, on_node, once, phases, repeat, repeat_with, reserve, sequence, sleep,
    synchronize, weighted,
};
use tribunal_history::{Call, Event, Kind, Process};

const MS: u64 = 1_000_000;

fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn call(f: &str) -> Call {
    Call::new(f)
}

/// Calls of `f` with the values 1, 2, 3, …
fn counted(f: &'static str) -> impl tribunal_generator::Generator + 'static {
    let mut value = 0;
    repeat_with(move || {
        value += 1;
        call(f).value(value)
    })
}

/// Four workers on two nodes.
fn four() -> Simulation {
    Simulation::new(&["n1", "n2"], 4)
}

fn invocations(history: &[Event]) -> impl Iterator<Item = &Event> {
    history.iter().filter(|event| event.kind == Kind::Invoke)
}

/// The invocations in one line: `0:a@0 1:b@5`, process, function and milliseconds.
fn drawn(history: &[Event]) -> String {
    let draw = |event: &Event| {
        let process = event.process.to_string();
        let process = process.strip_prefix('p').unwrap_or("N").to_owned();
        format!("{process}:{}@{}", event.f, event.time / MS)
    };
    invocations(history).map(draw).collect::<Vec<_>>().join(" ")
}

fn functions(history: &[Event]) -> String {
    invocations(history).map(|event| &*event.f).collect()
}

#[test]
fn the_longest_idle_client_makes_the_next_call() {
    let history = Simulation::new(&["n1"], 3).quick(repeat(call("a")).limit(5));
    assert_eq!(drawn(&history), "0:a@0 1:a@0 2:a@0 0:a@0 1:a@0");
}

#[test]
fn a_call_waits_for_a_free_client_and_never_goes_to_the_nemesis() {
    let two = Simulation::new(&["n1"], 2).with_nemesis();
    let history = two.perfect(ms(10), calls(["a", "b", "c"].map(call)));
    assert_eq!(drawn(&history), "0:a@0 1:b@0 0:c@10");
}

#[test]
fn an_empty_generator_gives_an_empty_history() {
    let none: [Boxed; 0] = [];
    assert!(four().quick(calls([])).is_empty());
    assert!(four().quick(sequence(none)).is_empty());
    assert!(four().quick(any([])).is_empty());
    assert!(four().quick(mix(Seed(1).stream("mix"), [])).is_empty());
    assert!(four().quick(repeat(call("a")).limit(0)).is_empty());
    assert!(four().quick(calls([]).until_ok()).is_empty());
    assert!(Simulation::new(&[], 0).quick(each_node(|_| once(call("a")).boxed())).is_empty());
    assert!(Simulation::new(&[], 0).quick(each_process(|_| once(call("a")).boxed())).is_empty());
}

#[test]
fn a_time_limit_counts_from_its_first_ask() {
    let load = || repeat(call("a")).delay(ms(10)).time_limit(ms(25));
    assert_eq!(drawn(&four().quick(load())), "0:a@0 1:a@10 2:a@20");
    let later = sleep(ms(100)).then(load());
    assert_eq!(drawn(&four().quick(later)), "0:a@100 1:a@110 2:a@120");
}

#[test]
fn a_time_limit_ends_what_waits_for_ever() {
    let history = four().perfect(ms(50), repeat(call("a")).time_limit(ms(20)));
    assert_eq!(drawn(&history), "0:a@0 1:a@0 2:a@0 3:a@0");
    assert_eq!(history.last().map(|event| event.time), Some(50 * MS));
}

#[test]
fn map_changes_every_call() {
    let history = four().quick(calls([call("a"), call("b")]).map(|call| call.mark("final", true)));
    assert!(history.iter().all(|event| event.ext["final"] == true));
    assert_eq!(functions(&history), "ab");
}

#[test]
fn a_mix_uses_all_its_parts_about_as_often() {
    let parts = ["a", "b", "c"].map(|f| repeat(call(f)).boxed());
    let history = functions(&four().quick(mix(Seed(7).stream("mix"), parts).limit(3000)));
    for f in ["a", "b", "c"] {
        assert!((900..1100).contains(&history.matches(f).count()), "{f}");
    }
}

#[test]
fn weights_weigh() {
    let parts = [(3, "a"), (0, "b"), (1, "c")].map(|(weight, f)| (weight, repeat(call(f)).boxed()));
    let history = functions(&four().quick(weighted(Seed(7).stream("mix"), parts).limit(4000)));
    assert!((2850..3150).contains(&history.matches('a').count()));
    assert_eq!(history.matches('b').count(), 0);
}

#[test]
fn a_mix_goes_on_with_the_rest_when_a_part_is_done() {
    let parts = [repeat(call("a")).limit(2).boxed(), repeat(call("b")).limit(5).boxed()];
    let history = functions(&four().quick(mix(Seed(7).stream("mix"), parts)));
    assert_eq!((history.matches('a').count(), history.matches('b').count()), (2, 5));
}

#[test]
fn a_mix_keeps_its_choice_until_it_can_be_used() {
    // "slow" can go only every 100 ms; the mix must wait for it rather than pass on.
    let parts = || [repeat(call("s")).delay(ms(100)).boxed(), repeat(call("q")).boxed()];
    let mixed = functions(&four().quick(mix(Seed(3).stream("mix"), parts()).limit(1000)));
    assert!((400..600).contains(&mixed.matches('s').count()));
}

#[test]
fn staggered_calls_come_at_the_mean_rate_and_are_not_moved_by_latency() {
    let load = || counted("a").stagger(Seed(7).stream("stagger"), ms(10)).limit(1000);
    let workers = || Simulation::new(&["n1"], 500);
    let times =
        |history: &[Event]| invocations(history).map(|event| event.time).collect::<Vec<_>>();
    let quick = times(&workers().quick(load()));
    let last = quick.last().copied().unwrap_or(0);
    assert!((9_000 * MS..11_000 * MS).contains(&last), "{last}");
    assert_eq!(quick, times(&workers().perfect(ms(700), load())));
    assert_eq!(quick, times(&workers().imperfect(Seed(1).stream("outcome"), load())));
}

#[test]
fn staggered_calls_that_are_late_are_made_up_for() {
    let load = counted("a").stagger(Seed(7).stream("stagger"), ms(10)).limit(100);
    let mut blocked = true;
    let history = Simulation::new(&["n1"], 1).run(load, |_| {
        let latency = if std::mem::take(&mut blocked) { ms(900) } else { ms(0) };
        Answer::ok(1).after(latency)
    });
    let last = invocations(&history).last().map_or(0, |event| event.time);
    assert!((800 * MS..1_300 * MS).contains(&last), "{last}");
}

#[test]
fn delay_holds_calls_apart_also_when_they_end_at_once() {
    let history = four().quick(repeat(call("a")).delay(ms(5)).limit(3));
    assert_eq!(drawn(&history), "0:a@0 1:a@5 2:a@10");
}

#[test]
fn then_does_not_wait_for_calls_and_phases_do() {
    let parts = || [once(call("a")).boxed(), once(call("b")).boxed()];
    assert_eq!(drawn(&four().perfect(ms(10), sequence(parts()))), "0:a@0 1:b@0");
    assert_eq!(drawn(&four().perfect(ms(10), phases(parts()))), "0:a@0 1:b@10");
}

#[test]
fn phases_nest() {
    let inner = phases([repeat(call("b")).limit(2).boxed(), sleep(ms(5)).boxed()]);
    let outer = phases([once(call("a")).boxed(), inner.boxed(), once(call("c")).boxed()]);
    assert_eq!(drawn(&four().perfect(ms(10), outer)), "0:a@0 1:b@10 2:b@10 3:c@25");
}

#[test]
fn a_barrier_of_the_clients_does_not_wait_for_the_nemesis() {
    let load = phases([once(call("a")).boxed(), once(call("b")).boxed()]);
    let run = any([nemesis(once(call("fault"))).boxed(), clients(load).boxed()]);
    let history = four().with_nemesis().run(run, |attempt| {
        let slow = attempt.process == Process::Nemesis;
        Answer::ok(1).after(ms(if slow { 1000 } else { 10 }))
    });
    assert_eq!(drawn(&history), "N:fault@0 0:a@0 1:b@10");
}

#[test]
fn any_takes_turns_and_lets_go_whoever_can() {
    let parts = [
        repeat(call("s")).delay(ms(10)).limit(2).boxed(),
        repeat(call("a")).limit(2).boxed(),
        repeat(call("b")).limit(2).boxed(),
    ];
    assert_eq!(drawn(&four().quick(any(parts))), "0:s@0 1:a@0 2:b@0 3:a@0 0:b@0 1:s@10");
}

#[test]
fn clients_and_nemesis_make_their_own_calls() {
    let faults = calls(["x", "y"].map(call)).delay(ms(10));
    let load = repeat(call("a")).delay(ms(10)).limit(2);
    let run = any([clients(load).boxed(), nemesis(faults).boxed()]);
    assert_eq!(drawn(&four().with_nemesis().quick(run)), "0:a@0 N:x@0 1:a@10 N:y@10");
}

#[test]
fn on_node_uses_that_nodes_workers_only() {
    let history = four().quick(on_node("n2", repeat(call("a")).limit(3)));
    assert_eq!(drawn(&history), "1:a@0 3:a@0 1:a@0");
}

#[test]
fn each_node_runs_once_a_node_with_one_worker_each() {
    let parts = each_node(|node| calls([call(node), call("z")]).boxed());
    assert_eq!(drawn(&four().perfect(ms(10), parts)), "0:n1@0 1:n2@0 0:z@10 1:z@10");
}

/// Every call on n1 ends unknown, and every third one elsewhere is ok.
fn n1_is_dead(attempt: Attempt, count: &mut u64) -> Answer {
    *count += 1;
    let answer = match (attempt.node.map(|node| &**node), *count % 3) {
        (Some("n1"), _) => Answer::info("timed out"),
        (_, 0) => Answer::ok(7),
        _ => Answer::fail("refused"),
    };
    answer.after(ms(50)).on(attempt.node)
}

#[test]
fn each_node_until_ok_ends_although_a_node_is_dead_and_its_processes_are_retired() {
    let last = each_node(|_| repeat(call("read")).delay(ms(100)).limit(8).until_ok().boxed());
    let mut count = 0;
    let history = Simulation::new(&["n1", "n2", "n3"], 6)
        .run(last, |attempt| n1_is_dead(attempt, &mut count));
    let on = |node: &str, kind: Kind| {
        let ours = |event: &&Event| event.node.as_deref() == Some(node) && event.kind == kind;
        history.iter().filter(ours).count()
    };
    assert_eq!((on("n1", Kind::Info), on("n1", Kind::Ok)), (8, 0));
    assert_eq!((on("n2", Kind::Ok), on("n3", Kind::Ok)), (1, 1));
    let processes = invocations(&history).filter(|event| event.node.as_deref() == Some("n1"));
    let processes: Vec<_> = processes.map(|event| event.process.to_string()).collect();
    assert_eq!(processes[..3], ["p0", "p6", "p12"]);
}

#[test]
fn until_ok_does_not_take_others_successes_for_its_own() {
    let ours = repeat(call("ours")).delay(ms(10)).limit(5).until_ok();
    let others = repeat(call("others")).delay(ms(10)).limit(5);
    let run = any([ours.boxed(), others.boxed()]);
    let history = four().run(run, |attempt| match &*attempt.call.f {
        "ours" => Answer::fail("refused"),
        _ => Answer::ok(1),
    });
    assert_eq!(functions(&history).matches("ours").count(), 5);
}

#[test]
fn until_ok_stops_at_the_first_success() {
    let mut left = 3;
    let history = four().run(repeat(call("a")).delay(ms(10)).until_ok(), |_| {
        left -= 1;
        if left == 0 { Answer::ok(1) } else { Answer::info("timed out") }
    });
    assert_eq!(drawn(&history), "0:a@0 1:a@10 2:a@20");
}

#[test]
fn each_process_gives_a_retired_ones_successor_a_new_generator() {
    let mut crashed = false;
    let parts = each_process(|_| once(call("a")).boxed());
    let history =
        Simulation::new(&["n1"], 2).run(parts, |_| match std::mem::replace(&mut crashed, true) {
            false => Answer::info("timed out").after(ms(5)),
            true => Answer::ok(1).after(ms(1)),
        });
    assert_eq!(drawn(&history), "0:a@0 1:a@0 2:a@5");
    let mut crashes = 3;
    let parts = each_process(|_| repeat(call("a")).delay(ms(2)).limit(2).boxed());
    let history = Simulation::new(&["n1"], 1).run(parts, |_| {
        crashes -= 1;
        if crashes > 0 { Answer::info("timed out") } else { Answer::ok(1) }
    });
    assert_eq!(drawn(&history), "0:a@0 1:a@0 2:a@0 2:a@2");
}

#[test]
fn independent_keys_are_replaced_when_they_are_used_up() {
    let load = keys::independent(Seed(7).stream("keys"), 3, 10, |_| counted("a").boxed());
    let history = four().perfect(ms(1), load.limit(300));
    let mut of: std::collections::BTreeMap<String, Vec<u64>> = Default::default();
    for event in invocations(&history) {
        let key = event.key.as_ref().and_then(|key| key.as_str()).expect("every call has a key");
        of.entry(key.to_owned()).or_default().push(event.value.as_u64().unwrap_or(0));
    }
    assert!((30..=33).contains(&of.len()), "{}", of.len());
    assert!(of.values().all(|values| values.iter().copied().eq(1..=values.len() as u64)));
    assert!(of.values().all(|values| values.len() <= 10));
    assert!(of.values().filter(|values| values.len() < 10).count() <= 3);
}

#[test]
fn a_key_whose_generator_is_done_is_replaced_too() {
    let load = keys::independent(Seed(7).stream("keys"), 1, 10, |_| counted("a").limit(2).boxed());
    let history = four().quick(load.limit(5));
    let keys = invocations(&history).filter_map(|event| event.key.as_ref()?.as_str());
    assert_eq!(keys.collect::<Vec<_>>(), ["0", "0", "1", "1", "2"]);
}

#[test]
fn a_barrier_holds_also_when_every_process_has_been_retired() {
    let parts = phases([repeat(call("a")).limit(4).boxed(), synchronize(once(call("b"))).boxed()]);
    let history = four().run(parts, |_| Answer::info("timed out").after(ms(10)));
    assert_eq!(drawn(&history), "0:a@0 1:a@0 2:a@0 3:a@0 4:b@10");
}

#[test]
#[should_panic(expected = "waits for an event, but no call is open and nothing is due")]
fn to_wait_for_an_event_when_there_can_be_none_is_an_error() {
    four().quick(on_node("n9", once(call("a"))));
}

#[test]
fn flip_flop_takes_turns_and_ends_with_the_first_that_ends() {
    let parts = [repeat(call("a")).boxed(), repeat(call("b")).limit(2).boxed()];
    assert_eq!(functions(&four().quick(flip_flop(parts))), "ababa");
}

#[test]
fn reserved_clients_make_only_their_own_calls() {
    let slow =
        |attempt: Attempt| Answer::ok(1).after(ms(if &*attempt.call.f == "w" { 50 } else { 1 }));
    let load = reserve([(1, repeat(call("w")).boxed())], repeat(call("r")).boxed());
    let history = four().run(load.time_limit(ms(100)), slow);
    for event in invocations(&history) {
        assert_eq!(&*event.f == "w", event.process == Process::Client(0), "{event:?}");
    }
    assert_eq!(functions(&history).matches('w').count(), 2);
}

#[test]
fn a_process_limit_ends_with_its_processes() {
    // Every call crashes, so that every process is retired after one.
    let history =
        four().run(repeat(call("a")).process_limit(3), |_| Answer::info("crash").after(ms(1)));
    assert_eq!(invocations(&history).count(), 3);
}

#[test]
fn until_sees_the_answers_of_its_own_calls() {
    let mut left = 3;
    let pop = repeat(call("pop")).until(|event| event.value.is_null());
    let history = Simulation::new(&["n1"], 1).run(pop, |_| {
        left -= 1;
        Answer::ok(if left >= 0 { Some(left) } else { None })
    });
    assert_eq!(functions(&history), "poppoppoppop");
}

/// The calls of each 100 ms of a load of some thousand a second.
fn per_tenth(pace: Pace) -> Vec<usize> {
    let load = repeat(call("a")).paced(Seed(7).stream("pace"), ms(1), pace).time_limit(ms(1000));
    let history = Simulation::new(&["n1"], 50).perfect(ms(1), load);
    let mut counts = vec![0; 10];
    for event in invocations(&history) {
        counts[((event.time / (100 * MS)) as usize).min(9)] += 1;
    }
    counts
}

#[test]
fn a_ramp_grows_to_the_whole_rate() {
    let counts = per_tenth(Pace::Ramp { over: ms(500) });
    assert!(counts[0] < 40 && counts[2] < 75, "{counts:?}");
    assert!(counts[6..].iter().all(|count| (70..130).contains(count)), "{counts:?}");
}

#[test]
fn bursts_come_and_go() {
    let pace = Pace::Bursts { every: ms(400), length: ms(100), between: 0.1 };
    let counts = per_tenth(pace);
    for (tenth, count) in counts.into_iter().enumerate() {
        let burst = tenth % 4 == 0;
        assert_eq!(burst, count > 50, "{count} in tenth {tenth}");
    }
}

#[test]
fn zipf_makes_the_first_keys_hot() {
    let mut rng = Seed(7).stream("zipf");
    let mut counts = [0; 4];
    (0..12_000).for_each(|_| counts[rng.zipf(4, 1.0)] += 1);
    // 12/25, 6/25, 4/25, 3/25.
    for (count, share) in counts.into_iter().zip([12.0, 6.0, 4.0, 3.0]) {
        let expected = 12_000.0 * share / 25.0;
        assert!((f64::from(count) / expected - 1.0).abs() < 0.1, "{counts:?}");
    }
}

#[test]
fn what_failed_is_made_again_later_and_later() {
    let policy = Policy { times: 3, backoff: ms(10), jitter: 0.0 };
    let load = repeat(call("a")).limit(1).retry(Seed(7).stream("retry"), policy);
    let history = four().run(load, |_| Answer::fail("busy").after(ms(1)));
    // Each a millisecond after its answer plus 10, 20, 40.
    assert_eq!(drawn(&history), "0:a@0 1:a@11 2:a@32 3:a@73");
    let marks: Vec<_> =
        invocations(&history).map(|event| event.ext.get("retry").cloned()).collect();
    assert_eq!(marks, [None, Some(1.into()), Some(2.into()), Some(3.into())]);
}

#[test]
fn what_may_have_happened_is_not_made_again() {
    let policy = Policy { times: 3, backoff: ms(10), jitter: 0.5 };
    let load = repeat(call("a")).limit(2).retry(Seed(7).stream("retry"), policy);
    let history = four().run(load, |_| Answer::info("who knows").after(ms(1)));
    assert_eq!(invocations(&history).count(), 2);
}

#[test]
fn retries_go_before_new_calls() {
    let policy = Policy { times: 1, backoff: ms(1), jitter: 0.0 };
    let mut first = true;
    let load = counted("a").limit(3).retry(Seed(7).stream("retry"), policy);
    let history = Simulation::new(&["n1"], 1).run(load, |_| match std::mem::take(&mut first) {
        true => Answer::fail("busy").after(ms(5)),
        false => Answer::ok(1).after(ms(5)),
    });
    let values: Vec<_> = invocations(&history).filter_map(|event| event.value.as_i64()).collect();
    assert_eq!(values, [1, 2, 1, 3]);
}
