//! `tribunal check` on histories that somebody else wrote: its exit codes, what
//! it prints for machines, and what it refuses. No cluster, no root.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use tribunal_checkers::Validity;
use tribunal_harness::store::{RunRecord, Store};
use tribunal_history::jsonl::{self, Tail};

const VALID: &str = r#"{"index":0,"time":1,"process":0,"type":"invoke","f":"write","key":"x","value":7}
{"index":1,"time":2,"process":0,"type":"ok","f":"write","key":"x","value":7}
{"index":2,"time":3,"process":1,"type":"invoke","f":"read","key":"x"}
{"index":3,"time":4,"process":1,"type":"ok","f":"read","key":"x","value":7}
"#;

struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    fn check(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
        command.arg("check").args(arguments).current_dir(self.0.path()).output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// One object a line.
fn objects(output: &Output) -> Vec<Value> {
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Judged as registers: the exit code, and the object.
#[track_caller]
fn judged(content: impl AsRef<[u8]>, more: &[&str]) -> (Option<i32>, Value) {
    let folder = Folder::new();
    folder.write("h.jsonl", content);
    let arguments = [&["h.jsonl", "--workload", "cas-register", "--json"], more].concat();
    let output = folder.check(&arguments);
    let objects = objects(&output);
    let [object] = objects.as_slice() else { panic!("{}", text(&output.stderr)) };
    assert_eq!(object["history"], "h.jsonl");
    assert!(object["checkers"]["linearizable"].is_object() && object["anomalies"].is_array());
    (output.status.code(), object.clone())
}

/// Refused with 64 and this sentence; nothing is judged.
#[track_caller]
fn refused(content: impl AsRef<[u8]>, sentence: &str) {
    let folder = Folder::new();
    folder.write("h.jsonl", content);
    let output = folder.check(&["h.jsonl", "--workload", "cas-register", "--json"]);
    assert_eq!(text(&output.stderr), format!("tribunal: h.jsonl: {sentence}\n"));
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(64), String::new()));
}

#[test]
fn a_history_that_keeps_the_promise() {
    let (code, object) = judged(VALID, &[]);
    assert_eq!((code, object["validity"].as_str()), (Some(0), Some("valid")));
    assert_eq!(object["anomalies"], Value::Array(Vec::new()));
}

#[test]
fn one_that_breaks_it_names_the_calls() {
    let (code, object) =
        judged(VALID.replace("\"read\",\"key\":\"x\",\"value\":7", "\"read\""), &[]);
    assert_eq!((code, object["validity"].as_str()), (Some(1), Some("invalid")));
    let anomaly = &object["anomalies"][0];
    assert_eq!(anomaly["name"], "nonlinearizable");
    assert_eq!(anomaly["ops"], serde_json::json!([0, 2]));
    assert!(anomaly["message"].as_str().unwrap().contains("p0's write of 7"), "{anomaly}");
}

#[test]
fn one_that_says_nothing_of_what_is_asked() {
    let folder = Folder::new();
    folder.write("h.jsonl", VALID);
    for (workload, why) in [
        ("leader", "no leader was ever seen, in 0 probes"),
        ("lww", "1 of 1 keys could not be judged; key x: no final read was acknowledged"),
    ] {
        let output = folder.check(&["h.jsonl", "--json", "-w", workload]);
        let object = &objects(&output)[0];
        assert_eq!((output.status.code(), object["validity"].as_str()), (Some(2), Some("unknown")));
        assert_eq!(object["unknowns"][0], why);
    }
}

#[test]
fn one_without_an_acknowledged_call_tested_nothing() {
    let open = VALID.lines().next().unwrap();
    let failed = VALID.lines().take(2).collect::<Vec<_>>().join("\n").replace("\"ok\"", "\"fail\"");
    for nothing in ["", "\n\n", open, &failed] {
        let (code, object) = judged(nothing, &[]);
        assert_eq!((code, object["validity"].as_str()), (Some(4), Some("unknown")));
        assert_eq!(object["unknowns"][0], "nothing was tested: not one call was acknowledged");
    }
}

#[test]
fn what_cannot_be_exported_is_refused_as_bad_usage() {
    let folder = Folder::new();
    folder.write("torn.jsonl", &VALID[..VALID.len() - 9]);
    let export = |target: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
        let output =
            command.args(["export", target]).current_dir(folder.0.path()).output().unwrap();
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(64), String::new()));
        text(&output.stderr)
    };
    assert_eq!(
        export("absent.jsonl"),
        "tribunal: absent.jsonl: cannot read it: No such file or directory (os error 2)\n"
    );
    let torn = export("torn.jsonl");
    assert!(
        torn.starts_with("tribunal: torn.jsonl: line 4: the file ends in the middle"),
        "{torn}"
    );
    let none = export("latest");
    assert_eq!(
        none,
        "tribunal: there is no run \"latest\" in store; `tribunal ls` lists the runs\n"
    );
}

/// A run that was convicted stays so, whatever else it is judged by.
#[test]
fn a_run_judged_otherwise_keeps_its_own_verdict() {
    let folder = Folder::new();
    let stale =
        VALID.replace("\"read\",\"key\":\"x\",\"value\":7", "\"read\",\"key\":\"x\",\"value\":0");
    let history = jsonl::read_from(stale.as_bytes(), Tail::Whole).unwrap();
    let record = RunRecord {
        id: "20261128T000000Z-7".to_owned(),
        test: "x".to_owned(),
        workload: "register".to_owned(),
        ..RunRecord::default()
    };
    let run = Store::new(folder.0.path().join("store")).create(&mut record.clone()).unwrap();
    run.write_record(&record).unwrap();
    history.write_arrow(std::fs::File::create(run.history_path()).unwrap()).unwrap();
    let stored = || run.verdict().unwrap().map(|verdict| verdict.validity);

    assert_eq!(folder.check(&["latest", "--initial", "0"]).status.code(), Some(1));
    assert_eq!(stored(), None, "what was judged otherwise is stored");
    assert_eq!(folder.check(&["latest"]).status.code(), Some(1));
    assert_eq!(stored(), Some(Validity::Invalid));
    for otherwise in [&["-w", "leader"][..], &["-w", "set", "--json"]] {
        let output = folder.check(&[&["latest-fail"], otherwise].concat());
        assert_ne!(output.status.code(), Some(1), "{otherwise:?}");
        let told = text(&output.stderr);
        let kept = "judged otherwise than it was run, so its verdict.json and report.html stay";
        assert!(told.contains(kept), "{otherwise:?}: {told}");
        assert_eq!(stored(), Some(Validity::Invalid), "{otherwise:?}");
    }
    let same = folder.check(&["latest-fail", "-w", "register"]);
    assert_eq!((same.status.code(), text(&same.stderr).as_str()), (Some(1), ""));
}

#[test]
fn a_compressed_one_by_any_name() {
    let (code, _) = judged(zstd::encode_all(VALID.as_bytes(), 3).unwrap(), &[]);
    assert_eq!(code, Some(0));
}

#[test]
fn indexes_may_be_absent_and_blank_lines_are_nothing() {
    let bare = VALID.replace("\"index\":", "\"ignored\":").replace('\n', "\n\n");
    assert_eq!(judged(bare, &[]).0, Some(0));
}

/// The histories of other tools are told by their content, and read as they mean it.
#[test]
fn histories_of_other_tools() {
    let told = |content: &str, more: &[&str]| {
        let (code, object) = judged(content, more);
        (code.unwrap(), object["validity"].as_str().unwrap().to_owned())
    };
    let knossos = "[{:process 0, :type :invoke, :f :write, :value 7}
                    {:process 0, :type :ok, :f :write, :value 7}
                    {:process 1, :type :invoke, :f :read, :value nil}
                    {:process 1, :type :ok, :f :read, :value nil}]";
    assert_eq!(told(knossos, &[]), (0, "valid".to_owned()));
    assert_eq!(told(knossos, &["--format", "edn"]), (1, "invalid".to_owned()));
    let json = r#"[{"type":"invoke","f":"read","process":0,"index":1},
                   {"type":"ok","f":"read","process":0,"value":3,"index":2}]"#;
    assert_eq!(told(json, &["--initial", "3"]), (0, "valid".to_owned()));
    assert_eq!(told(json, &[]), (1, "invalid".to_owned()));
    let log =
        "INFO  jepsen.util - 0\t:invoke\t:cas\t[1 2]\nINFO  jepsen.util - 0\t:fail\t:cas\t[1 2]\n";
    assert_eq!(told(log, &[]), (0, "valid".to_owned()));
    assert_eq!(told(log, &["--initial", "1"]), (1, "invalid".to_owned()));
}

#[test]
fn what_was_decided_on_the_way_is_told() {
    let folder = Folder::new();
    folder.write("h.edn", "{:type :invoke, :f :read, :value nil}");
    let output = folder.check(&["h.edn", "-w", "register", "--json"]);
    assert_eq!(
        text(&output.stderr),
        "h.edn: read as edn: events that name no process (1) are no client's and were not judged\n"
    );
    assert_eq!(output.status.code(), Some(4));
    let output = folder.check(&["h.edn", "-w", "register", "--format", "edn-keyed"]);
    assert_eq!(output.status.code(), Some(4));
}

#[test]
fn a_call_without_completion_may_have_happened_or_not() {
    let open = VALID.lines().next().unwrap();
    let read = r#"{"index":1,"time":2,"process":1,"type":"invoke","f":"read","key":"x"}"#;
    for found in ["7", "null"] {
        let ok = format!(
            r#"{{"index":2,"time":3,"process":1,"type":"ok","f":"read","key":"x","value":{found}}}"#
        );
        assert_eq!(judged(format!("{open}\n{read}\n{ok}\n"), &[]).0, Some(0), "{found}");
    }
}

#[test]
fn the_initial_value_is_what_is_said() {
    let read = r#"{"time":1,"process":0,"type":"invoke","f":"read"}
{"time":2,"process":0,"type":"ok","f":"read","value":V}
"#;
    for (value, initial, code) in [
        ("null", None, 0),
        ("0", None, 1),
        ("0", Some("0"), 0),
        ("null", Some("0"), 1),
        ("\"empty\"", Some("empty"), 0),
        ("[1]", Some("[1]"), 0),
    ] {
        let more = initial.map(|initial| ["--initial", initial]);
        let more = more.as_ref().map_or(&[][..], |more| &more[..]);
        assert_eq!(judged(read.replace('V', value), more).0, Some(code), "{value} {initial:?}");
    }
}

#[test]
fn of_several_each_is_judged_and_the_worst_counts() {
    let folder = Folder::new();
    folder.write("valid.jsonl", VALID);
    folder.write("invalid.jsonl", VALID.replace("\"read\",\"key\":\"x\",\"value\":7", "\"read\""));
    folder.write("empty.jsonl", "");
    folder.write("torn.jsonl", &VALID[..VALID.len() - 9]);
    for (files, code, judged) in [
        (&["valid.jsonl", "empty.jsonl"][..], 4, 2),
        (&["empty.jsonl", "torn.jsonl", "valid.jsonl"], 64, 2),
        (&["valid.jsonl", "torn.jsonl", "invalid.jsonl", "absent.jsonl"], 1, 2),
    ] {
        let output = folder.check(&[files, &["--workload", "register", "--json"]].concat());
        assert_eq!(output.status.code(), Some(code), "{files:?}");
        assert_eq!(objects(&output).len(), judged, "{files:?}");
    }
}

#[test]
fn what_cannot_be_read() {
    let folder = Folder::new();
    let told = |target: &str| {
        let output = folder.check(&[target, "--workload", "register"]);
        assert_eq!(output.status.code(), Some(64), "{target}");
        text(&output.stderr)
    };
    assert_eq!(
        told("absent.jsonl"),
        "tribunal: absent.jsonl: cannot read it: No such file or directory (os error 2)\n"
    );
    assert_eq!(told("."), "tribunal: .: this folder is no run's: there is no run.json in it\n");
    assert_eq!(
        told("latest"),
        "tribunal: there is no run \"latest\" in store; `tribunal ls` lists the runs\n"
    );
    assert_eq!(
        told("-2"),
        "tribunal: there is no run \"-2\" in store; `tribunal ls` lists the runs\n"
    );
}

#[test]
fn a_file_that_its_owner_keeps_to_himself() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can become somebody else");
        return;
    }
    // The command may lie where nobody else may look.
    let folder = tempfile::Builder::new().prefix("trb").tempdir_in("/var/tmp").unwrap();
    let everybody = |path: &Path, mode| {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let (tribunal, file) = (folder.path().join("tribunal"), folder.path().join("h.jsonl"));
    // By another process: what this one has open for writing, a test that starts a
    // program at the same moment holds open too, and then it cannot be executed.
    let copy = Command::new("cp").arg(env!("CARGO_BIN_EXE_tribunal")).arg(&tribunal).status();
    assert!(copy.unwrap().success());
    std::fs::write(&file, VALID).unwrap();
    everybody(folder.path(), 0o755);
    everybody(&file, 0o600);
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(tribunal);
    command.arg("check").arg(&file).args(["--workload", "register"]).current_dir(folder.path());
    let output = command.output().unwrap();
    let sentence =
        format!("tribunal: {}: cannot read it: Permission denied (os error 13)\n", file.display());
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(64), sentence));
}

/// Files of sessions have no events: what a sentence names by one is told by its line, too.
#[test]
fn lines_of_files_that_have_no_events() {
    let folder = Folder::new();
    let check = |content: &str| {
        folder.write("h.txt", content);
        folder.check(&["h.txt", "--model", "rw-register", "--level", "causal"])
    };
    let twice = check("w 1 5\n-----\n\nw 1 5\n");
    let refused = text(&twice.stderr);
    assert_eq!(twice.status.code(), Some(64), "{refused}");
    assert!(
        refused.ends_with("(in the file, event 2 is line 4 and event 0 is line 1)\n"),
        "{refused}"
    );
    let circle = check("r(1,6,0,0)\nw(2,5,0,0)\nr(2,5,1,1)\nw(1,6,1,1)\n");
    let said = text(&circle.stdout);
    assert_eq!(circle.status.code(), Some(1), "{said}");
    assert!(said.ends_with("In the file, T0 is line 1, T2 is line 3.\n"), "{said}");
}

/// A drawing is of a stored verdict.
#[test]
fn drawings_are_of_runs() {
    let folder = Folder::new();
    folder.write("h.jsonl", VALID);
    let export = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
        command.arg("export").args(arguments).current_dir(folder.0.path()).output().unwrap()
    };
    let of_a_file = export(&["h.jsonl", "svg"]);
    let sentence = "tribunal: h.jsonl: only a run's verdict is stored, and the drawing with it; of a file, each \
                    anomaly of `tribunal check h.jsonl --json` has it as details.svg\n";
    assert_eq!((of_a_file.status.code(), text(&of_a_file.stderr)), (Some(64), sentence.to_owned()));
    let of_a_history = export(&["h.jsonl", "edn", "--anomaly", "1"]);
    let sentence =
        "tribunal: --anomaly is for a drawing: tribunal export h.jsonl svg --anomaly N\n"
            .to_owned();
    assert_eq!((of_a_history.status.code(), text(&of_a_history.stderr)), (Some(64), sentence));

    std::fs::create_dir(folder.0.path().join("run")).unwrap();
    folder.write("run/run.json", RUN);
    folder.write("skew.jsonl", SKEW);
    export(&["skew.jsonl", "arrow", "--output", "run/history.arrow"]);
    let unjudged = text(&export(&["run", "svg"]).stderr);
    assert_eq!(unjudged, "tribunal: run has no verdict yet; tribunal check run judges it\n");
    assert_eq!(folder.check(&["run"]).status.code(), Some(1));
    for (format, begins) in [("svg", "<svg "), ("dot", "digraph {")] {
        for more in [&[][..], &["--anomaly", "1"]] {
            let drawn = export(&[&["run", format], more].concat());
            assert!(text(&drawn.stdout).starts_with(begins), "{}", text(&drawn.stderr));
        }
    }
    let none = text(&export(&["run", "svg", "--anomaly", "9"]).stderr);
    assert_eq!(none, "tribunal: of run, only these anomalies are drawn: 1\n");
    let page = std::fs::read_to_string(folder.0.path().join("run/report.html")).unwrap();
    assert!(page.contains("data:image&#x2f;svg+xml;base64,"));
}

const RUN: &str = r#"{"id":"run","test":"skew","workload":"list-append","nodes":[],"seed":"1","started":"",
"time_s":1.0,"rate":0.0,"concurrency":1,"command":"","version":"1"}"#;

/// Two transactions that each missed what the other appended.
const SKEW: &str = r#"{"index":0,"time":1,"process":0,"type":"invoke","f":"txn","value":[["r","x",null],["append","y",1]]}
{"index":1,"time":2,"process":1,"type":"invoke","f":"txn","value":[["r","y",null],["append","x",1]]}
{"index":2,"time":3,"process":0,"type":"ok","f":"txn","value":[["r","x",[]],["append","y",1]]}
{"index":3,"time":4,"process":1,"type":"ok","f":"txn","value":[["r","y",[]],["append","x",1]]}
"#;

#[test]
fn what_was_cut_off_or_never_was_a_history() {
    refused(
        &VALID[..VALID.len() - 9],
        "line 4: the file ends in the middle of this line; it was cut off. \
         Fetch it again, or delete the line to judge what is there",
    );
    for no_history in [&[0x00, 0xff, 0x13, 0x37][..], b"42\n"] {
        refused(
            no_history,
            "the format was not told from the content; say which it is: --format jsonl | store | edn | \
             knossos | elle-json | porcupine | key-value | plume | awdit | dbcop",
        );
    }
    let compressed = zstd::encode_all(VALID.as_bytes(), 3).unwrap();
    refused(&compressed[..compressed.len() / 2], "cannot read it: incomplete frame");
    refused(
        VALID.replace("\"time\":3", "\"time\":\"noon\""),
        "line 3: not a history event: invalid type: string \"noon\", expected u64 (column 24)",
    );
    refused(
        VALID.replace("\"process\":1", "\"process\":\"p1\""),
        "line 3: not a history event: invalid value: string \"p1\", \
         expected a process number or \"nemesis\" (column 34)",
    );
    refused(
        VALID.replace("\"type\":\"ok\"", "\"type\":\"done\""),
        "line 2: not a history event: unknown variant `done`, \
         expected one of `invoke`, `ok`, `fail`, `info` (column 45)",
    );
    refused(
        VALID.replace("\"f\":\"write\",", ""),
        "line 1: not a history event: missing field `f` (column 68)",
    );
}

#[test]
fn events_that_do_not_fit_together() {
    let lines: Vec<&str> = VALID.lines().collect();
    refused(
        lines[1].replace("\"index\":1", "\"index\":0"),
        "line 1: this ok of process 0 completes nothing: the process has no open call",
    );
    refused(
        VALID.replace("\"process\":1", "\"process\":0").replacen("\"ok\"", "\"invoke\"", 1),
        "line 2: process 0 begins a call while its call at index 0 is still open; \
         a process makes one call at a time",
    );
    refused(
        VALID.replace("\"index\":2", "\"index\":5"),
        "line 3: index is 5 where 2 was due; events are missing or out of order",
    );
    refused(
        VALID.replace("\"time\":3", "\"time\":0"),
        "line 3: time 0 is earlier than the event before it (2); events must be in order of time",
    );
    refused(
        VALID.replacen("\"ok\",\"f\":\"write\"", "\"ok\",\"f\":\"read\"", 1),
        "line 2: process 0 completes a read, but its open call is a write",
    );
}

#[test]
fn calls_that_are_none_of_a_register() {
    let one = |f: &str, value: &str| {
        format!(r#"{{"time":1,"process":0,"type":"invoke","f":"{f}","value":{value}}}"#) + "\n"
    };
    refused(one("cas", "5"), "event 0: the value of a cas must be [old, new], and this one is 5");
    refused(
        one("cas", "[1]"),
        "event 0: the value of a cas must be [old, new], and this one is [1]",
    );
    refused(
        one("push", "5"),
        "event 0: `push` is not a call of a register; its calls are read, write and cas",
    );
    refused(
        one("write", "null"),
        "event 0: this write has no value; its invocation must carry the value to write",
    );
    let swapped =
        r#"{"time":2,"process":0,"type":"ok","f":"cas","value":[1,2],"ext":{"swapped":"no"}}"#;
    refused(
        one("cas", "[1,2]") + swapped + "\n",
        "event 0: `ext.swapped` of a cas must be true or false, and here it is \"no\"",
    );
}

#[test]
fn bad_usage() {
    let folder = Folder::new();
    folder.write("h.jsonl", VALID);
    let told = |arguments: &[&str], fragment: &str| {
        let output = folder.check(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {said}");
        assert!(said.contains(fragment), "{arguments:?}: {said}");
    };
    told(&[], "required");
    told(&["h.jsonl"], "h.jsonl: say what to judge it by: --workload bank | cas-register | ");
    told(&["h.jsonl", "-w", "regster"], "no workload `regster`; did you mean `register`?");
    told(&["h.jsonl", "-w", "register", "--format", "toml"], "invalid value 'toml'");
    told(&["h.jsonl", "--jsno"], "unexpected argument '--jsno'");
}

#[test]
fn anomalies_and_faults_are_explained_by_name() {
    let explain = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
        command.arg("explain").args(arguments).output().unwrap()
    };
    let one = explain(&["G-single"]);
    let said = text(&one.stdout);
    assert_eq!(one.status.code(), Some(0));
    assert!(said.contains("The weakest level that forbids it: consistent-view.\n"), "{said}");
    let drawing = "    T0 (p0)  |-----------rx_ ry1-----------|\n    T1 (p1)        |--ax1 ay1--|\n\n    \
                   T0 --rw--> T1: ";
    assert!(said.contains(drawing), "{said}");
    let object = text(&explain(&["lost-value"]).stdout);
    assert!(object.starts_with("lost-value: A value was acknowledged as put in, and "), "{object}");
    let both = text(&explain(&["long-fork"]).stdout);
    assert!(both.contains("judged of: snapshots") && both.contains("| option |"), "{both}");
    let none = explain(&["G-singel"]);
    let said = text(&none.stderr);
    assert_eq!(none.status.code(), Some(64));
    assert!(
        said.starts_with(
            "tribunal: `G-singel` is no anomaly, no fault and no workload that is explained here; "
        ),
        "{said}"
    );
    let fault = text(&explain(&["link-lossy"]).stdout);
    assert!(fault.starts_with("link-lossy: Loses a share of the packets"), "{fault}");
    assert!(fault.contains("\n  loss      The share"), "{fault}");
}

#[test]
fn transactions_are_judged_by_the_level_that_is_asked_for() {
    let folder = Folder::new();
    // Write skew.
    folder.write(
        "h.jsonl",
        r#"{"time":1,"process":0,"type":"invoke","f":"txn","value":[["r","x",null],["append","y",1]]}
{"time":2,"process":1,"type":"invoke","f":"txn","value":[["r","y",null],["append","x",1]]}
{"time":3,"process":0,"type":"ok","f":"txn","value":[["r","x",[]],["append","y",1]]}
{"time":4,"process":1,"type":"ok","f":"txn","value":[["r","y",[]],["append","x",1]]}
"#,
    );
    for judge in ["--model", "--workload"] {
        let at = |level: &str| {
            let output =
                folder.check(&["h.jsonl", "--json", judge, "list-append", "--level", level]);
            let object = objects(&output).remove(0);
            (output.status.code(), object["anomalies"][0]["name"].clone())
        };
        assert_eq!(at("snapshot-isolation"), (Some(0), Value::Null), "{judge}");
        assert_eq!(at("serializable"), (Some(1), "G2-item".into()), "{judge}");
    }
    let register = folder.check(&["h.jsonl", "--model", "register", "--level", "serializable"]);
    let sentence = "tribunal: h.jsonl: a register has no levels; drop --level, it is for \
                    list-append, rw-register\n";
    assert_eq!((register.status.code(), text(&register.stderr).as_str()), (Some(64), sentence));
    let workload = folder.check(&["h.jsonl", "--workload", "set", "--level", "serializable"]);
    let said = text(&workload.stderr);
    assert_eq!(workload.status.code(), Some(64));
    assert!(said.starts_with("tribunal: h.jsonl: [workload.set] has no option `level`"), "{said}");
}
