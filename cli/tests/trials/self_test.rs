//! `tribunal self-test`: a quick slice of the matrix; all of it takes some 40 minutes.

use tribunal_harness::store::Store;

use crate::scene::{Scene, text};
use crate::test_file::demand_databases;
use crate::trial::Seat;

/// Tries one bug of the table, and its correct mode under one seed; `after` sees the store.
fn slice(only: &str, after: impl FnOnce(&Scene, &str)) {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let _seat = Seat::take();
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/self-test.toml");
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().to_str().expect("a path in words");
    let few = ["--only", only, "--innocent", "1", "--at-once", "1"];
    let output = scene.tribunal(&[&["self-test", table, "--store", store], &few[..]].concat());
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}\n{}", text(&output.stderr));
    assert!(said.contains("1 of 1 canaries convicted, 1 of 1 valid"), "{said}");
    after(&scene, store);
}

fn nothing_more(_: &Scene, _: &str) {}

pub fn a_majority_that_is_none_is_convicted() {
    slice("small-majority", is_replayed);
}

/// One of its runs is a run like any other, and its faults can be injected again.
fn is_replayed(scene: &Scene, store: &str) {
    let run = Store::new(store).find("latest").unwrap();
    let record = run.record().unwrap();
    assert_eq!(record.arguments[0], "run", "{:?}", record.arguments);
    assert!(record.command.contains(" run ") && record.command.contains(" -s bug=none"));
    let replayed = scene.tribunal(&["replay", &run.id(), "--store", store]);
    let said = text(&replayed.stdout);
    assert_eq!(replayed.status.code(), Some(0), "{said}\n{}", text(&replayed.stderr));
}

pub fn increments_that_come_twice_are_convicted() {
    slice("double-increment", nothing_more);
}

pub fn write_skew_under_serializable_is_convicted() {
    slice("txn-store/write-skew.toml", nothing_more);
}
