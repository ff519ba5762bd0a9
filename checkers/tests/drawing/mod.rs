//! Histories as drawings, one line a process, time from left to right:
//!
//! ```text
//! p0: |--w1--|   |--r2--|
//! p1:      |--w2--?          nobody knows
//! p2:           |--c1,3--x   failed
//! ```
//!
//! `w1` writes 1, `r1` reads 1, `r_` reads null, `c1,2` swaps 1 for 2, `c1,2!` did not swap,
//! `c1,2=3` did not swap because it found 3. Where a call begins and another
//! ends in the same column, they overlap. A column is a millisecond.

use serde_json::{Value, json};
use tribunal_history::{Call, Event, History, Kind, Process};

/// The history drawn.
pub fn draw(drawing: &str) -> History {
    let mut events: Vec<(usize, bool, Event)> = Vec::new();
    for line in drawing.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (process, calls) = line.split_once(':').expect("a line is `p0: calls`");
        let number = process.trim_start_matches('p').parse().expect("a process is `p0`");
        draw_line(Process::Client(number), calls, &mut events);
    }
    events.sort_by_key(|&(column, completes, _)| (column, completes));
    History::new(events.into_iter().map(|(_, _, event)| event).collect()).expect("drawn well")
}

fn draw_line(process: Process, calls: &str, events: &mut Vec<(usize, bool, Event)>) {
    let mut open: Option<usize> = None;
    for (column, mark) in calls.char_indices().filter(|(_, mark)| "|x?".contains(*mark)) {
        let Some(start) = open.take() else {
            open = Some(column);
            continue;
        };
        let kind = match mark {
            '|' => Kind::Ok,
            'x' => Kind::Fail,
            _ => Kind::Info,
        };
        let (invoked, completed) = drawn_call(calls[start + 1..column].trim_matches('-'), kind);
        let node = Some(format!("n{}", number(process) + 1).into());
        let at = |column: usize| column as u64 * 1_000_000;
        let invocation = Event::of(&invoked, at(start), process, Kind::Invoke);
        let completion = Event { node, ..Event::of(&completed, at(column), process, kind) };
        events.push((start, false, invocation));
        events.push((column, true, completion));
    }
    assert!(open.is_none(), "a call without an end in {calls}");
}

fn number(process: Process) -> u64 {
    match process {
        Process::Client(number) => number,
        Process::Nemesis => unreachable!("only clients are drawn"),
    }
}

/// The call as it was invoked, and as its completion tells it.
fn drawn_call(text: &str, kind: Kind) -> (Call, Call) {
    let (f, rest) = text.split_at(1);
    match f {
        "r" if kind == Kind::Ok => (Call::new("read"), Call::new("read").value(value(rest))),
        "r" => (Call::new("read"), Call::new("read")),
        "w" => (Call::new("write").value(value(rest)), Call::new("write").value(value(rest))),
        "c" => {
            let (pair, found) = rest.split_once('=').unwrap_or((rest, ""));
            let (old, new) = pair.trim_end_matches('!').split_once(',').expect("a cas is c1,2");
            let call = Call::new("cas").value(json!([value(old), value(new)]));
            let answer = match (found, pair.ends_with('!')) {
                ("", false) => call.clone(),
                ("", true) => call.clone().mark("swapped", false),
                (found, _) => call.clone().mark("swapped", false).mark("found", value(found)),
            };
            (call, answer)
        }
        other => panic!("no call is drawn as {other}"),
    }
}

fn value(text: &str) -> Value {
    if text == "_" { Value::Null } else { json!(text.parse::<u64>().expect("values are numbers")) }
}
