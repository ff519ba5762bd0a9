//! Transactions drawn in the manner of Elle's tests, one a line:
//!
//! ```text
//! p0 1-4  ax1 ry12   p0 began at 1 and ended at 4; it appended 1 to x and read [1,2] of y
//! p1 2-x3 ax2        it was aborted at 3
//! p2 2-?  wz1 rz_    nobody knows; it wrote 1 to z and found nothing there
//! ```

use serde_json::{Value, json};
use tribunal_history::{Call, Event, History, Kind, Process};

/// The history drawn. Reads of registers find one value: `lists` says which keys hold lists.
pub fn draw(drawing: &str, lists: bool) -> History {
    let mut events: Vec<(u64, bool, Event)> = Vec::new();
    for line in drawing.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let process = words.next().and_then(|word| word.strip_prefix('p')).expect("a process");
        let who = Process::Client(process.parse().expect("a process number"));
        let (start, end) = words.next().and_then(|word| word.split_once('-')).expect("times");
        let steps: Vec<&str> = words.collect();
        let (kind, end) = match (end.strip_prefix('x'), end) {
            (Some(end), _) => (Kind::Fail, end),
            (_, "?") => (Kind::Info, "1000"),
            (_, end) => (Kind::Ok, end),
        };
        let value = |told| Value::from_iter(steps.iter().map(|word| step(word, told, lists)));
        let mut add = |at: &str, kind, told, ends| {
            let at: u64 = at.parse().expect("a time");
            let call = Call::new("txn").value(value(told));
            events.push((at, ends, Event::of(&call, at * 1_000_000, who, kind)));
        };
        add(start, Kind::Invoke, false, false);
        add(end, kind, kind == Kind::Ok, true);
    }
    events.sort_by_key(|&(at, ends, _)| (at, ends));
    History::new(events.into_iter().map(|(_, _, event)| event).collect()).expect("drawn well")
}

fn step(word: &str, told: bool, lists: bool) -> Value {
    let (key, digits) = (&word[1..2], &word[2..]);
    let number = |digit: char| digit.to_digit(10).expect("a digit");
    match &word[..1] {
        "a" => json!(["append", key, number(digits.chars().next().expect("an element"))]),
        "w" => json!(["w", key, number(digits.chars().next().expect("a value"))]),
        "r" if !told => json!(["r", key, null]),
        "r" if lists => {
            let found: Vec<u32> = digits.chars().filter(|&it| it != '_').map(number).collect();
            json!(["r", key, found])
        }
        "r" => json!(["r", key, digits.chars().next().filter(|&it| it != '_').map(number)]),
        other => panic!("{other}: not one of a, w, r"),
    }
}
