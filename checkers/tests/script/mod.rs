//! Histories written down call by call, with times in milliseconds.
#![allow(dead_code)]

use serde_json::{Map, Value, json};
use tribunal_history::{Event, FaultNote, History, Kind, Process, Stage};

/// Calls and faults in any order; [`Script::history`] sorts them by time.
#[derive(Default)]
pub struct Script {
    /// With whether the event is a completion: at equal times those come last.
    events: Vec<(u64, bool, Event)>,
}

const MS: u64 = 1_000_000;

impl Script {
    pub fn new() -> Self {
        Self::default()
    }

    /// A call from `times.0` to `times.1`, described in JSON: `p`, `f`, `arg`,
    /// `key`, `node`, `end` ("ok" unless told), `value` (the answer; the
    /// argument unless told), `ext`, `final`.
    pub fn call(&mut self, times: (u64, u64), call: Value) -> &mut Self {
        let process = Process::Client(call["p"].as_u64().expect("p"));
        let mut begin = event(times.0, process, call["f"].as_str().expect("f"));
        begin.key = call.get("key").cloned();
        begin.value = call["arg"].clone();
        begin.node = call["node"].as_str().map(Into::into);
        if call["final"] == true {
            begin.ext.insert("final".into(), true.into());
        }
        let mut end = begin.clone();
        begin.kind = Kind::Invoke;
        end.time = times.1 * MS;
        end.kind = match call["end"].as_str().unwrap_or("ok") {
            "ok" => Kind::Ok,
            "fail" => Kind::Fail,
            "info" => Kind::Info,
            "open" => Kind::Invoke,
            other => panic!("no such end: {other}"),
        };
        if let Some(value) = call.get("value") {
            end.value = value.clone();
        }
        end.ext.extend(call["ext"].as_object().cloned().unwrap_or_default());
        self.events.push((times.0, false, begin));
        if end.kind != Kind::Invoke {
            self.events.push((times.1, true, end));
        }
        self
    }

    /// Why the last call that was added ended as it did.
    pub fn error_of_last(&mut self, error: Value) -> &mut Self {
        self.events.last_mut().expect("there is a call").2.error = error;
        self
    }

    /// A fault with the times of its four events, observed and healed.
    pub fn fault(&mut self, id: u64, name: &str, times: [u64; 4], fault: Value) -> &mut Self {
        let stages = [Stage::Inject, Stage::Injected, Stage::Heal, Stage::Healed];
        for (time, stage) in times.into_iter().zip(stages) {
            self.note(id, name, time, stage, &fault);
        }
        self
    }

    /// One event of a fault: `nodes`, `summary`, `plan`, `observed` (true unless
    /// told), `error`.
    pub fn note(&mut self, id: u64, name: &str, time: u64, stage: Stage, fault: &Value) {
        let mut note = FaultNote {
            id,
            stage,
            nodes: Vec::new(),
            summary: fault["summary"].as_str().unwrap_or("").into(),
            plan: fault["plan"].as_object().cloned().unwrap_or_default(),
            effect: None,
        };
        let nodes = fault["nodes"].as_array().cloned().unwrap_or_default();
        note.nodes = nodes.iter().map(|node| node.as_str().expect("node").into()).collect();
        if stage == Stage::Injected && fault["observed"] != false {
            let effect = json!({"observed": true});
            note.effect = serde_json::from_value(effect).expect("effect");
        }
        let mut event = event(time, Process::Nemesis, name);
        event.value = serde_json::to_value(note).expect("note");
        event.error = fault["error"].clone();
        self.events.push((time, stage == Stage::Injected || stage == Stage::Healed, event));
    }

    pub fn history(&mut self) -> History {
        self.events.sort_by_key(|&(time, ends, _)| (time, ends));
        History::new(self.events.iter().map(|(_, _, event)| event.clone()).collect())
            .expect("a well-formed history")
    }
}

fn event(time: u64, process: Process, f: &str) -> Event {
    Event {
        index: u64::MAX,
        time: time * MS,
        process,
        kind: Kind::Info,
        f: f.into(),
        key: None,
        value: Value::Null,
        node: None,
        error: Value::Null,
        ext: Map::new(),
    }
}
