//! Client programs that misbehave: a run neither hangs nor panics over one, it
//! leaves no process of theirs, and an answer that nobody understands is never
//! taken for one.

use std::path::PathBuf;

use tribunal_checkers::liveness::BY_CLIENT;
use tribunal_history::{Kind, Operation};

use crate::scene::Scene;
use crate::test_file::TestFile;
use crate::traces::assert_nothing_names;
use crate::trial::{Trial, run};

/// A client in shell that answers `ok` to all but one type of request, on which
/// it does something else. What it starts is found by the scene's folder.
fn script(scene: &Scene, on: &str, instead: &str) -> PathBuf {
    let text = format!(
        r#"while read -r line; do
  id=${{line#*\"id\":}}; id=${{id%%[,\}}]*}}
  case $line in
    *'"type":"{on}"'*) {instead} ;;
    *'"type":"hello"'*)
      echo "{{\"type\":\"ready\",\"id\":$id,\"protocol\":1,\"workloads\":[\"register\"]}}" ;;
    *) echo "{{\"type\":\"ok\",\"id\":$id}}" ;;
  esac
done
"#
    );
    let path = scene.state.path().join("client.sh");
    std::fs::write(&path, text).unwrap();
    path
}

/// Waits for ever, in a process that the shell has started.
const HANG: &str = "tail -n 0 -f \"$0\"";

struct Case {
    scene: Scene,
    trial: Trial,
}

/// Runs with such a client; nothing of it is left.
fn with(on: &str, instead: &str, arguments: &[&str]) -> Option<Case> {
    let scene = Scene::set()?;
    let client = script(&scene, on, instead);
    let test = TestFile::idle(&["sh", client.to_str().unwrap()]).write(&scene, "test");
    let trial = run(&scene, &test, arguments);
    assert_nothing_names(scene.state.path());
    Some(Case { scene, trial })
}

/// The client cannot be set up: that is no verdict.
#[track_caller]
fn fails_to_set_up(on: &str, instead: &str, sentence: &str) {
    let Some(Case { trial, scene }) = with(on, instead, &[]) else { return };
    assert_eq!(trial.code, Some(3), "{}", trial.told);
    let last = trial.told.lines().last().unwrap();
    let begin = format!("tribunal: the client cannot set up on n1: {sentence}");
    assert!(last.starts_with(&begin), "{last}");
    assert!(!scene.state.path().join("clusters").exists(), "a cluster is left");
}

pub fn one_that_hangs_on_hello() {
    fails_to_set_up("hello", HANG, "no answer within 30s");
}

pub fn one_that_hangs_on_open() {
    fails_to_set_up("open", HANG, "no answer within 30s");
}

pub fn one_that_prints_garbage() {
    fails_to_set_up("hello", "echo Welcome to Garbage 1.0", "");
}

pub fn one_that_exits() {
    fails_to_set_up("hello", "exit 1", "the client program exited");
}

pub fn one_that_serves_other_workloads() {
    let ready = r#"echo '{"type":"ready","id":0,"protocol":1,"workloads":["bank","queue"]}'"#;
    let sentence = "the client program does not serve the workload register; it serves bank, queue";
    fails_to_set_up("hello", ready, sentence);
}

pub fn one_of_another_protocol() {
    let ready = r#"echo '{"type":"ready","id":0,"protocol":9,"workloads":["register"]}'"#;
    fails_to_set_up("hello", ready, "the client program speaks protocol 9, and this is protocol 1");
}

pub fn one_that_is_not_there() {
    let Some(scene) = Scene::set() else { return };
    let test = TestFile::idle(&["/nowhere/client"]).write(&scene, "test");
    let trial = run(&scene, &test, &[]);
    assert_eq!(trial.code, Some(3), "{}", trial.told);
    let last = trial.told.lines().last().unwrap();
    assert!(last.contains("the client program /nowhere/client does not start: "), "{last}");
}

/// Nobody knows what became of a call that was not answered, or not in the protocol; whether the client is to blame
/// for that is written down.
#[track_caller]
fn tests_nothing(instead: &str, by_client: bool) {
    let Some(Case { scene: _scene, trial }) = with("op", instead, &[]) else { return };
    assert_eq!(trial.code, Some(4), "{}\n{}", trial.said, trial.told);
    let history = trial.history();
    assert!(history.operations().count() > 0);
    assert!(history.operations().all(|op| op.kind() == Kind::Info));
    // Whoever is silent may wait for the database; whoever crashes or talks nonsense does not.
    let blames_client =
        |op: Operation| op.completion().is_some_and(|it| it.ext(BY_CLIENT).is_some());
    let blamed = history.operations().filter(|op| op.completion().is_some());
    assert!(blamed.map(blames_client).all(|blames| blames == by_client));
}

pub fn one_that_hangs_on_every_call() {
    tests_nothing(HANG, false);
}

pub fn one_that_answers_every_call_with_garbage() {
    tests_nothing("echo '{\"type\":'", true);
}

pub fn one_that_answers_another_call() {
    tests_nothing("echo '{\"type\":\"ok\",\"id\":0}'", true);
}

pub fn one_that_dies_on_every_call() {
    tests_nothing("exit 1", true);
}

pub fn a_rate_of_zero_is_as_many_calls_as_possible() {
    let case = with("nothing", ":", &["--rate", "0", "--time", "1s"]);
    let Some(Case { scene: _scene, trial }) = case else { return };
    // It reads null whatever was written, and that is noticed.
    assert_eq!(trial.code, Some(1), "{}\n{}", trial.said, trial.told);
    let calls = trial.history().operations().count();
    assert!(calls > 100, "{calls} calls");
}
