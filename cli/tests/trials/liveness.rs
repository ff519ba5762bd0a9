//! Liveness of real databases: one that does not come back is convicted, and one that does is not.

use crate::scene::Scene;
use crate::test_file::{TestFile, demand_databases};
use crate::trial::run_loaded;

const MODEL: &str = "partially-synchronous/crash-recovery";
const SETTINGS: [&str; 8] =
    ["--local", "3", "--time", "13s", "-s", "bug=none", "--system-model", MODEL];

/// The store of which one node is killed once; it recovers within two seconds, by its own word.
fn store() -> TestFile {
    let file = TestFile::example("lww-store/lww.toml");
    let file = file.script(&[("kill", 3, 5, &[("target", "one")])]);
    file.set("db.recovers_within", "2s").set("workload.lww.final_seconds", 3)
}

pub fn one_that_does_not_come_back_is_convicted() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    // Started for a second time, it only sits there.
    let start = store().text("db.start");
    let trap = format!("[ -e /opt/begun ] && exec sleep 1000\ntouch /opt/begun\n{start}");
    let file = store().set("db.start", trap).set("db.ready_timeout", "5s");
    let trial = run_loaded(&scene, &file.write(&scene, "lww"), &SETTINGS);
    let verdict = trial.verdict();
    assert_eq!(trial.code, Some(1), "{}\n{}", trial.said, trial.told);
    let named: Vec<_> = verdict.anomalies.iter().filter(|it| it.name == "not-live").collect();
    let [anomaly] = named[..] else { panic!("{verdict:#?}") };
    let killed = trial.faults()[0].nodes[0].to_string();
    assert_eq!(anomaly.details["node"], killed.as_str());
    assert!(trial.said.contains("not-live"), "{}", trial.said);
}

pub fn one_that_comes_back_is_not() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let trial = run_loaded(&scene, &store().write(&scene, "lww"), &SETTINGS);
    trial.assert_acquitted();
    let liveness = &trial.verdict().checkers["liveness"];
    assert_eq!(liveness.facts["bound_ms"], 2000);
    assert_eq!(trial.record().system_model.as_deref(), Some(MODEL));
    // Calls went on for long enough after the last fault.
    let (history, over) = (trial.history(), trial.faults()[0].until.unwrap());
    let late = history.operations().filter(|op| op.invoked_at() > over + 2_000_000_000);
    assert!(late.count() > 100);
}
