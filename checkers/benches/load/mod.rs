//! What the benchmarks share: cheap chance, and clients whose calls overlap.
#![allow(dead_code, reason = "every benchmark uses a part of it")]

pub mod register;

use tribunal_history::{Call, Event, History, Kind, Process};

const CLIENTS: u64 = 20;

/// A linear congruential generator (Knuth's MMIX constants): enough to vary a load.
pub struct Draw(u64);

impl Draw {
    pub fn new() -> Self {
        Self(42)
    }

    pub fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }
}

/// A history of `count` calls: `call` makes the next one, by its number, and
/// `answer` completes the event of its end. Clients are on five nodes by turns.
pub fn history(
    count: u64,
    mut call: impl FnMut(&mut Draw, u64) -> Call,
    mut answer: impl FnMut(&Call, &mut Event),
) -> History {
    let mut draw = Draw::new();
    let mut open: Vec<Option<Call>> = vec![None; CLIENTS as usize];
    let (mut events, mut begun) = (Vec::with_capacity(2 * count as usize), 0);
    while begun < count || open.iter().any(Option::is_some) {
        let client = draw.below(CLIENTS);
        let (process, time) = (Process::Client(client), events.len() as u64 * 1_000);
        let node = Some(format!("n{}", 1 + client % 5).into());
        match open[client as usize].take() {
            Some(call) => {
                let mut event = Event { node, ..Event::of(&call, time, process, Kind::Ok) };
                answer(&call, &mut event);
                events.push(event);
            }
            None if begun < count => {
                let call = call(&mut draw, begun);
                begun += 1;
                events.push(Event { node, ..Event::of(&call, time, process, Kind::Invoke) });
                open[client as usize] = Some(call);
            }
            None => {}
        }
    }
    History::new(events).expect("the history is well formed")
}
