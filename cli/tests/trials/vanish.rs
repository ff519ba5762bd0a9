//! A node that vanishes during a fault, and a fault that does not bite: ordinary events of a run, told
//! with names, and never a hang.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tribunal_checkers::Validity;

use crate::interrupts::Underway;
use crate::scene::Scene;
use crate::test_file::{TestFile, demand_databases};
use crate::traces::Traces;
use crate::trial::{self, Seat, run_loaded};

/// A run whose node is gone must be over in this time after its load.
const PATIENCE: Duration = Duration::from_secs(90);

pub fn a_node_that_vanishes_during_a_fault_is_named_and_nothing_hangs() {
    let Some(scene) = Scene::set() else { return };
    let _seat = Seat::take();
    demand_databases();
    let file = TestFile::example("lww-store/lww.toml").faults("200ms", "100s");
    let test = file.set("workload.lww.final_seconds", 3).write(&scene, "lww");
    let settings = ["--local", "3", "--time", "300s", "-s", "bug=none", "-f", "partition-halves"];
    let mut run = Underway::with(trial::command(&scene, &test, &settings), test);
    let traces = Traces::of(&scene, "c1");
    let init = traces.record.nodes.iter().find(|node| node.id == "n3").unwrap().init.unwrap();
    kill_process(Pid::from_raw(init.pid as i32).unwrap(), Signal::KILL).unwrap();
    std::thread::sleep(Duration::from_secs(2));
    let begun = Instant::now();
    kill_process_group(Pid::from_raw(run.child.id() as i32).unwrap(), Signal::INT).unwrap();
    let code = run.child.wait().unwrap().code();
    assert!(begun.elapsed() < PATIENCE, "it took {:?}", begun.elapsed());
    assert_eq!(code, Some(130));
    traces.assert_gone();
    let folder = trial::latest(&run.test);
    let verdict = folder.verdict().unwrap().expect("what there was is judged");
    assert_eq!(verdict.validity, Validity::Unknown, "{verdict:?}");
    let told =
        verdict.unknowns.iter().any(|why| why.contains("node n3 cannot be reached any more"));
    assert!(told, "{:?}", verdict.unknowns);
}

pub fn a_fault_that_does_not_bite_makes_the_run_unknown_and_is_named() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    // One packet in a thousand millions.
    let file = TestFile::example("lww-store/lww.toml").faults("1s", "2s");
    let file = file.set("faults.link-duplicating.share", 1e-9);
    let file = file.set("faults.link-duplicating.links", "one");
    let settings = ["--local", "3", "--time", "4s", "-s", "bug=none"];
    let faults = ["-f", "link-duplicating"];
    let test = file.set("faults.schedule", "once").write(&scene, "lww");
    let trial = run_loaded(&scene, &test, &[&settings[..], &faults].concat());
    assert_eq!(trial.code, Some(2), "{}\n{}", trial.said, trial.told);
    let told = trial.verdict().unknowns;
    assert!(
        told.iter().any(|why| why.starts_with("link-duplicating n")
            && why.ends_with("was not seen to take effect")),
        "{told:?}"
    );
    assert!(trial.said.contains("link-duplicating"), "{}", trial.said);
    assert_eq!(trial.verdict().validity, Validity::Unknown);
}
