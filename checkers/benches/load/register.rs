//! Registers that clients call at the same time, simulated: valid histories of
//! a few values or of unique ones, with calls of unknown outcome.

use serde_json::{Value, json};
use tribunal_history::{Call, Event, History, Kind, Process};

use super::Draw;

/// What clients do to registers.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Calls in all.
    pub calls: u64,
    /// Registers.
    pub keys: u64,
    /// Whether they are called one after the other, rather than all at once.
    pub rotate: bool,
    /// Clients, each with one call at a time.
    pub clients: u64,
    /// Values to write; `None` is a new one each time.
    pub values: Option<u64>,
    /// Whether a compare-and-set that does not swap keeps to itself what it found.
    pub silent: bool,
    /// Calls in a thousand whose outcome nobody knows; half of them take effect.
    pub crashed: u64,
}

/// A client's call under way, with its answer once it has taken effect.
#[derive(Clone)]
struct Open {
    call: Call,
    key: usize,
    answer: Option<Event>,
}

/// A valid history: reads, writes and compare-and-sets in equal parts.
///
/// A call begins, takes effect and ends at the whim of chance. A client whose call crashes goes on under a new number.
pub fn history(shape: Shape) -> History {
    let mut draw = Draw::new();
    let mut held = vec![Value::Null; shape.keys as usize];
    let mut open: Vec<Option<Open>> = vec![None; shape.clients as usize];
    let mut process: Vec<u64> = (0..shape.clients).collect();
    let (mut events, mut begun) = (Vec::with_capacity(2 * shape.calls as usize), 0);
    while begun < shape.calls || open.iter().any(Option::is_some) {
        let client = draw.below(shape.clients) as usize;
        let (who, time) = (Process::Client(process[client]), events.len() as u64 * 1_000);
        match open[client].take() {
            None if begun == shape.calls => {}
            None => {
                let key = match shape.rotate {
                    true => begun * shape.keys / shape.calls,
                    false => draw.below(shape.keys),
                };
                begun += 1;
                let call = wish(&mut draw, &held[key as usize], begun, shape.values);
                let call = if shape.keys > 1 { call.key(key) } else { call };
                events.push(Event::of(&call, time, who, Kind::Invoke));
                open[client] = Some(Open { call, key: key as usize, answer: None });
            }
            Some(Open { call, key, answer: None }) => {
                let crashes = draw.below(1_000) < shape.crashed;
                let kind = if crashes { Kind::Info } else { Kind::Ok };
                let mut answer = Event::of(&call, time, who, kind);
                if !crashes || draw.below(2) == 0 {
                    apply(&call, &mut held[key], &mut answer, shape.silent);
                }
                match crashes {
                    true => process[client] += shape.clients,
                    false => open[client] = Some(Open { call, key, answer: Some(answer) }),
                }
            }
            Some(Open { answer: Some(answer), .. }) => events.push(Event { time, ..answer }),
        }
    }
    History::new(events).expect("the history is well formed")
}

fn wish(draw: &mut Draw, held: &Value, fresh: u64, values: Option<u64>) -> Call {
    let new = values.map_or(fresh, |values| 1 + draw.below(values));
    match draw.below(3) {
        0 => Call::new("read"),
        1 => Call::new("write").value(new),
        _ => {
            let old = values.map_or(held.clone(), |values| json!(1 + draw.below(values)));
            Call::new("cas").value(json!([old, new]))
        }
    }
}

/// Lets a call take effect, and writes down what it found.
fn apply(call: &Call, held: &mut Value, answer: &mut Event, silent: bool) {
    match &*call.f {
        "read" => answer.value = held.clone(),
        "write" => *held = call.value.clone(),
        _ if call.value[0] == *held => *held = call.value[1].clone(),
        _ => {
            answer.ext.insert("swapped".to_owned(), json!(false));
            if !silent {
                answer.ext.insert("found".to_owned(), held.clone());
            }
        }
    }
}

/// The same history with one read that is out of date: late in the history, of the first value read.
pub fn with_stale_read(history: &History) -> History {
    let mut events: Vec<Event> = history.events().map(|event| event.to_event()).collect();
    let is_read = |event: &&mut Event| &*event.f == "read" && event.kind == Kind::Ok;
    let stale = events.iter_mut().find(is_read).map(|event| event.value.clone());
    if let Some(read) = events.iter_mut().rev().skip(50).find(is_read) {
        read.value = stale.unwrap_or_default();
    }
    History::new(events).expect("the history is well formed")
}
