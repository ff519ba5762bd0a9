//! Registers with few values, queues whose values repeat, sets, and a bag that may choose.
#![allow(refining_impl_trait, reason = "what a step returns is written out")]

use std::collections::{BTreeSet, VecDeque};

use tribunal_checkers::linearizability::model::Model;
use tribunal_history::Operation;

use super::Subject;
use crate::oracle::Draw;

/// A compare-and-set register of a few values.
pub struct Register(pub u64);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Access {
    Read(u64),
    Write(u64),
    Cas(u64, u64),
    Differs(u64),
}

impl Model for Register {
    type Call = Access;
    type State = u64;

    fn init(&self) -> u64 {
        0
    }

    fn step(&self, &held: &u64, call: &Access) -> Option<u64> {
        match *call {
            Access::Read(value) => (held == value).then_some(held),
            Access::Write(value) => Some(value),
            Access::Cas(old, new) => (held == old).then_some(new),
            Access::Differs(old) => (held != old).then_some(held),
        }
    }

    fn looks(&self, call: &Access) -> bool {
        matches!(call, Access::Read(_) | Access::Differs(_))
    }

    fn call(&self, _: &Operation) -> Result<Option<Access>, String> {
        unreachable!("calls are drawn")
    }
}

impl Subject for Register {
    fn draw(&self, draw: &mut Draw) -> Access {
        let (old, new) = (draw.below(self.0), draw.below(self.0));
        match draw.below(4) {
            0 | 1 => Access::Read(0),
            2 => Access::Write(new),
            _ => Access::Cas(old, new),
        }
    }

    fn answer(&self, draw: &mut Draw, call: &Access, &held: &u64) -> Access {
        let found = if draw.one_in(6) { draw.below(self.0) } else { held };
        match *call {
            Access::Read(_) => Access::Read(found),
            Access::Cas(old, _) if old != found => Access::Differs(old),
            call => call,
        }
    }
}

/// A queue whose values repeat.
pub struct Queue(pub u64);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Line {
    Enqueue(u64),
    /// What came out; nobody knows, or it was empty.
    Dequeue(Option<Option<u64>>),
}

impl Model for Queue {
    type Call = Line;
    type State = VecDeque<u64>;

    fn init(&self) -> VecDeque<u64> {
        VecDeque::new()
    }

    fn step(&self, state: &VecDeque<u64>, call: &Line) -> Option<VecDeque<u64>> {
        let mut state = state.clone();
        match *call {
            Line::Enqueue(value) => state.push_back(value),
            Line::Dequeue(told) => {
                let found = state.pop_front();
                if told.is_some_and(|told| told != found) {
                    return None;
                }
            }
        }
        Some(state)
    }

    fn call(&self, _: &Operation) -> Result<Option<Line>, String> {
        unreachable!("calls are drawn")
    }
}

impl Subject for Queue {
    fn draw(&self, draw: &mut Draw) -> Line {
        match draw.one_in(2) {
            true => Line::Enqueue(draw.below(self.0)),
            false => Line::Dequeue(None),
        }
    }

    fn answer(&self, draw: &mut Draw, call: &Line, state: &VecDeque<u64>) -> Line {
        match call {
            Line::Dequeue(_) if draw.one_in(8) => Line::Dequeue(Some(Some(draw.below(self.0)))),
            Line::Dequeue(_) => Line::Dequeue(Some(state.front().copied())),
            &enqueue => enqueue,
        }
    }
}

/// A set; adding and removing tell whether they changed it.
pub struct Set(pub u64);

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Membership {
    Add(u64, Option<bool>),
    Remove(u64, Option<bool>),
    Has(u64, bool),
    All(BTreeSet<u64>),
}

impl Model for Set {
    type Call = Membership;
    type State = BTreeSet<u64>;

    fn init(&self) -> BTreeSet<u64> {
        BTreeSet::new()
    }

    fn step(&self, state: &BTreeSet<u64>, call: &Membership) -> Option<BTreeSet<u64>> {
        let mut after = state.clone();
        let right = match call {
            &Membership::Add(value, told) => {
                let new = after.insert(value);
                told.is_none_or(|told| told == new)
            }
            Membership::Remove(value, told) => {
                let was = after.remove(value);
                told.is_none_or(|told| told == was)
            }
            Membership::Has(value, told) => state.contains(value) == *told,
            Membership::All(all) => all == state,
        };
        right.then_some(after)
    }

    // `Has` is left to the general way on purpose.
    fn looks(&self, call: &Membership) -> bool {
        matches!(call, Membership::All(_))
    }

    fn call(&self, _: &Operation) -> Result<Option<Membership>, String> {
        unreachable!("calls are drawn")
    }
}

impl Subject for Set {
    fn draw(&self, draw: &mut Draw) -> Membership {
        let value = draw.below(self.0);
        match draw.below(6) {
            0 | 1 => Membership::Add(value, None),
            2 | 3 => Membership::Remove(value, None),
            4 => Membership::Has(value, false),
            _ => Membership::All(BTreeSet::new()),
        }
    }

    fn answer(&self, draw: &mut Draw, call: &Membership, state: &BTreeSet<u64>) -> Membership {
        let lie = draw.one_in(8);
        let tells = !draw.one_in(3);
        match *call {
            Membership::Add(value, _) => {
                Membership::Add(value, tells.then_some(!state.contains(&value) ^ lie))
            }
            Membership::Remove(value, _) => {
                Membership::Remove(value, tells.then_some(state.contains(&value) ^ lie))
            }
            Membership::Has(value, _) => Membership::Has(value, state.contains(&value) ^ lie),
            Membership::All(_) => {
                let mut all = state.clone();
                if lie && !all.remove(&draw.below(self.0)) {
                    all.insert(draw.below(self.0));
                }
                Membership::All(all)
            }
        }
    }
}

/// A bag that gives out what it likes, and may lose what a flush does not keep.
pub struct Bag(pub u64);

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Chance {
    Put(u64),
    /// Some element; nobody knows which.
    Take(Option<u64>),
    /// It may be dropped, all of it.
    Flush,
    Size(usize),
}

impl Model for Bag {
    type Call = Chance;
    type State = Vec<u64>;

    fn init(&self) -> Vec<u64> {
        Vec::new()
    }

    fn step(&self, state: &Vec<u64>, call: &Chance) -> Vec<Vec<u64>> {
        let without = |at: usize| {
            let mut state = state.clone();
            state.remove(at);
            state
        };
        match *call {
            Chance::Put(value) => {
                let mut state = state.clone();
                state.insert(state.partition_point(|&other| other < value), value);
                vec![state]
            }
            Chance::Take(told) => {
                let may = |&at: &usize| told.is_none_or(|told| told == state[at]);
                (0..state.len()).filter(may).map(without).collect()
            }
            Chance::Flush => vec![state.clone(), Vec::new()],
            Chance::Size(told) => {
                if told == state.len() {
                    vec![state.clone()]
                } else {
                    Vec::new()
                }
            }
        }
    }

    fn looks(&self, call: &Chance) -> bool {
        matches!(call, Chance::Size(_))
    }

    fn call(&self, _: &Operation) -> Result<Option<Chance>, String> {
        unreachable!("calls are drawn")
    }
}

impl Subject for Bag {
    fn draw(&self, draw: &mut Draw) -> Chance {
        match draw.below(8) {
            0..=2 => Chance::Put(draw.below(self.0)),
            3..=5 => Chance::Take(None),
            6 => Chance::Flush,
            _ => Chance::Size(0),
        }
    }

    fn answer(&self, draw: &mut Draw, call: &Chance, state: &Vec<u64>) -> Chance {
        match *call {
            Chance::Take(_) if state.is_empty() || draw.one_in(8) => {
                Chance::Take(Some(draw.below(self.0)))
            }
            Chance::Take(_) => Chance::Take(Some(state[draw.below(state.len() as u64) as usize])),
            Chance::Size(_) => Chance::Size(state.len() + usize::from(draw.one_in(8))),
            call => call,
        }
    }
}
