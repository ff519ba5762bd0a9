//! A node with a process that nobody can kill, because its disk hangs.

use std::path::Path;

use crate::scene::Scene;
use crate::traces::Traces;

/// A disk in a file, frozen, and a process that waits for it in the kernel. The device frees itself
/// with the mount.
const HANG: &str = "set -e; cd /tmp; truncate -s 16M image; mkfs.ext4 -qF image; mkdir disk
[ -e /dev/loop-control ] || mknod /dev/loop-control c 10 237
for number in $(seq 0 250); do
  [ -e /dev/loop$number ] || mknod /dev/loop$number b 7 $number
  losetup /dev/loop$number image 2>/dev/null && break
done
mount /dev/loop$number disk; losetup -d /dev/loop$number; fsfreeze -f disk
setsid touch disk/touched </dev/null >/dev/null 2>&1 & touch=$!
until grep -q '^State:.D' /proc/$touch/status; do sleep 0.01; done
kill -9 $touch; echo hangs";

pub fn a_node_whose_disk_hangs_goes_nevertheless() {
    let Some(scene) = Scene::set() else { return };
    if !Path::new("/dev/loop-control").exists() {
        crate::runner::skip("this machine has no loop devices");
        return;
    }
    scene.ok(&["cluster", "up", "--nodes", "1"]);
    let traces = Traces::of(&scene, "c1");
    assert_eq!(scene.on("n1", HANG), "hangs");
    assert_eq!(scene.ok(&["cluster", "down"]), "cluster c1 is gone");
    traces.assert_gone();
}
