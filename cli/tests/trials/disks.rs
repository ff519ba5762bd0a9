//! Every node of a cluster loses its power at once: whoever acknowledges what is not on a disk is
//! convicted, and whoever syncs is not.

use crate::scene::Scene;
use crate::test_file::{TestFile, demand_databases};
use crate::trial::{Trial, run_loaded};

/// Two power failures.
fn tried(scene: &Scene, bug: &str) -> Option<Trial> {
    demand_databases();
    if !std::path::Path::new("/dev/loop-control").exists() {
        crate::runner::skip("this machine has no loop devices");
        return None;
    }
    let file = TestFile::example("lease-store/register.toml");
    let test = file.set("vars.bug", bug).write(scene, bug);
    let short = ["--local", "3", "--time", "10s", "--seed", "7", "--faults", "power-loss"];
    Some(run_loaded(scene, &test, &short))
}

pub fn a_store_that_does_not_sync_loses_writes_with_the_power() {
    let Some(scene) = Scene::set() else { return };
    let Some(trial) = tried(&scene, "no-sync") else { return };
    trial.assert_convicted_of(&["nonlinearizable"]);
}

pub fn a_store_that_syncs_loses_none() {
    let Some(scene) = Scene::set() else { return };
    let Some(trial) = tried(&scene, "none") else { return };
    trial.assert_acquitted();
}
