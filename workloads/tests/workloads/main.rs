//! Each workload against a model of a database: a correct one is acquitted, and
//! one with a seeded bug is convicted. Latencies and outcomes are simulated.

mod cas_register;
mod definitions;
mod leader;
mod locks;
mod lww;
mod objects;
mod transactions;

use std::time::Duration;

use tribunal_checkers::{Anomaly, Checker, Validity, Verdict, anomalies};
use tribunal_generator::simulation::{Answer, Attempt, Simulation};
use tribunal_generator::{Chain, Rng, Seed, phases, sleep};
use tribunal_history::{Event, History, Kind, Map, Value};
use tribunal_workloads::{Setting, Workload, find};

const NODES: [&str; 3] = ["n1", "n2", "n3"];

fn setting(seed: u64, options: Value) -> Setting {
    let Value::Object(options) = options else { panic!("options are an object: {options}") };
    Setting { seed: Seed(seed), nodes: NODES.map(Into::into).to_vec(), concurrency: 9, options }
}

fn build(name: &str, seed: u64, options: Value) -> Workload {
    let definition = find(name).expect("it is in the table");
    (definition.build)(&setting(seed, options)).expect("the options are right")
}

/// Seeds to try: what holds must not hold by luck.
const SEEDS: std::ops::Range<u64> = 0..20;

/// Runs a workload with its default options.
fn run(name: &str, seed: u64, respond: impl FnMut(Attempt) -> Answer) -> (Vec<Event>, Verdict) {
    run_with(name, Value::Object(Map::new()), seed, respond)
}

/// Runs a workload as the harness does: rate and time limit around the load,
/// then the last reads; here against a model.
fn run_with(
    name: &str,
    options: Value,
    seed: u64,
    respond: impl FnMut(Attempt) -> Answer,
) -> (Vec<Event>, Verdict) {
    let workload = build(name, seed, options);
    let load = workload.generator.stagger(Seed(seed).stream("rate"), Duration::from_millis(2));
    let mut parts = vec![load.time_limit(Duration::from_secs(10)).boxed()];
    if let Some(last) = workload.last {
        parts.extend([sleep(Duration::from_millis(500)).boxed(), last]);
    }
    let events = Simulation::new(&NODES, 9).run(phases(parts), respond);
    let history = History::new(events.clone()).expect("a simulation makes histories");
    for (f, least) in &workload.required {
        let ok = events.iter().filter(|event| event.kind == Kind::Ok && event.f == *f).count();
        assert!(ok as u64 >= *least, "{ok} of {f} are ok, {least} are required");
    }
    (events, workload.checker.check(&history))
}

fn latency(rng: &mut Rng) -> Duration {
    Duration::from_micros(rng.between(200, 15_000))
}

fn acquitted(verdict: &Verdict) {
    assert_eq!(verdict.validity, Validity::Valid, "{verdict:#?}");
}

/// Convicted, of this among others, all of which `tribunal explain` knows.
fn convicted(verdict: &Verdict, anomaly: &str) -> Anomaly {
    assert_eq!(verdict.validity, Validity::Invalid, "{verdict:#?}");
    let strange = verdict.anomalies.iter().find(|found| !anomalies::is_known(&found.name));
    assert!(strange.is_none(), "{strange:#?} is not explained");
    let named = verdict.anomalies.iter().find(|found| found.name == anomaly);
    named.unwrap_or_else(|| panic!("no {anomaly} among {:#?}", verdict.anomalies)).clone()
}

/// What was called, in order; without the last calls, of which there are as many as it takes.
fn calls(history: &[Event]) -> Vec<(String, Option<Value>, Value)> {
    let load = |event: &&Event| event.kind == Kind::Invoke && !event.ext.contains_key("final");
    let invocations = history.iter().filter(load);
    invocations.map(|event| (event.f.to_string(), event.key.clone(), event.value.clone())).collect()
}

/// The key of a call, as a text.
fn key_of(attempt: Attempt) -> String {
    attempt.call.key.as_ref().map_or_else(String::new, Value::to_string)
}

/// Runs a workload against a database that does what `apply` says, which is told whether to do it
/// wrong; one time in twenty, where it is guilty. One call in twenty gets no answer, and half of
/// those have had no effect; one in twenty fails.
fn against(
    name: &str,
    options: Value,
    seed: u64,
    guilty: bool,
    mut apply: impl FnMut(Attempt, bool) -> Answer,
) -> (Vec<Event>, Verdict) {
    let mut rng = Seed(seed).stream("database");
    run_with(name, options, seed, |attempt| {
        let after = latency(&mut rng);
        let wrong = guilty && rng.below(20) == 0;
        let answer = match rng.below(40) {
            0 => {
                apply(attempt, wrong);
                Answer::info("timed out")
            }
            1 => Answer::info("timed out"),
            2 | 3 => Answer::fail("refused"),
            _ => apply(attempt, wrong),
        };
        answer.after(after).on(attempt.node)
    })
}

/// A database without its bug is acquitted, and with it is convicted of `anomaly`, under every seed.
fn on_trial<A: FnMut(Attempt, bool) -> Answer>(name: &str, anomaly: &str, make: impl Fn() -> A) {
    on_trial_with(name, Value::Object(Map::new()), anomaly, make);
}

/// The same, with these options.
fn on_trial_with<A: FnMut(Attempt, bool) -> Answer>(
    name: &str,
    options: Value,
    anomaly: &str,
    make: impl Fn() -> A,
) {
    for seed in SEEDS.take(5) {
        acquitted(&against(name, options.clone(), seed, false, make()).1);
        convicted(&against(name, options.clone(), seed, true, make()).1, anomaly);
    }
}
