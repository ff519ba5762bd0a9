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

use super::told::{label, seconds};
use crate::Anomaly;

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
        let shortest = bars[at].from + bars[at].label.chars().count() + 5;
        match (ends, bars[at].end) {
            (false, _) => bars[at].from = column,
            // Nobody's answer: it is only there to keep its process' next call apart.
            (true, '?') => {
                bars[at].until = shortest;
                let again = calls[at + 1..].iter().any(|call| call.process() == bars[at].process);
                column = if again { column.max(shortest) } else { column };
            }
            (true, _) => {
                column = column.max(shortest);
                bars[at].until = column;
            }
        }
        column += 1;
        if !ends {
            bars[at].until = bars[at].from + bars[at].label.chars().count() + 5;
        }
    }
    bars
}

fn bar(call: &Operation) -> Bar {
    let mut label = label(call);
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
        let free = (bar.until - bar.from).saturating_sub(label.len() + 1);
        line[bar.from] = '|';
        line[bar.from + 1..bar.until].fill('-');
        let at = bar.from + 1 + free / 2;
        line[at..at + label.len()].copy_from_slice(&label);
        line[bar.until] = bar.end;
    }
    line
}

/// The last column before `most` at which the drawing may be broken with the fewest calls cut in two.
fn break_before(bars: &[Bar], from: usize, most: usize) -> usize {
    if bars.iter().all(|bar| bar.until < most) {
        return most;
    }
    let cut = |at: usize| bars.iter().filter(|bar| bar.from < at && at <= bar.until).count();
    let least = from + (most - from) / 2;
    (least..=most).rev().min_by_key(|&at| cut(at)).unwrap_or(most)
}
