//! Sets with `remove`, element by element, exactly and in linear time, where every element is
//! added once and removed once at most and nobody reads the set whole.
//!
//! Elements do not touch each other, so each is judged alone. There are three ways in which its story can
//! go, and it is enough that one fits: it never came in; it came in and stayed (whatever removed it did so before,
//! in vain); it came in and was removed. In the last, it is in at least from the end of the first call that
//! needs it in to the beginning of the last one, and everyone who did not find it looked outside of that.

use tribunal_history::Datum;

use super::{At, Call, Clash};
use crate::linearizability::dense::{Dense, NONE};
use crate::linearizability::model::{NEVER, Op, Point};

/// All that is known of an element.
#[derive(Clone, Debug)]
struct Story {
    value: Datum,
    add: At,
    remove: At,
    /// Of the calls that found it, which ended first and which began last.
    found: Bounds,
    /// Of those that did not.
    not_found: Bounds,
}

/// Which of some calls ended first and which began last.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    first_end: (Point, At),
    last_start: (Point, At),
}

const NO_CALLS: Bounds = Bounds { first_end: (NEVER, NONE), last_start: (0, NONE) };

impl Bounds {
    fn add<C>(&mut self, at: At, op: &Op<C>) {
        self.first_end = self.first_end.min((op.end, at));
        self.last_start = self.last_start.max((op.start, at));
    }
}

/// Judges calls in the order of their invocations; `None` if the set is read whole, or an element added or
/// removed twice.
pub fn check(ops: &[Op<Call>]) -> Option<Result<(), Clash>> {
    let named = ops.iter().filter_map(|op| match op.call {
        Call::Add(value) | Call::Remove(value) | Call::Contains(value, _) => Some(value),
        Call::Read(_) => None,
    });
    let mut numbers = Dense::of(named);
    let mut stories: Vec<Story> = Vec::new();
    for (at, op) in (0..).zip(ops) {
        let (Call::Add(value) | Call::Remove(value) | Call::Contains(value, _)) = op.call else {
            return None;
        };
        let story = story(&mut numbers, &mut stories, value);
        match op.call {
            Call::Add(_) if story.add == NONE => story.add = at,
            Call::Remove(_) if story.remove == NONE => story.remove = at,
            Call::Contains(_, true) => story.found.add(at, op),
            Call::Contains(_, false) => story.not_found.add(at, op),
            _ => return None,
        }
    }
    let strays = strays(ops, &numbers, &stories);
    let bad = stories.iter().zip(strays).find(|(story, stray)| !story.fits(ops, *stray));
    Some(bad.map_or(Ok(()), |(story, stray)| Err(story.clash(stray))))
}

fn story<'a>(numbers: &mut Dense, stories: &'a mut Vec<Story>, value: Datum) -> &'a mut Story {
    let mut number = numbers.get(value);
    if number == NONE {
        number = stories.len() as u32;
        numbers.set(value, number);
        let (add, remove) = (NONE, NONE);
        stories.push(Story { value, add, remove, found: NO_CALLS, not_found: NO_CALLS });
    }
    &mut stories[number as usize]
}

/// Of each element, a call that did not find it and lies wholly between the first end and the last
/// start of those that need it in; [`NONE`] if there is none.
fn strays(ops: &[Op<Call>], numbers: &Dense, stories: &[Story]) -> Vec<At> {
    let stays: Vec<(Point, Point)> = stories.iter().map(|story| story.stay(ops)).collect();
    let mut strays = vec![NONE; stories.len()];
    for (at, op) in (0..).zip(ops) {
        if let Call::Contains(value, false) = op.call {
            let number = numbers.get(value) as usize;
            let (from, until) = stays[number];
            if from < op.start && op.end < until {
                strays[number] = at;
            }
        }
    }
    strays
}

impl Story {
    /// From when to when it is in for sure, if it is added and then removed.
    fn stay(&self, ops: &[Op<Call>]) -> (Point, Point) {
        let (Some(add), Some(remove)) = (self.call(ops, self.add), self.call(ops, self.remove))
        else {
            return (NEVER, 0);
        };
        let from = add.end.min(remove.end).min(self.found.first_end.0);
        (from, remove.start.max(add.start).max(self.found.last_start.0))
    }

    fn fits(&self, ops: &[Op<Call>], stray: At) -> bool {
        let (add, remove) = (self.call(ops, self.add), self.call(ops, self.remove));
        let found = self.found.last_start.1 != NONE;
        let Some(add) = add else { return !found };
        if add.crashed() && !found {
            return true;
        }
        // It came in for good, after everyone who did not find it and after a remove that did nothing.
        let before = remove.filter(|remove| !remove.crashed()).map_or(0, |remove| remove.start);
        let from = add.start.max(self.not_found.last_start.0).max(before);
        if from < add.end.min(self.found.first_end.0) {
            return true;
        }
        let Some(remove) = remove else { return false };
        let begun = add.start < self.found.first_end.0.min(remove.end);
        begun && self.found.last_start.0 < remove.end && stray == NONE
    }

    fn call<'a>(&self, ops: &'a [Op<Call>], at: At) -> Option<&'a Op<Call>> {
        ops.get(at as usize)
    }

    fn clash(&self, stray: At) -> Clash {
        let seen = self.found.first_end.1;
        if self.add == NONE {
            return Clash::Unexpected { value: self.value, seen };
        }
        let told = [self.found.last_start.1, self.not_found.last_start.1, stray];
        let mut calls = vec![self.add, self.remove, seen];
        calls.extend(told);
        calls.retain(|&at| at != NONE);
        calls.sort_unstable();
        calls.dedup();
        Clash::Element { value: self.value, calls }
    }
}
