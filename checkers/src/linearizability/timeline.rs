//! A witness as a drawing for the terminal: one line a process, time from left to right.
//!
//! ```text
//! p0: |--write 1--|  |--write 2--|
//! p1:                               |--read 1--|
//! p2:        |--write 3--?
//! ```
//!
//! `|` is where a call begins and ends; `?` ends one of which nobody knows whether it
//! happened, `x` one that failed. The order of beginnings and ends is that of the
//! log, and no two share a column; lengths mean nothing. What is too wide goes on below.

use std::collections::BTreeMap;

use tribunal_history::{History, Kind, Operation, Process};

use super::told::label;
use crate::Anomaly;
use crate::times::seconds;

/// The columns of a terminal.
const COLUMNS: usize = 100;

/// The longest label; of a longer one the beginning is shown.
const LABEL: usize = 28;

/// The calls of an anomaly, drawn.
pub fn timeline(anomaly: &Anomaly, history: &History) -> String {
    let mut wanted = anomaly.ops.clone();
    wanted.sort_unstable();
    let among = |call: &Operation| wanted.binary_search(&call.start()).is_ok();
    let calls: Vec<Operation> = history.operations().filter(among).collect();
    draw(&calls)
}

/// A call on the drawing.
struct Bar {
    process: Process,
    label: String,
    from: usize,
    /// Where it ends, and how.
    until: usize,
    end: char,
}

/// Calls in the order of their invocations, drawn.
pub fn draw(calls: &[Operation]) -> String {
    let bars = bars(calls);
    let mut lanes: BTreeMap<Process, Vec<&Bar>> = BTreeMap::new();
    for bar in &bars {
        lanes.entry(bar.process).or_default().push(bar);
    }
    let names = lanes.keys().map(|process| process.to_string().len()).max().unwrap_or(0);
    let room = COLUMNS.saturating_sub(names + 3).max(LABEL);
    let lines: Vec<(Process, Vec<char>)> =
        lanes.iter().map(|(&process, lane)| (process, line(lane))).collect();
    let width = lines.iter().map(|(_, line)| line.len()).max().unwrap_or(0);
    let mut drawing = String::new();
    if let (Some(first), Some(last)) = (calls.first(), calls.last()) {
        let (from, until) = (first.invoked_at(), last.invoked_at());
        drawing.push_str(&format!("begun from {} to {}\n", seconds(from), seconds(until)));
    }
    let mut from = 0;
    while from < width {
        let until = break_before(&bars, from, width.min(from + room));
        if from > 0 {
            drawing.push_str("...\n");
        }
        for (process, line) in &lines {
            let part: String = line[from.min(line.len())..until.min(line.len())].iter().collect();
            let text = format!("{:names$}: {part}", process.to_string());
            if !part.trim().is_empty() {
                drawing.push_str(text.trim_end());
                drawing.push('\n');
            }
        }
        from = until;
    }
    drawing
}

/// Where each call begins and ends: in the order of the log, as close as labels allow.
fn bars(calls: &[Operation]) -> Vec<Bar> {
    let mut events: Vec<(u64, usize, bool)> = Vec::new();
    for (at, call) in calls.iter().enumerate() {
        events.push((call.start(), at, false));
        if let Some(completion) = call.completion() {
            events.push((completion.index(), at, true));
        }
    }
    events.sort_unstable();
    let mut bars: Vec<Bar> = calls.iter().map(bar).collect();
    let mut column = 0;
    for (_, at, ends) in events {
        let shortest = |from: usize| from + bars[at].label.chars().count() + 5;
        if !ends {
            let until = shortest(column);
            (bars[at].from, bars[at].until) = (column, until);
            column += 1;
            continue;
        }
        let until = shortest(bars[at].from);
        // Nobody's answer matters only where it keeps its process' next call apart.
        let process = bars[at].process;
        if bars[at].end != '?' || calls[at + 1..].iter().any(|call| call.process() == process) {
            column = column.max(until);
            bars[at].until = column;
            column += 2;
        }
    }
    bars
}

fn bar(call: &Operation) -> Bar {
    // Quotes are more than a drawing has room for.
    let mut label = label(call).replace('"', "");
    if let Some((at, _)) = label.char_indices().nth(LABEL) {
        label.truncate(at);
        label.push_str("..");
    }
    let end = match call.kind() {
        Kind::Ok => '|',
        Kind::Fail => 'x',
        Kind::Info | Kind::Invoke => '?',
    };
    Bar { process: call.process(), label, from: 0, until: 0, end }
}

/// The calls of one process.
fn line(lane: &[&Bar]) -> Vec<char> {
    let mut line: Vec<char> = Vec::new();
    for bar in lane {
        line.resize(line.len().max(bar.until + 1), ' ');
        let label: Vec<char> = bar.label.chars().collect();
        line[bar.from] = '|';
        line[bar.from + 1..bar.until].fill('-');
        let at = bar.from + 3;
        line[at..at + label.len()].copy_from_slice(&label);
        line[bar.until] = bar.end;
    }
    line
}

/// The last column before `most` at which the drawing may be broken with no label cut in two if
/// that can be, and the fewest calls.
fn break_before(bars: &[Bar], from: usize, most: usize) -> usize {
    if bars.iter().all(|bar| bar.until < most) {
        return most;
    }
    let cut = |at: usize| {
        let calls = bars.iter().filter(|bar| bar.from < at && at <= bar.until);
        let labels = calls.clone().filter(|bar| at < bar.from + bar.label.chars().count() + 5);
        (labels.count(), calls.count())
    };
    let least = from + (most - from) / 2;
    (least..=most).rev().min_by_key(|&at| cut(at)).unwrap_or(most)
}
