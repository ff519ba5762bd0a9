//! Synthetic runs: histories as a run would leave them, made from a rule.

use serde_json::{Map, Value, json};
use tribunal_checkers::{Anomaly, Validity, Verdict};
use tribunal_harness::store::{NodeLog, RunRecord};
use tribunal_history::{Call, Effect, Event, FaultNote, History, Kind, Nanos, Process, Stage};

pub const MS: Nanos = 1_000_000;
pub const S: Nanos = 1_000_000_000;

/// Events in any order; sorted by time when the history is made.
#[derive(Default)]
pub struct Drawing {
    events: Vec<Event>,
}

impl Drawing {
    /// A call of `process` on `node`: its words, its times and what came back.
    pub fn call(&mut self, process: u64, node: &str, call: Call, at: (Nanos, Nanos), end: End) {
        let who = Process::Client(process);
        self.events.push(Event::of(&call, at.0, who, Kind::Invoke));
        let mut event = Event::of(&call, at.1, who, Kind::Ok);
        event.node = Some(node.into());
        match end {
            End::Ok(value) => event.value = value,
            End::With(value, Value::Object(ext)) => (event.value, event.ext) = (value, ext),
            End::With(value, _) => event.value = value,
            End::Fail(why) => (event.kind, event.error) = (Kind::Fail, why.into()),
            End::Info(why) => (event.kind, event.error) = (Kind::Info, why.into()),
            End::Open => return,
        }
        self.events.push(event);
    }

    /// A fault's four events.
    pub fn fault(&mut self, id: u64, name: &str, nodes: &[&str], summary: &str, times: [Nanos; 4]) {
        let stages = [Stage::Inject, Stage::Injected, Stage::Heal, Stage::Healed];
        for (stage, time) in stages.into_iter().zip(times) {
            let seen = (stage == Stage::Injected).then(|| Effect {
                observed: true,
                evidence: nodes.iter().map(|node| format!("{node}: seen")).collect(),
            });
            let note = FaultNote {
                id,
                stage,
                nodes: nodes.iter().map(|&node| node.into()).collect(),
                summary: summary.into(),
                plan: Map::new(),
                effect: seen,
            };
            self.nemesis(time, name, serde_json::to_value(note).expect("a note"));
        }
    }

    /// One nemesis event with any value.
    pub fn nemesis(&mut self, time: Nanos, f: &str, value: Value) {
        let call = Call::new(f).value(value);
        self.events.push(Event::of(&call, time, Process::Nemesis, Kind::Info));
    }

    pub fn history(mut self) -> History {
        self.events.sort_by_key(|event| event.time);
        History::new(self.events).expect("a well-formed history")
    }
}

/// How a call ends.
pub enum End {
    Ok(Value),
    With(Value, Value),
    Fail(&'static str),
    Info(&'static str),
    Open,
}

pub struct Run {
    pub record: RunRecord,
    pub history: History,
    pub verdict: Verdict,
    pub logs: Vec<NodeLog>,
}

fn record(test: &str, workload: &str) -> RunRecord {
    RunRecord {
        id: "20261120T193000Z-5e1f09c2".into(),
        test: test.into(),
        workload: workload.into(),
        nodes: ["n1", "n2", "n3"].map(String::from).to_vec(),
        faults: vec!["clock-jump".into(), "partition-halves".into()],
        seed: "5e1f09c2".into(),
        started: "2026-11-20T19:30:00Z".into(),
        time_s: 20.0,
        rate: 200.0,
        concurrency: 6,
        command: format!("tribunal run {test}.toml -w {workload} -f clock-jump --seed 5e1f09c2"),
        version: "0.1.0".into(),
        ..RunRecord::default()
    }
}

/// Steady load of six workers on three nodes: `calls` of them, one after the other each.
fn load(
    drawing: &mut Drawing,
    calls: u64,
    length: Nanos,
    keys: u64,
    f: impl Fn(u64) -> (Call, End),
) {
    let each = length * 6 / calls;
    for i in 0..calls {
        let worker = i % 6;
        let start = (i / 6) * each + worker * each / 6 + (i * 7919 % 97) * each / 400;
        let took = each / 8 + (i * 104_729 % 89) * each / 200;
        let (mut call, end) = f(i);
        call.key.get_or_insert_with(|| json!(i % keys));
        drawing.call(worker, &format!("n{}", worker % 3 + 1), call, (start, start + took), end);
    }
}

fn reads_and_writes(i: u64) -> (Call, End) {
    match i % 19 {
        3 => (Call::new("read"), End::Fail("connection refused")),
        n if n % 2 == 0 => {
            let stamp = json!({ "timestamp": 1_700_000_000_000_000_000_u64 + i * MS });
            (Call::new("write").value(i), End::With(json!(i), stamp))
        }
        _ => (Call::new("read"), End::Ok(json!(i.saturating_sub(8)))),
    }
}

/// A clock jumped ahead on n2, and a later write through n1 was lost to it.
pub fn lost_write() -> Run {
    let mut drawing = Drawing::default();
    load(&mut drawing, 3_000, 18 * S, 8, reads_and_writes);
    drawing.fault(
        0,
        "partition-halves",
        &["n1", "n2", "n3"],
        "{n1 | n2 n3}",
        [2 * S, 2 * S + 80 * MS, 5 * S, 5 * S + 200 * MS],
    );
    drawing.fault(
        1,
        "clock-jump",
        &["n2"],
        "n2 +5.000 s",
        [7 * S, 7 * S + 90 * MS, 12 * S, 12 * S + 90 * MS],
    );
    let write = |value: u64| Call::new("write").value(value).key(100);
    let stamp = |time: u64| json!({ "timestamp": time });
    let at = |ms: u64, took: u64| (9 * S + ms * MS, 9 * S + (ms + took) * MS);
    drawing.call(11, "n2", write(41), at(0, 60), End::With(json!(41), stamp(14_012_000_000)));
    drawing.call(12, "n1", write(42), at(240, 55), End::With(json!(42), stamp(9_251_000_000)));
    drawing.call(13, "n3", write(40), at(30, 400), End::Info("timed out after 5 s"));
    drawing.call(14, "n3", Call::new("read").key(100), at(90, 40), End::Ok(json!(41)));
    drawing.call(
        15,
        "n1",
        Call::new("read").key(100).mark("final", true),
        at(520, 45),
        End::Ok(json!(41)),
    );
    let history = drawing.history();
    let ops: Vec<u64> =
        [(11, "write"), (12, "write"), (15, "read")].map(|who| find(&history, who)).to_vec();
    let message = "p12's write of 42 on n1 was acknowledged at 9.295 s and is lost: the final read of key 100 \
        returned 41, which p11 had written on n2 0.240 s before it began. n2 stamped 41 with 14.012 s, \
        n1 stamped 42 with 9.251 s: the clock of n2 was 5.000 s ahead.";
    let anomaly = Anomaly {
        name: "lost-write".into(),
        message: message.into(),
        key: Some(json!(100)),
        ops,
        window: Some((9 * S, 9 * S + 565 * MS)),
        details: Map::from_iter([("skew_ns".to_owned(), json!(5 * S))]),
    };
    let mut second = anomaly.clone();
    second.message =
        "p12's write of 42 was lost once more, for the sake of a second row in this list.".into();
    let part = Verdict::valid().fact("writes", 1_500).fact("keys", 9);
    let mut verdict = Verdict::of(vec![anomaly, second]);
    verdict.checkers.insert("lww".into(), Verdict { validity: Validity::Invalid, ..part });
    verdict.checkers.insert("statistics".into(), Verdict::valid().fact("ok", history.len()));
    let mut record = record("lww-store", "lww");
    record.origin_ns = Some(1795203000 * S as i64);
    let said =
        |node: &str, text: &str| NodeLog { node: node.into(), text: text.into(), whole: true };
    let logs = vec![
        said("n1", "19:29:58 starts\n19:30:09.250 stores 42\n19:30:40 is stopped"),
        said("n2", "19:30:09.020 stores 41 </td><script>alert(1)</script>\nno time of its own"),
    ];
    Run { record, history, verdict, logs }
}

/// Index of the only invocation of `f` by a process.
fn find(history: &History, (process, f): (u64, &str)) -> u64 {
    let mine =
        |op: &tribunal_history::Operation| op.process() == Process::Client(process) && op.f() == f;
    history.operations().find(mine).expect("it was drawn").start()
}

/// A leader was stopped, a second one elected, and the first woke up.
pub fn split_brain() -> Run {
    let mut drawing = Drawing::default();
    drawing.fault(
        0,
        "pause",
        &["n1"],
        "n1 (leader)",
        [3 * S, 3 * S + 20 * MS, 6 * S, 6 * S + 30 * MS],
    );
    let mut node = 0;
    for tick in 0..100 {
        let start = tick * 100 * MS;
        node = node % 3 + 1;
        let paused = node == 1 && (3 * S..6 * S).contains(&start);
        let leader = if (4 * S..=8 * S).contains(&start) {
            node == 2 || (node == 1 && start >= 6 * S)
        } else {
            node == 1
        };
        let role = json!({ "node": format!("n{node}"), "role": if leader { "leader" } else { "follower" }, "term": 1 + u64::from(node == 2 && start >= 4 * S) });
        let end = if paused { End::Info("no answer within 80 ms") } else { End::Ok(role) };
        let process = if paused { 100 + tick } else { node };
        drawing.call(
            process,
            &format!("n{node}"),
            Call::new("probe"),
            (start, start + 80 * MS - u64::from(!paused) * 60 * MS),
            end,
        );
    }
    let history = drawing.history();
    let late =
        history.operations().filter(|op| op.invoked_at() >= 6 * S && op.node() != Some("n3"));
    let ops = late.take(4).map(|op| op.start()).collect();
    let verdict = Verdict::of(vec![Anomaly {
        name: "split-brain".into(),
        message: "n1 and n2 both said that they lead between 6.000 s and 6.420 s: n1 in term 1, n2 in term 2. \
            n1 had been paused from 3.000 s to 6.030 s and went on as leader when it woke up."
            .into(),
        ops,
        window: Some((5 * S + 900 * MS, 6 * S + 500 * MS)),
        ..Anomaly::default()
    }]);
    Run { record: record("lease-store", "leader"), history, verdict, logs: Vec::new() }
}

/// Many calls and nothing wrong with them.
pub fn large() -> Run {
    let mut drawing = Drawing::default();
    load(&mut drawing, 60_000, 60 * S, 40, reads_and_writes);
    for id in 0..6 {
        let start = (5 + 9 * id) * S;
        let name = ["partition-halves", "pause", "clock-jump"][id as usize % 3];
        drawing.fault(
            id,
            name,
            &["n2"],
            "n2",
            [start, start + 100 * MS, start + 3 * S, start + 3 * S + 300 * MS],
        );
    }
    let verdict = Verdict::valid().fact("calls", 60_000);
    let record = record("etcd", "cas-register");
    Run { record, history: drawing.history(), verdict, logs: Vec::new() }
}

/// A run that was cut short before its first call.
pub fn empty() -> Run {
    let mut record = record("etcd", "cas-register");
    record.ended = Some("n2 refused SSH: connection timed out".into());
    let verdict = Verdict::unknown("nothing was called: there is no ok read and no ok write");
    Run { record, history: History::default(), verdict, logs: Vec::new() }
}

pub const HOSTILE: &str =
    "</script><img src=x onerror=\"document.title='owned'\"><!-- \u{202e}\u{7} {{ 7*7 }}";

/// A database, and a test, that would like to write the page themselves.
pub fn hostile() -> Run {
    let mut drawing = Drawing::default();
    let write = || Call::new(HOSTILE).key(HOSTILE).value(HOSTILE);
    drawing.call(
        0,
        HOSTILE,
        write(),
        (0, MS),
        End::With(json!(HOSTILE), json!({ HOSTILE: HOSTILE })),
    );
    drawing.call(1, HOSTILE, write(), (MS, 3 * MS), End::Fail(HOSTILE));
    drawing.call(2, HOSTILE, write(), (2 * MS, 9 * MS), End::Open);
    drawing.fault(0, HOSTILE, &[HOSTILE], HOSTILE, [0, MS, 4 * MS, 5 * MS]);
    drawing.nemesis(3 * MS, HOSTILE, json!({ "grudge": HOSTILE }));
    let anomaly = Anomaly {
        name: HOSTILE.into(),
        message: HOSTILE.into(),
        key: Some(json!(HOSTILE)),
        ops: vec![0, 1, 7, 9_999],
        details: Map::from_iter([(HOSTILE.to_owned(), json!(HOSTILE))]),
        ..Anomaly::default()
    };
    let mut verdict = Verdict::of(vec![anomaly; 70]).fact(HOSTILE, HOSTILE);
    verdict.doubt(HOSTILE);
    verdict.checkers.insert(HOSTILE.into(), Verdict::unknown(HOSTILE));
    let record = RunRecord {
        test: HOSTILE.into(),
        command: HOSTILE.into(),
        ended: Some(HOSTILE.into()),
        ..record(HOSTILE, HOSTILE)
    };
    Run { record, history: drawing.history(), verdict, logs: Vec::new() }
}

/// Another tool's history: times from 1970, a nemesis with words of its own, no nodes.
pub fn foreign() -> Run {
    let from = 1_763_000_000 * S;
    let mut drawing = Drawing::default();
    drawing.nemesis(from, "start-partition", json!("majority"));
    for i in 0..30 {
        let call = Call::new("txn").value(json!([["r", i, null], ["append", i, 1]]));
        let at = from + i * 10 * MS;
        drawing.call(
            i,
            "",
            call,
            (at, at + 25 * MS),
            if i % 3 == 0 { End::Open } else { End::Ok(json!([["r", i, [1]], ["append", i, 1]])) },
        );
    }
    drawing.nemesis(from + 200 * MS, "stop-partition", Value::Null);
    let mut verdict =
        Verdict::unknown("the search ended at its budget of 10 s after 20 of 30 calls");
    verdict.doubt("no read was ok");
    Run { record: RunRecord::default(), history: drawing.history(), verdict, logs: Vec::new() }
}
