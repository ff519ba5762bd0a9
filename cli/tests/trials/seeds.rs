//! One seed, one sequence of calls and one schedule of faults, whatever the
//! database's timing.

use tribunal_history::{History, Map, Name, Value};

use crate::scene::Scene;
use crate::test_file::{TestFile, demand_databases};
use crate::trial::{Trial, run_loaded};

/// What was called, in order; without the last reads, of which there are as many
/// as it takes.
fn calls(trial: &Trial) -> Vec<(String, Option<Value>, Value)> {
    calls_of(&trial.history())
}

pub fn calls_of(history: &History) -> Vec<(String, Option<Value>, Value)> {
    let load = history.operations().filter(|op| op.invocation().exts().next().is_none());
    load.map(|op| (op.f().to_owned(), op.key().map(Value::from), op.argument().to_value()))
        .collect()
}

/// What was injected, in order.
fn schedule(trial: &Trial) -> Vec<(u64, Name, Map<String, Value>)> {
    trial.faults().into_iter().map(|fault| (fault.id, fault.name, fault.plan)).collect()
}

pub fn a_seed_fixes_the_calls_and_the_faults() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let trials: Vec<Trial> = std::thread::scope(|scope| {
        let run = |(name, seed): (&str, &'static str)| {
            let file = TestFile::example("lww-store/lww.toml").faults("500ms", "500ms");
            let file = file.write(&scene, name);
            let scene = &scene;
            let settings = ["--local", "3", "--time", "8s", "-s", "bug=none", "--seed", seed];
            scope.spawn(move || run_loaded(scene, &file, &settings))
        };
        let runs = [("one", "11"), ("again", "0xb"), ("other", "12")].map(run);
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let [one, again, other] = trials.as_slice() else { unreachable!("three were run") };
    for trial in &trials {
        assert_eq!(trial.code, Some(0), "{}\n{}", trial.said, trial.told);
    }

    // How many calls a run gets through is the machine's affair: what is compared is what all got to.
    let called = [one, again, other].map(calls);
    let same = called.iter().map(Vec::len).min().unwrap();
    assert!(same > 1000, "only {same} calls");
    let [ones, agains, others] = called.each_ref().map(|calls| &calls[..same]);
    assert_eq!(ones, agains);
    assert_ne!(ones, others);

    assert!(schedule(one).len() >= 6, "{:?}", schedule(one));
    assert_eq!(schedule(one), schedule(again));
    assert_ne!(schedule(one), schedule(other));
}
