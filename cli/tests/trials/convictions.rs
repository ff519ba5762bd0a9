//! The bundled databases, each with its bug and without.
//!
//! No conviction here hangs on luck. Clocks jump by 20 s, so that every write
//! that a node with such a clock serves beats, or loses to, all that its key
//! sees through the others afterwards; and there are dozens of them in each
//! jump. A paused leader stands still for three seconds, thrice its lease, and
//! the unfenced one goes on for a second after it wakes.

use std::path::PathBuf;

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

pub fn wall_clocks_lose_writes() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let trial = tried(&scene, &lww(&scene), "clock=wall");
    trial.assert_convicted_of(&["lost-write"]);
    let lost = &trial.verdict().anomalies[0].message;
    assert!(lost.contains("clock") && lost.contains("clock-jump"), "no clock is blamed: {lost}");
}

pub fn an_unfenced_leader_wakes_up_beside_its_successor() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let trial = tried(&scene, &lease(&scene, "leader"), "fencing=off");
    trial.assert_convicted_of(&["split-brain"]);
    let verdict = trial.verdict();
    let by_pause = |message: &str| message.contains("was paused from");
    let blamed = verdict.anomalies.iter().any(|anomaly| by_pause(&anomaly.message));
    assert!(blamed, "no pause is blamed: {:?}", verdict.anomalies);
}

pub fn an_unfenced_leader_is_no_register() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let trial = tried(&scene, &lease(&scene, "cas-register"), "fencing=off");
    trial.assert_convicted_of(&["nonlinearizable"]);
}

/// Side by side on one machine, under one state folder: neither disturbs the other.
pub fn the_correct_ones_are_acquitted_of_the_same_at_the_same_time() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let tests = [
        (lww(&scene), "clock=hybrid"),
        (lease(&scene, "leader"), "fencing=on"),
        (lease(&scene, "cas-register"), "fencing=on"),
    ];
    std::thread::scope(|scope| {
        for (test, setting) in &tests {
            scope.spawn(|| tried(&scene, test, setting).assert_acquitted());
        }
    });
    assert_eq!(scene.ok(&["cluster", "down"]), "there is no cluster");
}
