//! `tribunal replay`: the recorded faults again, at the recorded times, whatever the test file asks
//! for by then; and the same calls.

use std::collections::BTreeSet;

use tribunal_checkers::Validity;
use tribunal_harness::store::Store;
use tribunal_history::{Fault, History};
use tribunal_nemesis::recorded;

use crate::scene::{Scene, text};
use crate::seeds::calls_of;
use crate::test_file::{TestFile, demand_databases};
use crate::trial::{Seat, run, store};

pub fn a_recorded_schedule_is_injected_again_though_the_test_file_has_changed() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let _seat = Seat::take();
    let file = TestFile::example("lww-store/lww.toml").faults("1s", "1500ms");
    let test = file.write(&scene, "lww");
    let asked = "--local 3 --time 9s -s bug=none -f partition,pause --seed 11";
    let settings: Vec<&str> = asked.split(' ').collect();
    let first = run(&scene, &test, &settings);
    assert_eq!(first.code, Some(0), "{}\n{}", first.said, first.told);
    let (folder, history) = (first.folder(), first.history());
    let planned = recorded(&history);
    assert!(planned.len() >= 3, "{planned:?}");

    // Neither what the file asks for now nor its options are what is replayed.
    file.set("run.faults", vec!["kill"]).set("workload.lww.keys", 3).write(&scene, "lww");
    let id = folder.id();
    let store = store(&test);
    let arguments = ["replay", &id, "--times", "2", "--store", store.to_str().unwrap()];
    let output = scene.tribunal(&arguments);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}\n{}", text(&output.stderr));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 3, "{said}");
    assert!(lines[0].trim_start().starts_with("1  valid"), "{said}");
    assert_eq!(lines[2], "failed 0 of 2");

    for replay in Store::new(&store).runs().iter().take(2) {
        let record = replay.record().unwrap();
        assert_eq!(record.replays.as_deref(), Some(id.as_str()));
        let kinds: BTreeSet<&str> = record.faults.iter().map(String::as_str).collect();
        assert_eq!(kinds, BTreeSet::from(["partition", "pause"]));
        assert_eq!(replay.verdict().unwrap().unwrap().validity, Validity::Valid);
        is_the_same(&history, &replay.history().unwrap());
    }
    let refused =
        scene.fails(64, &["replay", &id, "--local", "1", "--store", store.to_str().unwrap()]);
    assert!(refused.contains(", and there is no such node now"), "{refused}");
}

fn is_the_same(one: &History, other: &History) {
    let (planned, again) = (recorded(one), recorded(other));
    assert_eq!(planned.len(), again.len());
    for (was, is) in planned.iter().zip(&again) {
        assert_eq!((&was.name, &was.plan), (&is.name, &is.plan));
        // No sooner; and later only by what a busy machine costs.
        for (was, is) in [(was.inject, is.inject), (was.heal, is.heal)] {
            assert!(was <= is && is < was + 3_000_000_000, "{was} ns, then {is} ns");
        }
    }
    let observed = |fault: &Fault| fault.effect.observed && fault.error.is_none();
    assert!(other.faults().iter().all(observed), "{:?}", other.faults());
    let (calls, again) = (calls_of(one), calls_of(other));
    let same = calls.len().min(again.len());
    assert!(same > 300, "only {same} calls");
    assert_eq!(calls[..same], again[..same]);
}
