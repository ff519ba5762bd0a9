//! A small history as a drawing, with what its checker says of it. The histories themselves, one a phenomenon,
//! are in [`explanation`](super::explanation).
//!
//! ```text
//! T0 (p0)  |--rx_ ay1--|
//! T1 (p1)  |--ry_ ax1--|
//!
//! T0 --rw--> T1: T0 read [] of "x", and T1 appended 1 to it
//! ```

use serde_json::{Value, json};
use tribunal_history::{Call, Event, History, Kind, Process};

use super::isolation::{ListAppend, RwRegister};
use crate::{Anomaly, Checker};

/// The longest line of a sentence.
const COLUMNS: usize = 100;

/// A transaction: `p0 1-4 rx_ ay1`, by whom, from when to when, its steps. `1-x4` was aborted, of `1-?` nobody
/// knows.
struct Line<'e> {
    process: u64,
    start: u64,
    end: u64,
    kind: Kind,
    steps: Vec<&'e str>,
}

/// The history drawn, and below it what is said of its anomaly of that name.
pub fn drawn(example: &str, name: &str) -> String {
    let lines: Vec<Line> = example.lines().map(Line::of).collect();
    let history = history(&lines);
    let is_register = lines.iter().flat_map(|line| &line.steps).any(|step| step.starts_with('w'));
    let verdict = match is_register {
        true => RwRegister::default().check(&history),
        false => ListAppend::default().check(&history),
    };
    let anomaly = verdict.anomalies.iter().find(|anomaly| anomaly.name == name);
    let said = anomaly.map_or(String::new(), said);
    format!("{}\n\n{}", timelines(&lines, &history), said)
}

impl<'e> Line<'e> {
    fn of(line: &'e str) -> Self {
        const WELL: &str = "an example is drawn as `p0 1-4 rx_ ay1`";
        let mut words = line.split_whitespace();
        let process = words.next().and_then(|word| word.strip_prefix('p')).expect(WELL);
        let (start, end) = words.next().and_then(|word| word.split_once('-')).expect(WELL);
        let start = start.parse().expect(WELL);
        let (kind, end) = match end.strip_prefix('x') {
            Some(end) => (Kind::Fail, end.parse().expect(WELL)),
            None if end == "?" => (Kind::Info, start + 1),
            None => (Kind::Ok, end.parse().expect(WELL)),
        };
        Self { process: process.parse().expect(WELL), start, end, kind, steps: words.collect() }
    }

    fn value(&self, is_told: bool, is_register: bool) -> Value {
        self.steps.iter().map(|word| step(word, is_told, is_register)).collect()
    }
}

/// `ax1` appends, `wx1` writes, `rx12` reads the list [1,2] and `rx1` of a register 1, `rx_` finds nothing.
fn step(word: &str, is_told: bool, is_register: bool) -> Value {
    let (f, key, digits) = (&word[..1], &word[1..2], &word[2..]);
    let numbers: Vec<u32> = digits.chars().filter_map(|digit| digit.to_digit(10)).collect();
    match f {
        "a" => json!(["append", key, numbers[0]]),
        "w" => json!(["w", key, numbers[0]]),
        _ if !is_told => json!(["r", key, null]),
        _ if is_register => json!(["r", key, numbers.first()]),
        _ => json!(["r", key, numbers]),
    }
}

fn history(lines: &[Line]) -> History {
    let is_register = lines.iter().flat_map(|line| &line.steps).any(|step| step.starts_with('w'));
    let mut events = Vec::new();
    for line in lines {
        let call = |is_told| Call::new("txn").value(line.value(is_told, is_register));
        let who = Process::Client(line.process);
        let mut add = |at: u64, kind, is_told| {
            let event = Event::of(&call(is_told), at * 1_000_000, who, kind);
            events.push((at, kind != Kind::Invoke, event));
        };
        add(line.start, Kind::Invoke, false);
        // One of which nobody knows how it ended is heard of last.
        let end = if line.kind == Kind::Info { 1_000 } else { line.end };
        add(end, line.kind, line.kind == Kind::Ok);
    }
    events.sort_by_key(|&(at, ends, _)| (at, ends));
    let events = events.into_iter().map(|(_, _, event)| event).collect();
    History::new(events).expect("an example is a history")
}

/// A line for each transaction, time from left to right.
fn timelines(lines: &[Line], history: &History) -> String {
    // The history has them in the order of their starts.
    let mut order: Vec<usize> = (0..lines.len()).collect();
    order.sort_by_key(|&at| lines[at].start);
    let mut names = vec![String::new(); lines.len()];
    for (at, call) in order.into_iter().zip(history.operations()) {
        names[at] = format!("T{} (p{})", call.start(), lines[at].process);
    }
    let widest = names.iter().map(String::len).max().unwrap_or(0);
    let steps: Vec<String> = lines.iter().map(|line| line.steps.join(" ")).collect();
    // As many columns a moment as the fullest transaction needs.
    let needs = |(line, steps): (&Line, &String)| {
        (steps.len() as u64 + 5).div_ceil((line.end - line.start).max(1))
    };
    let moment = lines.iter().zip(&steps).map(needs).max().unwrap_or(1) as usize;
    let first = lines.iter().map(|line| line.start).min().unwrap_or(0);
    let timeline = |((line, steps), name): ((&Line, &String), &String)| {
        let before = (line.start - first) as usize * moment;
        let inside = (line.end - line.start) as usize * moment - 1;
        let end = match line.kind {
            Kind::Fail => 'x',
            Kind::Info => '?',
            _ => '|',
        };
        format!("{name:widest$}  {:before$}|{steps:-^inside$}{end}", "")
    };
    let drawn: Vec<String> = lines.iter().zip(&steps).zip(&names).map(timeline).collect();
    drawn.join("\n")
}

/// Every step of a cycle with its reason; of what is none the sentence.
fn said(anomaly: &Anomaly) -> String {
    let text = |step: &Value, field: &str| match &step[field] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let Some(cycle) = anomaly.details.get("cycle").and_then(Value::as_array) else {
        return lines_of(&anomaly.message);
    };
    let step = |step: &Value| {
        let [from, to, kind, why] = ["from", "to", "kind", "why"].map(|field| text(step, field));
        format!("T{from} --{kind}--> T{to}: {why}")
    };
    cycle.iter().map(step).collect::<Vec<_>>().join("\n")
}

fn lines_of(sentence: &str) -> String {
    let mut lines = vec![String::new()];
    for word in sentence.split(' ') {
        let last = lines.len() - 1;
        match lines[last].chars().count() {
            0 => lines[last].push_str(word),
            used if used + 1 + word.chars().count() <= COLUMNS => {
                lines[last].push(' ');
                lines[last].push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}
