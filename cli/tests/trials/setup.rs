//! Set-ups that fail: one sentence that names the node, exit code 3, nothing left.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tribunal_harness::cluster::local::find_program;

use crate::scene::{Scene, text};
use crate::test_file::TestFile;
use crate::traces::assert_nothing_names;
use crate::trial::run;

/// The run ends with 3, and the last thing it tells is this.
#[track_caller]
fn fails(file: &TestFile, sentence: &str) {
    let Some(scene) = Scene::set() else { return };
    let test = file.write(&scene, "test");
    let trial = run(&scene, &test, &[]);
    assert_eq!(trial.code, Some(3), "{}", trial.told);
    let last = trial.told.rfind("tribunal: ").map(|at| trial.told[at..].trim_end());
    assert_eq!(last, Some(format!("tribunal: {sentence}").as_str()));
    assert!(trial.folder().verdict().unwrap().is_none(), "a set-up failure is no verdict");
    assert!(!scene.state.path().join("clusters").exists(), "a cluster is left");
    assert_nothing_names(scene.state.path());
}

pub fn a_database_that_does_not_start_is_told_of_with_the_end_of_its_log() {
    let start = "echo there is no room on the disk; exit 1";
    fails(
        &TestFile::idle(&["true"]).set("db.start", start).set("db.ready", "false"),
        "node n1: the database does not start; the end of its log:\n    \
         there is no room on the disk",
    );
}

pub fn a_database_that_is_never_ready_is_waited_for_only_so_long() {
    let start = "echo waiting for Godot; exec sleep 1000";
    let file = TestFile::idle(&["true"]).set("db.start", start).set("db.ready", "false");
    fails(
        &file.set("db.ready_timeout", "1s"),
        "node n1: the database was not ready within 1s; the end of its log:\n    waiting for Godot",
    );
}

pub fn an_install_that_fails_is_told_of_with_what_it_said() {
    let install = "echo no such package >&2; exit 9";
    fails(
        &TestFile::idle(&["true"]).set("db.install", install),
        "node n1: `echo no such package >&2; exit 9` exited with code 9: no such package",
    );
}

pub fn a_node_that_refuses_ssh_is_named() {
    let Some(scene) = Scene::set() else { return };
    let test = TestFile::idle(&["true"]).write(&scene, "test");
    let nodes = "db1=root@127.0.0.1:1";
    let said = scene.fails(3, &["run", test.to_str().unwrap(), "--nodes", nodes]);
    assert_eq!(
        said,
        "tribunal: node db1 (ssh://root@127.0.0.1:1) refuses SSH: \
         connect to host 127.0.0.1 port 1: Connection refused"
    );
}

pub fn a_machine_without_sshd_is_told_what_to_install() {
    let Some(scene) = Scene::set() else { return };
    let test = TestFile::idle(&["true"]).write(&scene, "test");
    let sshd = find_program("sshd").unwrap();
    let script = format!("mount --bind /dev/null {}; exec \"$@\"", sshd.display());
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-e", "-c", &script, "sh", env!("CARGO_BIN_EXE_tribunal")]);
    command.arg("run").arg(test).env("TRIBUNAL_STATE", scene.state.path());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let missing = "there is no `sshd` on this machine: apt-get install openssh-server";
    assert_eq!(text(&output.stderr), format!("tribunal: {missing}\n"));
}

pub fn without_root_hosts_are_the_way() {
    let Some(scene) = Scene::set() else { return };
    let test = TestFile::idle(&["true"]).write(&scene, "test");
    // The command may lie where nobody else may look.
    let (folder, tribunal) = (scene.state.path(), scene.state.path().join("tribunal"));
    // By another process: what this one has open for writing, a test that starts a
    // program at the same moment holds open too, and then it cannot be executed.
    let copy = Command::new("cp").arg(env!("CARGO_BIN_EXE_tribunal")).arg(&tribunal).status();
    assert!(copy.unwrap().success());
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&tribunal);
    let output = command.arg("run").arg(test).output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    let sentence = "local nodes need root: run it with sudo, or name hosts with --nodes";
    assert_eq!(text(&output.stderr), format!("tribunal: {sentence}\n"));
}
