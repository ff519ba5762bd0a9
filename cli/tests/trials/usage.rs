//! What is asked for wrongly is refused before anything is made: one sentence
//! that names the file, the line or the option, and exit code 64.

use std::path::Path;
use std::process::Command;

use tribunal_workloads::WORKLOADS;

use crate::scene::text;

const EXAMPLE: &str = r#"name = "example"
[vars]
mode = "fast"
[db]
start = "serve --mode {{vars.mode}} --on {{node.ip}}"
[client]
command = ["client"]
[workload.register]
keys = 3
[run]
workload = "register"
faults = ["pause"]
nodes = 3
time = "60s"
[faults]
interval = "2s"
[faults.pause]
target = "one"
"#;

/// Runs the example with `old` replaced by `new` and these arguments; what it is refused with.
#[track_caller]
fn refusal(old: &str, new: &str, arguments: &[&str]) -> String {
    assert!(EXAMPLE.contains(old), "{old:?} is not in the example");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("test.toml"), EXAMPLE.replace(old, new)).unwrap();
    refused(folder.path(), &[&["test.toml"], arguments].concat())
}

#[track_caller]
fn refused(folder: &Path, arguments: &[&str]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
    command.arg("run").args(arguments).current_dir(folder);
    let output = command.env("TRIBUNAL_STATE", folder.join("state")).output().unwrap();
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{arguments:?}: {said}");
    assert!(!folder.join("store").exists() && !folder.join("state").exists(), "something is made");
    said.trim_end().to_owned()
}

/// A change to the test file, and the sentence that refuses it.
#[track_caller]
fn file(old: &str, new: &str, sentence: &str) {
    assert_eq!(refusal(old, new, &[]), format!("tribunal: {sentence}"));
}

/// An argument, and what the refusal must say.
#[track_caller]
fn argument(arguments: &[&str], fragment: &str) {
    let said = refusal("", "", arguments);
    assert!(said.contains(fragment), "{arguments:?}: {said}");
}

pub fn a_file_that_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let said = refused(folder.path(), &["missing.toml"]);
    assert_eq!(
        said,
        "tribunal: cannot read the test file missing.toml: No such file or directory (os error 2)"
    );
    let said = refused(folder.path(), &["."]);
    assert_eq!(said, "tribunal: cannot read the test file .: Is a directory (os error 21)");
    std::fs::write(folder.path().join("binary.toml"), [0xff, 0xfe, 0, 1]).unwrap();
    let said = refused(folder.path(), &["binary.toml"]);
    assert!(said.starts_with("tribunal: cannot read the test file binary.toml: "), "{said}");
}

pub fn a_misspelt_key_is_told_by_its_line() {
    let known = "expected one of `files`, `install`, `start`, `ready`, `ready_timeout`, `stop`, \
                 `data_dir`, `disk`, `logs`, `primaries`, `recovers_within`, `ports`, `membership`, \
                 `upgrade`";
    file("start =", "strat =", &format!("test.toml:5: unknown field `strat`, {known}"));
    file(
        "[vars]",
        "[vras]",
        "test.toml:2: unknown field `vras`, expected one of `name`, `vars`, \
         `db`, `client`, `workload`, `run`, `faults`",
    );
    file("[db]", "[db", "test.toml:4: unclosed table, expected `]`");
    file(
        "\"60s\"",
        "\"a minute\"",
        "test.toml:14: \"a minute\" is no duration; say 250ms, 60s, 3m or 2h",
    );
    file(
        "interval = ",
        "intervall = ",
        "test.toml:15: `intervall` is neither a setting of [faults] (interval, duration, at_once, \
         schedule, max_down, script) nor a \
         table of a fault's options",
    );
}

pub fn a_template_that_does_not_render() {
    let said = refusal("{{vars.mode}}", "{{vars.mood}}", &[]);
    assert!(said.starts_with("tribunal: test.toml: in the template \"serve"), "{said}");
    assert!(said.contains("`vars.mood` is undefined"), "{said}");
    let said = refusal("[\"client\"]", "[\"{% if %}\"]", &[]);
    assert!(said.starts_with("tribunal: test.toml: in the template \"{% if %}\": "), "{said}");
}

pub fn partitions_and_scenarios_that_cannot_be() {
    argument(
        &["-f", "partition-primaries"],
        "test.toml: the fault `partition-primaries` asks the database who is primary: set [db] primaries",
    );
    argument(&["-f", "partition-given"], "the fault `partition-given` needs the option `cuts`: ");
    argument(
        &["-f", "github-2012"],
        "the scenario `github-2012` takes 135 s, and the run 60 s: say --time 150s",
    );
    let table = "[faults.pause]\ntarget = \"one\"";
    let given = "[faults.partition-given]\ncuts = [[\"n1\"], [\"n4\"]]";
    let said = refusal(table, given, &["-f", "partition-given"]);
    let sentence = "tribunal: test.toml: the fault `partition-given` cannot have \
                    cuts = [[\"n1\"],[\"n4\"]]: there is no node `n4` among n1 n2 n3";
    assert_eq!(said, sentence);
    // The nodes' names are those that the command line says.
    let hosts = ["-f", "partition-given", "--nodes", "n1=127.0.0.1,db=127.0.0.2"];
    let said = refusal(table, given, &hosts);
    assert!(said.ends_with("there is no node `n4` among n1 db"), "{said}");
    let ports = "[faults.partition-one]\nports = [\"peer\"]";
    let said = refusal(table, ports, &["-f", "partition-one"]);
    assert!(said.ends_with("there is no port `peer`; the test file's [db] has no ports"), "{said}");
}

pub fn unknown_workloads_and_their_options() {
    let names: Vec<&str> = WORKLOADS.iter().map(|definition| definition.name).collect();
    let (last, others) = names.split_last().unwrap();
    let known = format!("The workloads are {} and {last}", others.join(", "));
    argument(&["-w", "zebra"], &format!("tribunal: there is no workload `zebra`. {known}"));
    file(
        "[workload.register]",
        "[workload.regsiter]",
        &format!("test.toml: there is no workload `regsiter`; did you mean `register`? {known}"),
    );
    let options = "Its options are keys, calls_per_key, skew, read, write, reset, initial, budget and final_seconds";
    file(
        "keys =",
        "kyes =",
        &format!(
            "test.toml: [workload.register] has no option `kyes`; did you mean `keys`? {options}"
        ),
    );
    file(
        "workload = \"register\"\n",
        "",
        "test.toml: no workload: set [run] workload, or say --workload",
    );
}

pub fn unknown_faults_and_their_options() {
    argument(&["-f", "puase"], "there is no fault `puase`; there are partition, ");
    let said = refusal("[faults.pause]", "[faults.puase]", &[]);
    assert!(said.starts_with("tribunal: test.toml: [faults.puase]: there is no fault"), "{said}");
    file(
        "target = ",
        "targt = ",
        "test.toml: the fault `pause` has no option `targt`; it has target",
    );
    file(
        "\"one\"",
        "\"some\"",
        "test.toml: the fault `pause` cannot have target = \"some\": \
         it must be one, minority, primaries, all-but-one, all, a node, or a list of nodes",
    );
    argument(
        &["--local", "1", "-f", "partition"],
        "`partition` needs at least 2 nodes; there are 1",
    );
    argument(
        &["--nodes", "db1,db2", "-f", "link-held"],
        "the fault `link-held`: it harms the links of local nodes",
    );
    let host = "[faults.clock-jump]\nof = \"host\"\n[faults.pause]";
    let said = refusal("[faults.pause]", host, &["-f", "clock-jump"]);
    let sentence =
        "the fault `clock-jump`: local nodes share this machine's clock, which is never set";
    assert!(said.contains(sentence), "{said}");
    argument(&["--time", "5s"], "faults must be over after 5 s: run longer or ask for fewer");
    file(
        "interval = \"2s\"",
        "interval = \"0s\"\nduration = \"0s\"",
        "test.toml: more than 100000 faults in one run: let them last longer, or lie farther apart",
    );
}

pub fn numbers_that_are_none_or_too_large() {
    for time in ["soon", "-1s", "1e300", ""] {
        argument(&["--time", time], "is no duration; say 250ms, 60s, 3m or 2h");
    }
    for time in ["0", "999999h"] {
        argument(&["--time", time], "it must be above 0, and at most 30 days");
    }
    argument(&["--rate", "fast"], "invalid value 'fast' for '--rate <RATE>'");
    for rate in ["-1", "nan", "inf", "1e-300"] {
        argument(&["--rate", rate], "it must be 0 (as many as possible), or from 0.001 to 1e9");
    }
    for seed in ["lucky", "-1", "99999999999999999999999"] {
        argument(&["--seed", seed], "for '--seed <SEED>'");
    }
    for concurrency in ["0", "0n", "many", "n"] {
        argument(&["--concurrency", concurrency], "is no number of workers; say 10, or 2n for two");
    }
    argument(&["--concurrency", "99999n"], "it must be at most 10000");
    let idle = "test.toml: the concurrency is 1, and there are 3 nodes, so nobody would call n2, n3: say \
                --concurrency 3 or more";
    argument(&["--concurrency", "1"], idle);
    argument(
        &["--concurrency", "2", "--nodes", "a=127.0.0.1,b=127.0.0.2,c=127.0.0.3"],
        "nobody would call c: ",
    );
    argument(&["--local", "0"], "a run needs nodes, and none were asked for");
    argument(&["--local", "x"], "invalid value 'x' for '--local <COUNT>'");
}

pub fn variables_that_the_file_does_not_have() {
    argument(&["-s", "mode"], "tribunal: -s mode: say -s name=value");
    argument(
        &["-s", "mood=good"],
        "tribunal: -s mood=good: the test file has no variable mood; it has: mode",
    );
}

pub fn files_and_programs_that_are_not_named_or_not_there() {
    let said = refusal("start =", "files = [{ from = \"absent\", to = \"/opt/x\" }]\nstart =", &[]);
    assert!(said.starts_with("tribunal: test.toml: [db] files: there is no file /"), "{said}");
    assert!(said.ends_with("/absent"), "{said}");
    file("[\"client\"]", "[]", "test.toml: [client] command is empty: it must name a program");
    file(
        "\"example\"",
        "\"../x\"",
        "test.toml: the name \"../x\" cannot be a folder's in the store",
    );
}

pub fn hosts_that_cannot_be_found() {
    argument(
        &["--nodes", "no-such-host.invalid"],
        "tribunal: --nodes: host `no-such-host.invalid` has no address that this machine can find",
    );
    argument(&["--nodes", "a b"], "tribunal: --nodes: `a b` is no host");
    argument(&["--nodes-file", "absent.txt"], "absent.txt: cannot be read: ");
    argument(&["--nodes", "127.0.0.1", "-f", "partition"], "needs at least 2 nodes; there are 1");
    argument(&["--nodes", "h", "--local", "3"], "cannot be used with");
}
