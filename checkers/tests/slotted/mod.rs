//! Drawn calls as the history that a run would have left: each in its slot, by its process.

use tribunal_history::{Call, Event, History, Kind, Process};

use crate::oracle::{Outcome, Slot};

/// A call, and how it would be answered if it were: its slot says whether it is.
pub struct Entry {
    pub slot: Slot,
    pub process: u64,
    pub call: Call,
    pub answer: Call,
}

/// The history of these calls, a nanosecond a place.
pub fn history(entries: impl IntoIterator<Item = Entry>) -> History {
    let mut events = Vec::new();
    for Entry { slot, process, call, answer } in entries {
        let (kind, end) = match slot.outcome {
            Outcome::Ok => (Kind::Ok, &answer),
            Outcome::Fail => (Kind::Fail, &call),
            Outcome::Info | Outcome::Open => (Kind::Info, &call),
        };
        let process = Process::Client(process);
        events.push(Event::of(&call, u64::from(slot.start), process, Kind::Invoke));
        if slot.outcome != Outcome::Open {
            events.push(Event::of(end, u64::from(slot.end), process, kind));
        }
    }
    events.sort_by_key(|event| event.time);
    History::new(events).expect("drawn well")
}
