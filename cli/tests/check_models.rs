//! `tribunal check --model`: every object of the table on a tiny history that keeps its promise and on
//! one that breaks it, and what is refused. Whether the judges are right is tested with them.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;
use tribunal_checkers::objects::OBJECTS;

/// An object, how it is asked for, and two histories of it: a call a line, one after the other, its
/// process, function, argument, answer and, where there is one, `ext`.
struct Case {
    model: &'static str,
    more: &'static [&'static str],
    good: &'static str,
    bad: &'static str,
    /// What the first anomaly of the bad one says, in part.
    says: &'static str,
}

const CASES: &[Case] = &[
    Case {
        model: "bank",
        more: &[],
        good: r#"0 read null {"a":5,"b":5}
                 1 transfer {"from":"a","to":"b","amount":1} null
                 0 read null {"a":4,"b":6}"#,
        bad: r#"0 read null {"a":5,"b":5}
                1 read null {"a":5,"b":5}
                0 read null {"a":4,"b":5}"#,
        says: "p0 (0.004–0.005 s) read accounts that hold 9 together, where most reads show 10",
    },
    Case {
        model: "cas-register",
        more: &["--initial", "0"],
        good: "0 cas [0,1] [0,1]
               1 read null 1",
        bad: "0 cas [0,1] [0,1]
              1 cas [0,2] [0,2]",
        says: "p0's cas of 0 to 1 (0.000–0.001 s) and p1's cas of 0 to 2 (0.002–0.003 s) both took effect",
    },
    Case {
        model: "causal-reverse",
        more: &[],
        good: "0 write 1 1
               0 write 2 2
               1 read null [1,2]",
        bad: "0 write 1 1
              0 write 2 2
              1 read null [2]",
        says: "saw 2, which p0 (0.002–0.003 s) wrote, and not 1",
    },
    Case {
        model: "counter",
        more: &["--initial", "10"],
        good: "0 add 2 2
               1 read null 12",
        bad: "0 add 2 2
              1 read null 11",
        says: "p1's read returned 11 at 0.003 s, but every add is of 2",
    },
    Case {
        model: "fenced-lock",
        more: &[],
        good: r#"0 acquire null {"token":1}
                 0 release null null
                 1 acquire null {"token":2}"#,
        bad: r#"0 acquire null {"token":2}
                0 release null null
                1 acquire null {"token":1}"#,
        says: "p1 was granted the lock under token 1 at 0.005 s, but p0 had been granted it under token 2",
    },
    Case {
        model: "fenced-store",
        more: &["--initial", "\"a\""],
        good: r#"0 read null "a"
                 0 write {"token":2,"value":5} null
                 1 read null 5"#,
        bad: r#"0 write {"token":2,"value":5} null
                1 write {"token":1,"value":6} null"#,
        says: "p1's write of 6 under token 1 began at 0.002 s and was acknowledged",
    },
    Case {
        model: "fifo-queue",
        more: &[],
        good: "0 enqueue 1 1
               0 enqueue 2 2
               1 dequeue null 1",
        bad: "0 enqueue 1 1
              0 enqueue 2 2
              1 dequeue null 2
              1 dequeue null 1",
        says: "p1's dequeue returned 2 (0.004–0.005 s) before p1's dequeue of 1 began",
    },
    Case {
        model: "kv",
        more: &["--initial", "a"],
        good: r#"0 append "b" null
                 1 get null "ab""#,
        bad: r#"0 append "b" null
                1 get null "b""#,
        says: "p1's get returned \"b\" (0.002–0.003 s), but no order of the calls explains it",
    },
    Case {
        model: "leader",
        more: &[],
        good: r#"0 probe null {"node":"n1","role":"leader","term":1}
                 1 probe null {"node":"n2","role":"leader","term":2}
                 0 committed null {"node":"n1","log":[[1,1,"a"]]}"#,
        bad: r#"0 probe null {"node":"n1","role":"leader","term":1}
                1 probe null {"node":"n2","role":"leader","term":1}"#,
        says: "n1 and n2 both held themselves leader of term 1",
    },
    Case {
        model: "leader",
        more: &[],
        good: r#"0 committed null {"node":"n1","log":[[1,1,"a"],[2,1,"b"]]}
                 1 committed null {"node":"n2","log":[[1,1,"a"]]}"#,
        bad: r#"0 committed null {"node":"n1","log":[[1,1,"a"],[2,1,"b"]]}
                1 committed null {"node":"n2","log":[[1,1,"a"],[2,2,"c"]]}"#,
        says: "as committed at index 2, and n2 showed \"c\" of term 2",
    },
    Case {
        model: "lease",
        more: &[],
        good: r#"0 acquire null {"ttl_ms":1000}
                 0 release null null
                 1 acquire null {"ttl_ms":1000}"#,
        bad: r#"0 acquire null {"ttl_ms":1000}
                1 acquire null {"ttl_ms":1000}"#,
        says: "p1 was granted the lease at 0.003 s, though p0's, granted at 0.001 s, could not have run out",
    },
    Case {
        model: "list-append",
        more: &["--level", "serializable"],
        good: r#"0 txn [["append","x",1]] [["append","x",1]]
                 1 txn [["r","x",null]] [["r","x",[1]]]"#,
        bad: r#"0 txn [["r","x",null],["append","y",1]] [["r","x",[]],["append","y",1]]
                1 txn [["r","y",null],["append","x",1]] [["r","y",[]],["append","x",1]]"#,
        says: r#"T2 read [] of "y", and so did not see that T0 appended 1 to "y""#,
    },
    Case {
        model: "lock",
        more: &[],
        good: "0 acquire null null
               0 release null null
               1 acquire null null",
        bad: "0 acquire null null
              1 acquire null null",
        says: "p1 was granted the lock at 0.003 s, while p0 held it",
    },
    Case {
        model: "log",
        more: &[],
        good: r#"0 append "a" 0
                 0 append "b" 1
                 1 poll null [[0,"a"],[1,"b"]]"#,
        bad: r#"0 append "a" 0
                0 append "b" 1
                0 append "c" 2
                1 poll null [[0,"a"],[2,"c"]]"#,
        says: "p1's poll at 0.007 s returned offsets from 0 to 2, without p0's append of \"b\"",
    },
    Case {
        model: "long-fork",
        more: &[],
        good: r#"0 txn [["w","x",1]] [["w","x",1]]
                 1 txn [["r","x",null],["r","y",null]] [["r","x",1],["r","y",null]]"#,
        bad: r#"0 txn [["w","x",1]] [["w","x",1]]
                1 txn [["w","y",1]] [["w","y",1]]
                2 txn [["r","x",null],["r","y",null]] [["r","x",1],["r","y",null]]
                3 txn [["r","x",null],["r","y",null]] [["r","x",null],["r","y",1]]"#,
        says: "No order of the two writes is right for both",
    },
    Case {
        model: "lww",
        more: &["--initial", "0"],
        good: r#"0 write 1 1
                 1 read null 1 {"final":true}"#,
        bad: r#"0 write 1 1
                1 read null 0 {"final":true}"#,
        says: "p0's write of 1 was acknowledged at 0.001 s, yet the key ended without a write",
    },
    Case {
        model: "monotonic",
        more: &[],
        good: r#"0 inc "x" {"x":1}
                 1 read null {"x":1,"y":1}
                 1 inc "x" {"x":2}
                 0 read null {"x":2,"y":1}"#,
        bad: r#"0 read null {"x":1,"y":2}
                1 read null {"x":2,"y":1}"#,
        says: "each shows less of a counter than the next",
    },
    Case {
        model: "multi-register",
        more: &["--initial", r#"{"x":0,"y":0,"3":"a"}"#],
        good: r#"0 txn [["r","x",null],["w","y",1]] [["r","x",0],["w","y",1]]
                 1 txn [["r","y",null],["r",3,null]] [["r","y",1],["r",3,"a"]]"#,
        bad: r#"0 txn [["r","x",null],["w","y",1]] [["r","x",0],["w","y",1]]
                1 txn [["r","y",null]] [["r","y",0]]"#,
        says: r#"the object held {3: as it began, "x": 0, "y": 1}"#,
    },
    Case {
        model: "mutex",
        more: &[],
        good: "0 acquire null null
               1 release null null
               0 acquire null null",
        bad: "0 acquire null null
              1 acquire null null",
        says: "p1's acquire was granted at 0.003 s, but the lock had been acquired by p0",
    },
    Case {
        model: "priority-queue",
        more: &[],
        good: "0 enqueue 1 1
               0 enqueue 2 2
               1 dequeue null 2",
        bad: "0 enqueue 1 1
              0 enqueue 2 2
              1 dequeue null 1",
        says: "p1's dequeue returned 1 (0.004–0.005 s), but the higher 2 was inside all that time",
    },
    Case {
        model: "queue",
        more: &[],
        good: "0 enqueue 1 1
               0 enqueue 2 2
               1 drain null [2,1]",
        bad: "0 enqueue 1 1
              1 dequeue null 1
              1 dequeue null 1",
        says: "p1's dequeue returned 1 (0.004–0.005 s), but p1's dequeue had returned 1 as well",
    },
    Case {
        model: "reentrant-lock",
        more: &[],
        good: "0 acquire null null
               0 acquire null null
               0 release null null",
        bad: "0 acquire null null
              0 acquire null null
              0 release null null
              1 acquire null null",
        says: "p1 was granted the lock at 0.007 s, while p0 held it",
    },
    Case {
        model: "register",
        more: &["--initial", "0"],
        good: "0 read null 0
               0 write 1 1
               1 read null 1",
        bad: "0 write 1 1
              1 read null 0",
        says: "p1 read 0 (0.002–0.003 s), although p0's write of 1 had been acknowledged",
    },
    Case {
        model: "rw-register",
        more: &[],
        good: r#"0 txn [["w","x",1]] [["w","x",1]]
                 1 txn [["r","x",null],["w","x",2]] [["r","x",1],["w","x",2]]"#,
        bad: r#"0 txn [["w","x",1]] [["w","x",1]]
                1 txn [["r","x",null]] [["r","x",null]]"#,
        says: r#"T2 read nothing of "x", before anybody had written it, and so did not see that T0 wrote 1"#,
    },
    Case {
        model: "semaphore",
        more: &["--permits", "2"],
        good: "0 acquire null null
               1 acquire null null",
        bad: "0 acquire null null
              1 acquire null null
              2 acquire null null",
        says: "p2's acquire was granted at 0.005 s, but all 2 permits were taken",
    },
    Case {
        model: "set",
        more: &[],
        good: "0 add 1 1
               1 read null [1]",
        bad: "0 add 1 1
              1 read null []",
        says: "p1's read did not find 1 (0.002–0.003 s), although p0's add of 1 had been acknowledged",
    },
    Case {
        model: "set-full",
        more: &[],
        good: "0 add 1 1
               1 read null [1]",
        bad: "0 add 1 1
              1 read null []",
        says: "1 is lost: p0's add of it had been acknowledged at 0.001 s",
    },
    Case {
        model: "set-with-remove",
        more: &[],
        good: "0 add 1 1
               1 remove 1 1
               0 contains 1 false",
        bad: "0 add 1 1
              1 remove 1 1
              0 contains 1 true",
        says: "the answers about 1 contradict each other: p0's add of 1",
    },
    Case {
        model: "stack",
        more: &[],
        good: "0 push 1 1
               0 push 2 2
               1 pop null 2",
        bad: "0 push 1 1
              0 push 2 2
              1 pop null 1",
        says: "p1's pop returned 1 (0.004–0.005 s), but 2 lay on top of it",
    },
    Case {
        model: "total-queue",
        more: &[],
        good: "0 enqueue 1 1
               1 drain null [1]",
        bad: "0 enqueue 1 1
              1 drain null []",
        says: "1 is lost: p0's enqueue of it had been acknowledged at 0.001 s",
    },
    Case {
        model: "unique-ids",
        more: &[],
        good: "0 generate null 1
               1 generate null 2",
        bad: "0 generate null 1
              1 generate null 1",
        says: "p0 received the id 1 at 0.001 s, and p1 received it too at 0.003 s",
    },
    Case {
        model: "write-skew",
        more: &[],
        good: "0 insert [1,null] [1,null]",
        bad: "0 insert [1,null] [1,null]
              1 insert [null,2] [null,2]",
        says: "the second must have missed the first (G2)",
    },
];

/// The lines of a history in the notation of [`Case`], on time of a millisecond an event.
fn history(calls: &str) -> String {
    let mut lines = String::new();
    for (call, words) in calls.lines().enumerate() {
        let words: Vec<&str> = words.split_whitespace().collect();
        let [process, f, argument, answer, ext @ ..] = &words[..] else { panic!("{words:?}") };
        let ext = ext.first().map_or_else(String::new, |ext| format!(r#","ext":{ext}"#));
        for (event, (kind, value)) in [("invoke", argument), ("ok", answer)].iter().enumerate() {
            let time = (2 * call + event) * 1_000_000;
            lines += &format!(
                r#"{{"time":{time},"process":{process},"type":"{kind}","f":"{f}","value":{value}{ext}}}"#
            );
            lines.push('\n');
        }
    }
    lines
}

struct Folder(TempDir);

impl Folder {
    fn with(calls: &str) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::write(folder.path(), history(calls)).unwrap();
        folder
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("h.jsonl")
    }

    fn check(&self, model: &str, more: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tribunal"));
        command.args(["check", "h.jsonl", "--json", "--model", model]).args(more);
        command.current_dir(self.0.path()).output().unwrap()
    }
}

#[test]
fn every_object_is_judged() {
    for case in CASES {
        let judged = |calls: &str| {
            let output = Folder::with(calls).check(case.model, case.more);
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let verdict: Value = serde_json::from_slice(&output.stdout)
                .unwrap_or_else(|_| panic!("{}: {said}", case.model));
            (output.status.code(), verdict)
        };
        let (code, verdict) = judged(case.good);
        assert_eq!(code, Some(0), "{}: {verdict}", case.model);
        let (code, verdict) = judged(case.bad);
        assert_eq!(code, Some(1), "{}: {verdict}", case.model);
        let message = verdict["anomalies"][0]["message"].as_str().unwrap();
        assert!(message.contains(case.says), "{}: {message}", case.model);
    }
}

#[test]
fn no_object_is_without_a_case() {
    let mut cases: Vec<&str> = CASES.iter().map(|case| case.model).collect();
    cases.dedup();
    let objects: Vec<&str> = OBJECTS.iter().map(|object| object.name).collect();
    assert_eq!(cases, objects);
}

/// Refused with 64, nothing judged, and this sentence alone.
#[track_caller]
fn refused(model: &str, more: &[&str], calls: &str, sentence: &str) {
    let output = Folder::with(calls).check(model, more);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(said, format!("tribunal: h.jsonl: {sentence}\n"));
    assert_eq!((output.status.code(), output.stdout.len()), (Some(64), 0));
}

#[test]
fn settings_that_an_object_does_not_have() {
    let calls = "0 acquire null null";
    refused("semaphore", &[], calls, "say how many permits the semaphore has: --permits N");
    refused(
        "semaphore",
        &["--permits", "0"],
        calls,
        "a semaphore has at least one permit: --permits N",
    );
    refused(
        "mutex",
        &["--permits", "2"],
        calls,
        "a mutex has no permits; drop --permits, it is for semaphore",
    );
    refused(
        "mutex",
        &["--initial", "3"],
        calls,
        "a mutex has no initial value; drop --initial, it is for register, cas-register, \
         multi-register, kv, fenced-store, lww, counter, bank",
    );
    refused(
        "counter",
        &["--initial", "two"],
        calls,
        "a counter begins with a whole number, and \"two\" is none",
    );
    refused(
        "multi-register",
        &["--initial", "0"],
        calls,
        "a multi-register begins with an object from key to value, such as {\"x\":0,\"y\":0}, and 0 \
         is none",
    );
    refused(
        "kv",
        &["--initial", "5"],
        calls,
        "a kv begins with a text, and 5 is none; quote it: --initial '\"5\"'",
    );
}

#[test]
fn calls_that_an_object_does_not_have() {
    for case in CASES {
        // Histories of leaders, leases and last writes may hold the calls of the load beside their own.
        if ["leader", "lease", "lww"].contains(&case.model) {
            continue;
        }
        let output = Folder::with("0 frobnicate null null").check(case.model, case.more);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{}: {said}", case.model);
        let known = said.starts_with("tribunal: h.jsonl: event 0: `frobnicate` is not a call of ");
        assert!(known && said.lines().count() == 1, "{}: {said}", case.model);
    }
}
