//! Hosts that are there already, reached with a key and by their addresses: they
//! are harmed, healed, and left as they were found.

use crate::scene::Scene;
use crate::test_file::{TestFile, demand_databases};
use crate::traces::pids;
use crate::trial;

pub fn hosts_are_left_as_they_were_found() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let _seat = trial::Seat::take();
    scene.ok(&["cluster", "up", "--nodes", "3"]);
    let (record, directory) = (scene.record("c1"), scene.directory("c1"));
    let host = |number: usize| format!("db{number}=root@{}", record.nodes[number - 1].ip);
    let hosts = [1, 2, 3].map(host).join(",");
    let file = TestFile::example("lww-store/lww.toml").faults("500ms", "1s");
    let test = file.write(&scene, "lww");
    let (key, known) = (directory.join("key"), directory.join("known_hosts"));
    let mut command = trial::command(&scene, &test, &["--nodes", &hosts, "--time", "8s"]);
    command.args(["-s", "clock=hybrid", "-f", "clock-jump,partition,pause"]);
    command.arg("--identity").arg(key).arg("--known-hosts").arg(known);
    let trial = trial::Trial::of(&test, command.output().unwrap());
    trial.assert_acquitted();
    assert_eq!(trial.record().nodes, ["db1", "db2", "db3"]);

    for node in ["n1", "n2", "n3"] {
        assert_eq!(scene.on(node, "nft list ruleset"), "");
        // In brackets, lest it finds itself.
        let ours = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -E '[l]ww-store|[t]ribunal-'";
        assert_eq!(scene.on(node, &format!("{ours} || echo none")), "none");
        assert_eq!(scene.on(node, "cat /var/lib/tribunal-agent/journal.jsonl"), "");
    }
    // Of ssh nothing is left here, either: no master, and none of its sockets.
    for host in &record.nodes {
        let ip = host.ip.to_string();
        for pid in pids() {
            let line = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            assert!(!(line.starts_with("ssh") && line.contains(&ip)), "process {pid}: {line}");
        }
    }
    assert_eq!(scene.ok(&["cluster", "ps"]).lines().count(), 2, "the hosts are still there");
}
