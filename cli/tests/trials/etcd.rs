//! A database of somebody else's, through client programs in two languages.

use tribunal_harness::cluster::local::find_program;

use crate::scene::Scene;
use crate::test_file::{TestFile, beside};
use crate::trial::run_loaded;

/// 20 s with each of the four kinds of faults.
fn acquits(example: &str) {
    let Some(scene) = scene() else { return };
    let test = TestFile::example(example).faults("1s", "3s").write(&scene, "etcd");
    let settings = ["--local", "3", "--time", "20s", "--rate", "100", "--concurrency", "6"];
    let trial = run_loaded(&scene, &test, &settings);
    trial.assert_acquitted();
    assert_eq!(trial.record().faults, ["partition", "kill", "pause", "clock-jump"]);
}

/// On a filesystem of ours, slow at first, and then without power in the middle of a write.
pub fn etcd_keeps_what_it_synced_on_a_disk_that_tears_writes() {
    let Some(scene) = scene() else { return };
    if let Err(why) = tribunal_nemesis::disk::available() {
        return crate::runner::skip(why);
    }
    let faults = ["disk-slow", "disk-torn-writes"];
    let test = TestFile::example("etcd/cas-register-python.toml")
        .faults("1s", "3s")
        .set("run.faults", faults.map(toml::Value::from).to_vec())
        .set("faults.disk-slow.delay_ms", 20)
        .set("faults.disk-slow.on", "sync")
        .set("faults.disk-torn-writes.target", "one")
        .write(&scene, "etcd");
    let settings = ["--local", "3", "--time", "12s", "--rate", "50", "--concurrency", "6"];
    let trial = run_loaded(&scene, &test, &settings);
    trial.assert_acquitted();
    assert_eq!(trial.record().faults, faults);
}

fn scene() -> Option<Scene> {
    let scene = Scene::set()?;
    for (program, package) in [("etcd", "etcd-server"), ("etcdctl", "etcd-client")] {
        if find_program(program).is_none() {
            crate::runner::skip(format!(
                "there is no {program} on this machine: apt-get install {package}"
            ));
            return None;
        }
    }
    Some(scene)
}

pub fn etcd_is_linearizable_through_the_client_in_rust() {
    if beside("etcd-client-program").is_none() {
        crate::runner::skip("etcd-client-program is not built (it needs protoc)");
        return;
    }
    acquits("etcd/cas-register.toml");
}

pub fn etcd_is_linearizable_through_the_client_in_python() {
    if find_program("python3").is_none() {
        crate::runner::skip("there is no python3 on this machine");
        return;
    }
    acquits("etcd/cas-register-python.toml");
}
