//! Histories written a call a line: process, times in milliseconds, call, answer.
//!
//! ```text
//! p0 1-2 enqueue 7
//! p1 3-4 dequeue = 7
//! p2 5-6x enqueue 8        failed
//! p3 7-8? dequeue          nobody knows
//! ```

use serde_json::{Value, json};
use tribunal_history::History;

use crate::script::Script;

/// The history written. A process that is still busy, or whose call nobody heard of, goes on under a
/// number ten higher.
pub fn read(text: &str) -> History {
    let mut script = Script::new();
    let mut busy: Vec<(u64, u64, u64)> = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (call, answer) =
            line.split_once('=').map_or((line, None), |(call, it)| (call, Some(it)));
        let mut words = call.splitn(4, ' ');
        let mut next = || words.next().unwrap_or_default().trim();
        let mut process: u64 = next().trim_start_matches('p').parse().expect("p0");
        let times = next();
        let (start, end) = times.trim_end_matches(['x', '?']).split_once('-').expect("1-2");
        let [start, end] = [start, end].map(|text| text.parse::<u64>().expect("milliseconds"));
        let until = if times.ends_with('?') { u64::MAX } else { end };
        while busy.iter().any(|at| at.0 == process && at.1 <= until && start <= at.2) {
            process += 10;
        }
        busy.push((process, start, until));
        let kind = match times.chars().last() {
            Some('x') => "fail",
            Some('?') => "info",
            _ => "ok",
        };
        let mut told = json!({"p": process, "f": next(), "end": kind});
        told["arg"] = value(next());
        if let Some(answer) = answer {
            told["value"] = value(answer);
        }
        script.call((start, end), told);
    }
    script.history()
}

fn value(text: &str) -> Value {
    match text.trim() {
        "" => Value::Null,
        text => serde_json::from_str(text).expect("values are JSON"),
    }
}
