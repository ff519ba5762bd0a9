//! `tribunal self-test`: a quick slice of the matrix; all of it takes most of an hour.

use crate::scene::{Scene, text};
use crate::test_file::demand_databases;
use crate::trial::Seat;

/// Tries one bug of the table, and its correct mode under one seed.
fn slice(only: &str) {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let _seat = Seat::take();
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/self-test.toml");
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().to_str().expect("a path in words");
    let output =
        scene.tribunal(&["self-test", table, "--only", only, "--innocent", "1", "--store", store]);
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{said}\n{}", text(&output.stderr));
    assert!(said.contains("1 of 1 canaries convicted, 1 of 1 valid"), "{said}");
}

pub fn a_majority_that_is_none_is_convicted() {
    slice("small-majority");
}

pub fn increments_that_come_twice_are_convicted() {
    slice("double-increment");
}

pub fn write_skew_under_serializable_is_convicted() {
    slice("txn-store/write-skew.toml");
}
