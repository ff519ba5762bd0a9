//! The bundled databases, each with its bug and without.
//!
//! No conviction here hangs on luck. Clocks jump by 20 s, so that every write
//! that a node with such a clock serves beats, or loses to, all that its key
//! sees through the others afterwards; and there are dozens of them in each
//! jump. A paused leader stands still for three seconds, thrice its lease, and
//! the one that asks no clock goes on for a second after it wakes.

use std::path::PathBuf;

use tribunal_history::{Fault, Nanos};

use crate::scene::Scene;
use crate::test_file::{TestFile, demand_databases};
use crate::trial::{Trial, run_loaded};

/// Four faults: two clock jumps and two partitions.
fn lww(scene: &Scene) -> PathBuf {
    let file = TestFile::example("lww-store/lww.toml").faults("1s", "2s");
    file.set("faults.clock-jump.offset_s", 20).write(scene, "lww")
}

/// One fault of each of three kinds.
fn lease(scene: &Scene, workload: &str) -> PathBuf {
    let file = TestFile::example(&format!("lease-store/{workload}.toml")).faults("500ms", "3s");
    file.write(scene, workload)
}

fn tried(scene: &Scene, test: &std::path::Path, setting: &str) -> Trial {
    let shorter = ["--local", "3", "--time", "12s", "--seed", "7", "-s", setting];
    run_loaded(scene, test, &shorter)
}

/// With pauses alone: a cut or a clock beside them may keep the sleeper from being the leader.
fn paused(scene: &Scene, workload: &str) -> Trial {
    let test = lease(scene, workload);
    let shorter = ["--local", "3", "--time", "15s", "--seed", "7", "-f", "pause"];
    run_loaded(scene, &test, &[&shorter[..], &["-s", "bug=paused-leader"]].concat())
}

pub fn wall_clocks_lose_writes() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let trial = tried(&scene, &lww(&scene), "bug=wall-clock");
    trial.assert_convicted_of(&["lost-write"]);
    let lost = &trial.verdict().anomalies[0].message;
    assert!(lost.contains("clock") && lost.contains("clock-jump"), "no clock is blamed: {lost}");
    assert_clocks_measured(&trial);
}

/// While a clock was certainly off it was read to be, and at no other time; the node's own never.
fn assert_clocks_measured(trial: &Trial) {
    let (readings, faults) = (trial.folder().clocks().unwrap(), trial.faults());
    let mut off = 0;
    for reading in &readings {
        let (from, until) = (reading.time - reading.took, reading.time);
        let jumps =
            |fault: &&Fault| *fault.name == *"clock-jump" && fault.nodes.contains(&reading.node);
        let (least, most) = reading.offset();
        assert!((reading.host.0..=reading.host.1).contains(&0), "{reading:?}");
        if faults.iter().filter(jumps).any(|fault| certainly(fault, from, until)) {
            off += 1;
            assert!((least..=most).contains(&20_000_000_000), "{reading:?}");
        } else if !faults.iter().filter(jumps).any(|fault| fault.may_overlap(from, until)) {
            assert!((least..=most).contains(&0), "{reading:?}");
        }
    }
    assert!(readings.len() >= 30, "twelve seconds on three nodes: {}", readings.len());
    assert!(off >= 2, "two jumps of two seconds: {readings:?}");
    let told = trial.said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("clocks: ") && told.contains(" up to 20.0 s ahead"), "{told}");
    assert!(trial.report().contains(" up to 20.0 s ahead"));
}

/// Whether a fault acted throughout.
fn certainly(fault: &Fault, from: Nanos, until: Nanos) -> bool {
    fault.injected.is_some_and(|it| it <= from) && fault.heal.is_some_and(|it| until <= it)
}

pub fn a_paused_leader_wakes_up_beside_its_successor() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let trial = paused(&scene, "leader");
    trial.assert_convicted_of(&["split-brain"]);
    let verdict = trial.verdict();
    let by_pause = |message: &str| message.contains("was paused from");
    let blamed = verdict.anomalies.iter().any(|anomaly| by_pause(&anomaly.message));
    assert!(blamed, "no pause is blamed: {:?}", verdict.anomalies);
}

pub fn a_paused_leader_is_no_register() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let trial = paused(&scene, "cas-register");
    trial.assert_convicted_of(&["nonlinearizable"]);
}

/// Side by side on one machine, under one state folder: neither disturbs the other.
pub fn the_correct_ones_are_acquitted_of_the_same_at_the_same_time() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let tests = [
        (lww(&scene), "bug=none"),
        (lease(&scene, "leader"), "bug=none"),
        (lease(&scene, "cas-register"), "bug=none"),
    ];
    std::thread::scope(|scope| {
        for (test, setting) in &tests {
            scope.spawn(|| tried(&scene, test, setting).assert_acquitted());
        }
    });
    assert_eq!(scene.ok(&["cluster", "down"]), "there is no cluster");
}
