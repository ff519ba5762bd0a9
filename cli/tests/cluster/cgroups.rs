//! A node's control groups: its own, known to the record, and gone with it.

use std::fs;
use std::time::{Duration, Instant};

use tribunal_harness::cluster::cgroup::{Controller, Hierarchy, Version};

use crate::scene::Scene;

/// Whether this machine has any to give; prints why not.
fn there_are_some() -> bool {
    let some = Hierarchy::all().is_ok_and(|all| !all.is_empty());
    if !some {
        crate::runner::skip("no control groups here that can be written to");
    }
    some
}

pub fn a_node_lives_in_groups_of_its_own() {
    let Some(scene) = Scene::set().filter(|_| there_are_some()) else { return };
    scene.ok(&["cluster", "up", "--nodes", "2"]);
    let record = scene.record("c1");
    let groups = record.nodes.iter().map(|node| &node.cgroups);
    assert!(groups.clone().all(|groups| !groups.is_empty()));
    assert!(groups.clone().flatten().all(|group| group.is_dir()));
    // Whatever runs there is in there, and sees them as all there is.
    let sleeper = "setsid sleep 1000 >/dev/null 2>&1 </dev/null & echo $!";
    let pid = scene.on("n1", sleeper);
    let seen = scene.on("n1", &format!("cat /proc/{pid}/cgroup"));
    let host = fs::read_to_string("/proc/self/cgroup").unwrap();
    for hierarchy in Hierarchy::all().unwrap() {
        let wanted = Controller::ALL.iter().any(|it| hierarchy.is_for(*it));
        if hierarchy.version == Version::Two || wanted {
            let mount = hierarchy.mount.display();
            let listed = scene.on("n1", &format!("find {mount} -name cgroup.procs | xargs cat"));
            assert!(listed.lines().any(|line| line == pid), "{mount}: {listed}");
        }
    }
    assert!(!seen.contains("tribunal-"), "{seen} shows more than the node's own, of {host}");
    // The other node is not in them.
    let other = scene.on("n2", "echo $$; find /sys/fs/cgroup -name cgroup.procs | xargs cat");
    assert!(other.lines().all(|line| line != "0"), "{other}");
    assert_eq!(scene.ok(&["cluster", "down"]), "cluster c1 is gone");
    let left: Vec<_> = groups.flatten().filter(|group| group.exists()).collect();
    assert!(left.is_empty(), "{left:?}");
}

/// Whom version 1 freezes cannot even be killed; the node goes all the same.
pub fn a_node_with_a_frozen_process_goes_at_once() {
    let Some(scene) = Scene::set().filter(|_| there_are_some()) else { return };
    scene.ok(&["cluster", "up", "--nodes", "1"]);
    let freeze = "cd /sys/fs/cgroup; setsid sleep 1000 >/dev/null 2>&1 </dev/null & \n\
        if [ -d freezer ]; then mkdir freezer/odd; echo $! >freezer/odd/cgroup.procs; \n\
        echo FROZEN >freezer/odd/freezer.state; cat freezer/odd/freezer.state; \n\
        else mkdir odd; echo $! >odd/cgroup.procs; echo 1 >odd/cgroup.freeze; fi; echo done";
    assert!(scene.on("n1", freeze).ends_with("done"));
    let record = scene.record("c1");
    let began = Instant::now();
    assert_eq!(scene.ok(&["cluster", "down"]), "cluster c1 is gone");
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let left: Vec<_> = record.nodes[0].cgroups.iter().filter(|group| group.exists()).collect();
    assert!(left.is_empty(), "{left:?}");
}
