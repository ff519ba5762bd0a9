//! `kill -9` of the controller in the middle of a fault: the agents undo it by
//! themselves, `heal` and `cluster down` leave nothing, and what was recorded is
//! judged.

use std::io::Write;

use tribunal_checkers::Validity;
use tribunal_harness::store::RunFolder;

use crate::interrupts::{Underway, children};
use crate::scene::Scene;
use crate::traces::Traces;
use crate::trial::{self, Seat, eventually};

pub fn a_killed_controller_leaves_nothing_that_is_not_undone() {
    let Some(scene) = Scene::set() else { return };
    let _seat = Seat::take();
    let mut run = Underway::of(&scene, "partition-halves");
    let traces = Traces::of(&scene, "c1");
    let clients = children(run.child.id(), "lww-store");
    assert!(!clients.is_empty(), "no client program is seen");
    assert!(!rules(&scene).is_empty(), "the fault does no harm");
    run.child.kill().unwrap();
    run.child.wait().unwrap();

    // Nobody tells the agents; it shows in what they hold.
    eventually("the rules are undone", || rules(&scene).is_empty());
    eventually("the clients are gone", || clients.iter().all(|client| !client.alive()));
    assert!(scene.ok(&["cluster", "ps"]).contains("nobody"));
    assert_eq!(scene.ok(&["heal"]), "c1: 3 nodes healed");
    assert_eq!(scene.ok(&["cluster", "down"]), "cluster c1 is gone");
    traces.assert_gone();
    is_judged(&scene, &trial::latest(&run.test));
}

/// The rules of all nodes.
fn rules(scene: &Scene) -> String {
    ["n1", "n2", "n3"].map(|node| scene.on(node, "nft list ruleset")).concat()
}

/// Valid is what nobody can say of it: there are no last reads, and the fault was
/// never seen to end.
fn is_judged(scene: &Scene, folder: &RunFolder) {
    let before = folder.history().unwrap().len();
    assert!(before > 10, "{before} events");
    let mut file = std::fs::File::options().append(true).open(folder.history_path()).unwrap();
    // The beginning of a chunk that is not there.
    file.write_all(&[0xff, 0xff, 0xff, 0xff, 0x40]).unwrap();
    assert_eq!(folder.verdict().unwrap(), None);
    let path = folder.path().to_str().unwrap();
    let checked = scene.tribunal(&["check", path]);
    assert_eq!(checked.status.code(), Some(2), "{checked:?}");
    assert_eq!(folder.verdict().unwrap().unwrap().validity, Validity::Unknown);
    assert_eq!(folder.history().unwrap().len(), before);
    assert!(folder.report_path().is_file());
}
