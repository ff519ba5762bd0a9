//! The lives of all values of a queue, a stack or a priority queue, as the calls tell
//! them.
//!
//! This is where a value that was taken twice, or before it was put, or without
//! ever having been put, is noticed; no kind of queue allows that. What else the
//! kinds promise is judged elsewhere.

use super::Call;
use super::clash::Clash;
use super::life::{At, Life};
use crate::linearizability::dense::{Dense, NONE};
use crate::linearizability::model::{NEVER, Op};

/// All that the judges of queues work on.
#[derive(Clone, Debug, Default)]
pub(in crate::linearizability) struct Lives {
    /// The values that certainly were inside at some time, in the order of their puts.
    pub lives: Vec<Life>,
    /// The calls that found nothing.
    pub empties: Vec<At>,
    /// The calls that may have taken something out, at any time from their start: by start.
    pub takes: Vec<At>,
}

/// What becomes of the calls.
pub(in crate::linearizability) enum Pairing {
    /// Every value was put once at most.
    Unique(Lives),
    /// Some value was put twice, so that a take of it does not say which.
    Repeated,
    /// No queue of any kind.
    Clash(Clash),
}

/// Finds the put and the take of every value. Drains must have been expanded.
pub(in crate::linearizability) fn pair(ops: &[Op<Call>]) -> Pairing {
    let values = ops.iter().filter_map(|op| match op.call {
        Call::Put(value) => Some(value),
        _ => None,
    });
    let mut numbers = Dense::of(values);
    let mut lives: Vec<Life> = Vec::with_capacity(ops.len() / 2);
    for (at, op) in (0..).zip(ops) {
        let Call::Put(value) = op.call else { continue };
        if numbers.set(value, lives.len() as u32) != NONE {
            return Pairing::Repeated;
        }
        let (put_start, put_end) = (op.start, op.end);
        let (took_start, took_end) = (NEVER, NEVER);
        lives.push(Life { put: at, took: NONE, put_start, put_end, took_start, took_end });
    }
    let mut found = Lives { lives, ..Lives::default() };
    for (at, op) in (0..).zip(ops) {
        match op.call {
            Call::Took(value) => {
                if let Err(clash) = found.take(numbers.get(value), at, op) {
                    return Pairing::Clash(clash);
                }
            }
            Call::Empty => found.empties.push(at),
            Call::Take => found.takes.push(at),
            Call::Put(_) => {}
            Call::Drain(_) => return Pairing::Repeated,
        }
    }
    // A put that crashed and that nobody saw the value of need not have happened.
    found.lives.retain(|life| life.put_end != NEVER);
    Pairing::Unique(found)
}

impl Lives {
    fn take(&mut self, number: u32, at: At, op: &Op<Call>) -> Result<(), Clash> {
        let Some(life) = self.lives.get_mut(number as usize) else {
            return Err(Clash::Unexpected { took: at });
        };
        if life.taken() {
            return Err(Clash::Twice { put: life.put, first: life.took, second: at });
        }
        if op.end < life.put_start {
            return Err(Clash::Future { put: life.put, took: at });
        }
        life.took = at;
        life.put_end = life.put_end.min(op.end);
        life.took_start = op.start.max(life.put_start);
        life.took_end = op.end;
        Ok(())
    }

    /// Those without the values that no answered call took out: whatever holds of them holds
    /// whoever took the others.
    pub fn taken(&self) -> Self {
        let lives = self.lives.iter().filter(|life| life.taken()).copied().collect();
        Self { lives, empties: self.empties.clone(), takes: Vec::new() }
    }

    /// The same as if no call without an answer took anything.
    pub fn settled(&self) -> Self {
        Self { takes: Vec::new(), ..self.clone() }
    }

    /// Whether a call without an answer may have taken a value out.
    pub fn uncertain(&self) -> bool {
        !self.takes.is_empty() && self.lives.iter().any(|life| !life.taken())
    }
}

/// Judges calls by what the answered ones took. Where others may have taken something, `judge` sees both
/// ends of what they may have done: a clash without all that nobody was seen to take is one whoever took
/// it, and an order with all of it inside is one in which nobody did. In between nothing is said.
pub(in crate::linearizability) fn either_way(
    ops: &[Op<Call>],
    judge: impl Fn(&Lives) -> Option<Result<(), Clash>>,
) -> Option<Result<(), Clash>> {
    let found = match pair(ops) {
        Pairing::Unique(found) => found,
        Pairing::Repeated => return None,
        Pairing::Clash(clash) => return Some(Err(clash)),
    };
    if !found.uncertain() {
        return judge(&found);
    }
    match (judge(&found.taken())?, judge(&found.settled())?) {
        (Err(clash), _) => Some(Err(clash)),
        (Ok(()), Ok(())) => Some(Ok(())),
        (Ok(()), Err(_)) => None,
    }
}
