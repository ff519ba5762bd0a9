//! Random histories of one register, as text and as its calls. What is drawn is
//! judged elsewhere.
#![allow(dead_code, reason = "every test binary uses a part of it")]

use std::fmt::Write;

use serde_json::{Value, json};
use tribunal_checkers::linearizability::register::Calls;
use tribunal_checkers::linearizability::register::op::Op;
use tribunal_history::{Call, Event, History, Kind, Process};

use super::oracle::Draw;

/// What a random history may hold.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Values written are `1..=values`; 0 stands for a new value each time.
    pub values: u64,
    /// One cas in so many that does not swap keeps to itself what it found; 0 is none.
    pub silent: u64,
    /// Of twelve calls, how many have an unknown outcome.
    pub crashed: u64,
    /// So many of the first calls are answered rightly.
    pub honest: u64,
}

/// A register is called, answers now and then wrongly, and its calls overlap.
pub fn history(draw: &mut Draw, shape: Shape) -> History {
    let calls = 2 + draw.below(8);
    longer(draw, shape, calls)
}

/// The same, of so many calls.
pub fn longer(draw: &mut Draw, shape: Shape, calls: u64) -> History {
    let width = 1 + draw.below(4);
    let (mut held, mut seen) = (Value::Null, vec![Value::Null]);
    let mut events: Vec<(u64, Event)> = Vec::new();
    for number in 0..calls {
        let call = call(draw, shape, &held, &mut seen, number);
        let kind = match draw.below(12) {
            drawn if drawn < shape.crashed => Kind::Info,
            11 => Kind::Fail,
            _ => Kind::Ok,
        };
        let honest = number < shape.honest;
        let answer = answer(draw, (shape, honest), &call, kind, &mut held, &seen);
        let (middle, process) = ((number + 1) * 1_000, Process::Client(number));
        let from = middle.saturating_sub(1 + draw.below(width * 1_000));
        let until = middle + 1 + draw.below(width * 1_000);
        events.push((from, Event::of(&call, 0, process, Kind::Invoke)));
        if kind != Kind::Info || draw.one_in(2) {
            events.push((until, Event::of(&answer, 0, process, kind)));
        }
    }
    events.sort_by_key(|&(time, _)| time);
    History::new(events.into_iter().map(|(_, event)| event).collect()).expect("well formed")
}

fn call(draw: &mut Draw, shape: Shape, held: &Value, seen: &mut Vec<Value>, number: u64) -> Call {
    let new = match shape.values {
        0 => json!(number + 1),
        values => json!(1 + draw.below(values)),
    };
    let any = seen[draw.below(seen.len() as u64) as usize].clone();
    let call = match draw.below(8) {
        0..=3 => return Call::new("read"),
        4 | 5 => Call::new("write").value(new.clone()),
        _ if draw.one_in(3) => Call::new("cas").value(json!([any, new])),
        _ => Call::new("cas").value(json!([held, new])),
    };
    seen.push(new);
    call
}

/// Lets the call take effect, if it shall, and tells what it says of it.
fn answer(
    draw: &mut Draw,
    (shape, honest): (Shape, bool),
    call: &Call,
    kind: Kind,
    held: &mut Value,
    seen: &[Value],
) -> Call {
    let happens = match kind {
        Kind::Ok => !draw.one_in(8) || honest,
        Kind::Info => draw.one_in(2),
        _ => draw.one_in(8) && !honest,
    };
    let any = seen[draw.below(seen.len() as u64) as usize].clone();
    let found = if draw.one_in(3) && !honest { any } else { held.clone() };
    let ok = kind == Kind::Ok;
    match &*call.f {
        "read" if ok => return call.clone().value(found),
        "write" if happens => *held = call.value.clone(),
        "cas" if call.value[0] == found && happens => *held = call.value[1].clone(),
        "cas" if ok && call.value[0] != found => {
            let silent = shape.silent > 0 && draw.one_in(shape.silent);
            let call = call.clone().mark("swapped", false);
            return if silent { call } else { call.mark("found", found) };
        }
        _ => {}
    }
    call.clone()
}

/// A history as lines of JSON.
pub fn told(history: &History) -> String {
    let mut lines = String::new();
    for event in history.events() {
        let line = serde_json::to_string(&event.to_event()).expect("an event is JSON");
        writeln!(lines, "{line}").expect("a string takes all");
    }
    lines
}

/// The calls on the one register, and how many values they have.
pub fn calls_of(history: &History) -> (Vec<Op>, usize) {
    let calls = Calls::read(history, &Value::Null).expect("calls of a register");
    calls.map(|object| (object.ops, object.values)).remove(0)
}
