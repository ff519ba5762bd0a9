//! Sets that only grow, exactly, in time linear in the calls and in what the reads hold.
//!
//! The contents of such a set are a chain: of any two reads one holds all of the other. Reads of
//! equal contents and the adds of what is new in them follow each other in levels, in one possible order:
//! all that one level's reads saw was added before them, what they did not see after. Such an order of
//! groups fits real time iff no call of a later group ended before one of an earlier group began,
//! which one walk with a running maximum finds. Calls that ask for one element only bound when that
//! element was added, and so do repeated adds: the first to take effect is no later than the end of any.
//!
//! An `add` without an answer whose element nobody saw need not have happened.

use tribunal_history::Datum;

use super::clash::Since;
use super::{At, Call, Clash};
use crate::linearizability::dense::{Dense, NONE};
use crate::linearizability::model::{NEVER, Op, Point};

/// When an element came in.
#[derive(Clone, Copy, Debug)]
struct Element {
    value: Datum,
    /// The add that began first.
    add: At,
    /// After this moment, as a call's beginning shows.
    after: (Point, At),
    /// Before this one, as a call's end shows.
    before: (Point, At),
    /// The first level whose reads hold it.
    level: u32,
}

/// Which member of a group begins last and which ends first: a call, or an element by number.
#[derive(Clone, Copy, Debug)]
struct Group {
    last_start: (Point, u32),
    first_end: (Point, u32),
}

const NOTHING: Group = Group { last_start: (0, NONE), first_end: (NEVER, NONE) };

impl Group {
    fn add(&mut self, start: Point, end: Point, which: u32) {
        self.last_start = self.last_start.max((start, which));
        self.first_end = self.first_end.min((end, which));
    }
}

/// Judges calls in the order of their invocations; `None` if something is removed.
pub fn check(ops: &[Op<Call>]) -> Option<Result<(), Clash>> {
    if ops.iter().any(|op| matches!(op.call, Call::Remove(_))) {
        return None;
    }
    Some(Growth::of(ops).and_then(|mut growth| {
        let reads = growth.levels(ops)?;
        growth.alone(ops)?;
        growth.in_order(ops, &reads)
    }))
}

/// The elements and who saw them.
struct Growth {
    numbers: Dense,
    elements: Vec<Element>,
}

impl Growth {
    fn of(ops: &[Op<Call>]) -> Result<Self, Clash> {
        let added = ops.iter().filter_map(|op| match op.call {
            Call::Add(value) => Some(value),
            _ => None,
        });
        let mut growth = Self { numbers: Dense::of(added), elements: Vec::new() };
        for (at, op) in (0..).zip(ops) {
            let Call::Add(value) = op.call else { continue };
            match growth.elements.get_mut(growth.numbers.get(value) as usize) {
                Some(element) => element.before = element.before.min((op.end, at)),
                None => {
                    growth.numbers.set(value, growth.elements.len() as u32);
                    let (after, before) = ((op.start, at), (op.end, at));
                    growth.elements.push(Element { value, add: at, after, before, level: NONE });
                }
            }
        }
        for (at, op) in (0..).zip(ops) {
            let Call::Contains(value, found) = op.call else { continue };
            match (growth.elements.get_mut(growth.numbers.get(value) as usize), found) {
                (Some(element), true) => element.before = element.before.min((op.end, at)),
                (Some(element), false) => element.after = element.after.max((op.start, at)),
                (None, true) => return Err(Clash::Unexpected { value, seen: at }),
                (None, false) => {}
            }
        }
        Ok(growth)
    }

    /// The reads of each level, the first of which hold nothing; every element gets the level that
    /// first holds it.
    fn levels(&mut self, ops: &[Op<Call>]) -> Result<Vec<Group>, Clash> {
        let mut reads: Vec<(usize, At, &[Datum])> = Vec::new();
        for (at, op) in (0..).zip(ops) {
            if let Call::Read(values) = &op.call {
                reads.push((values.len(), at, values));
            }
        }
        reads.sort_unstable_by_key(|&(size, at, _)| (size, at));
        let (mut groups, mut seen) = (vec![NOTHING], 0);
        for (size, at, values) in reads {
            if size > seen {
                groups.push(NOTHING);
            }
            let level = groups.len() as u32 - 1;
            for &value in values {
                let number = self.numbers.get(value) as usize;
                let Some(element) = self.elements.get_mut(number) else {
                    return Err(Clash::Unexpected { value, seen: at });
                };
                if element.level == NONE {
                    (element.level, seen) = (level, seen + 1);
                }
            }
            if seen != size {
                return Err(self.fork(ops, &groups, at, values));
            }
            let op = &ops[at as usize];
            groups[level as usize].add(op.start, op.end, at);
        }
        Ok(groups)
    }

    /// A read that lacks what one before it, no larger, holds.
    fn fork(&self, ops: &[Op<Call>], groups: &[Group], at: At, values: &[Datum]) -> Clash {
        let lacks = |element: &&Element| {
            element.level != NONE && values.binary_search(&element.value).is_err()
        };
        let lost = self.elements.iter().find(lacks).expect("more was seen than it holds");
        let other = groups[lost.level as usize].last_start.1;
        let theirs: &[Datum] = match &ops[other as usize].call {
            Call::Read(values) => values,
            _ => &[],
        };
        let own = values.iter().find(|value| theirs.binary_search(value).is_err());
        let own = own.expect("it holds no less than the smaller one");
        let add = self.elements[self.numbers.get(*own) as usize].add;
        Clash::Fork { one: (at, *own, add), other: (other, lost.value, lost.add) }
    }

    /// Whether each element has a moment at which it can have come in, whatever the others did.
    fn alone(&self, ops: &[Op<Call>]) -> Result<(), Clash> {
        match self.elements.iter().find(|element| element.before.0 < element.after.0) {
            Some(element) => Err(too_early(ops, element, element.before.1)),
            None => Ok(()),
        }
    }

    /// Whether the levels can follow each other in real time.
    fn in_order(&self, ops: &[Op<Call>], reads: &[Group]) -> Result<(), Clash> {
        let elements = self.by_level(reads.len());
        let (mut element, mut read) = ((0, NONE), (0, NONE));
        for (level, group) in elements.iter().enumerate() {
            let (end, number) = group.first_end;
            if end < read.0.max(element.0) {
                let late = &self.elements[number as usize];
                let early = (read < element).then(|| &self.elements[element.1 as usize]);
                // An element of an earlier level was read, or there would be no such level.
                let lacking = early.map_or(read, |early| reads[early.level as usize].last_start).1;
                return Err(missing(late, late.before.1, lacking, early));
            }
            element = element.max(group.last_start);
            let Some(own) = reads.get(level) else { break };
            let (end, at) = own.first_end;
            if end < element.0 {
                return Err(too_early(ops, &self.elements[element.1 as usize], at));
            }
            if end < read.0 {
                let new = &self.elements[group.first_end.1 as usize];
                return Err(missing(new, at, read.1, None));
            }
            read = read.max(own.last_start);
        }
        Ok(())
    }

    /// The elements of each level; at the end those that no read saw but that were added for sure.
    fn by_level(&self, levels: usize) -> Vec<Group> {
        let mut groups = vec![NOTHING; levels + 1];
        for (number, element) in (0..).zip(&self.elements) {
            if element.level != NONE || element.before.0 != NEVER {
                let level = (element.level as usize).min(levels);
                groups[level].add(element.after.0, element.before.0, number);
            }
        }
        groups
    }
}

fn missing(late: &Element, known: At, lacking: At, early: Option<&Element>) -> Clash {
    let since =
        |early: &Element| Since { value: early.value, add: early.add, after: early.after.1 };
    let (value, add) = (late.value, late.add);
    Clash::Missing { value, add, known, lacking, since: early.map(since) }
}

/// A call that saw an element, and ended before it can have been there.
fn too_early(ops: &[Op<Call>], element: &Element, seen: At) -> Clash {
    let Element { value, add, after, .. } = *element;
    match ops[after.1 as usize].call {
        Call::Add(_) => Clash::Future { value, add, seen },
        _ => Clash::Missing { value, add, known: seen, lacking: after.1, since: None },
    }
}
