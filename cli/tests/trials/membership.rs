//! Members that leave and come back, rounds of restarts, and another version: with real databases,
//! by their own commands.

use tribunal_harness::cluster::local::find_program;
use tribunal_history::Fault;

use crate::scene::Scene;
use crate::test_file::{TestFile, beside, demand_databases};
use crate::trial::{Seat, Trial, run, run_loaded};

/// Each fault of a run, with its name and what was seen of it.
fn seen(trial: &Trial) -> Vec<(String, String)> {
    let told = |fault: &Fault| (fault.name.to_string(), fault.effect.evidence.join("; "));
    trial.faults().iter().map(told).collect()
}

/// What the database printed on a node.
fn log(trial: &Trial, node: &str) -> String {
    let log = trial.folder().path().join("nodes").join(node).join("tribunal-db.log");
    std::fs::read_to_string(log).unwrap()
}

pub fn etcds_members_leave_and_come_back() {
    let Some(scene) = Scene::set() else { return };
    if find_program("etcd").is_none() || find_program("etcdctl").is_none() {
        crate::runner::skip(
            "there is no etcd on this machine: apt-get install etcd-server etcd-client",
        );
        return;
    }
    if beside("etcd-client-program").is_none() {
        crate::runner::skip("etcd-client-program is not built (it needs protoc)");
        return;
    }
    let file = TestFile::example("etcd/cas-register.toml").script(&[
        ("member-leave", 1, 6, &[]),
        ("rolling-restart", 7, 12, &[]),
        ("member-replace", 13, 24, &[]),
    ]);
    let test = file.write(&scene, "etcd");
    let settings = ["--local", "3", "--time", "26s", "--rate", "100"];
    let trial = run_loaded(&scene, &test, &settings);
    trial.assert_acquitted();
    let seen = seen(&trial);
    let (name, told) = &seen[0];
    assert_eq!(name, "member-leave");
    let (left, back) = told.split_once("; ").unwrap_or_else(|| panic!("{told}"));
    // Two are left, and at the end three are there again, by etcd's own word.
    let members = left.split_once("the members are ").unwrap().1;
    assert_eq!(members.split(' ').count(), 2, "{told}");
    assert!(back.contains("joined without data") && back.ends_with("members: n1 n2 n3"), "{told}");
    let (name, told) = &seen[1];
    assert_eq!((name.as_str(), told.matches(" serves").count()), ("rolling-restart", 3), "{told}");
    let (name, told) = &seen[2];
    assert_eq!(name, "member-replace");
    assert!(told.contains("the members are n1 n2 n3"), "{told}");
}

pub fn one_that_nobody_lets_go_keeps_its_data() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let file = TestFile::example("lww-store/lww.toml");
    let start = file.text("db.start");
    let file = file
        .set("db.start", format!("echo it starts\n{start}"))
        .set("db.membership.leave", "echo nobody may leave >&2; exit 1")
        .set("db.membership.join", "true")
        .set("db.membership.status", "echo n1 n2 n3")
        .script(&[("member-leave", 1, 3, &[("target", "n2")])]);
    let test = file.write(&scene, "lww");
    let settings = ["--local", "3", "--time", "4s", "-s", "bug=none"];
    let trial = run_loaded(&scene, &test, &settings);
    let faults = trial.faults();
    let [fault] = &faults[..] else { panic!("{faults:?}") };
    assert!(fault.error.as_ref().is_some_and(|why| why.contains("nobody may leave")), "{fault:?}");
    assert_eq!(fault.effect.evidence, ["n2: the members are n1 n2 n3"]);
    assert!(fault.until.is_some(), "{fault:?}");
    assert_eq!(trial.code, Some(2), "{}", trial.told);
    // Its data are deleted only where it does not run.
    assert_eq!(log(&trial, "n2").matches("it starts").count(), 1);
}

pub fn another_version_is_what_is_started_from_then_on() {
    let Some(scene) = Scene::set() else { return };
    demand_databases();
    let file = TestFile::example("lww-store/lww.toml");
    let start = file.text("db.start");
    let file = file
        .set("db.upgrade.install", "touch /opt/installed")
        .set(
            "db.upgrade.start",
            format!("test -e /opt/installed && echo the other version\n{start}"),
        )
        .script(&[("rolling-upgrade", 1, 4, &[]), ("kill", 5, 8, &[])]);
    let test = file.write(&scene, "lww");
    let settings = ["--local", "3", "--time", "9s", "-s", "bug=none"];
    let trial = run_loaded(&scene, &test, &settings);
    trial.assert_acquitted();
    let killed = &trial.faults()[1];
    assert_eq!(&*killed.name, "kill");
    for node in ["n1", "n2", "n3"] {
        let log = log(&trial, node);
        let starts = log.matches("the other version").count();
        let again = killed.nodes.iter().any(|it| **it == *node);
        assert!(starts >= if again { 2 } else { 1 }, "{node}: {starts} starts: {log}");
    }
}

pub fn what_the_test_file_cannot_do_is_refused_before_the_run() {
    let Some(scene) = Scene::set() else { return };
    let _seat = Seat::take();
    let test = TestFile::example("lww-store/lww.toml").write(&scene, "lww");
    let refused = |faults: &str, more: &[&str]| {
        let trial = run(&scene, &test, &[&["-f", faults], more].concat());
        assert_eq!(trial.code, Some(64), "{}", trial.told);
        assert_eq!(trial.told.lines().count(), 1, "{}", trial.told);
        trial.told
    };
    let told = refused("member-leave", &[]);
    assert!(told.contains("needs the database's own commands: [db.membership]"), "{told}");
    assert!(refused("rolling-upgrade", &[]).contains("needs [db.upgrade]"));
    let told = refused("pause", &["--system-model", "synchronous/crash-recovery"]);
    assert!(told.contains("it takes at least partially-synchronous/crash-stop"), "{told}");
    let usage = run(&scene, &test, &["--system-model", "sunny"]);
    assert_eq!(usage.code, Some(64));
    assert!(usage.told.contains("is no system model"), "{}", usage.told);
}
