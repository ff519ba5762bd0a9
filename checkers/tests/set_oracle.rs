//! Sets against brute force, on random small histories.
//!
//! A history is judged on its typed calls; the brute force has its own set and tries every
//! order. Whatever is convicted must stay wrong when only the calls of its witness are left.
//!
//! ```text
//! ORACLE_HISTORIES=1000000 cargo test -p tribunal-checkers --test set_oracle -- --nocapture
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test set_oracle
//! ```

mod oracle;
mod searched;

use std::collections::BTreeSet;

use oracle::{Draw, Outcome, Slot, Timed, linearizable, seeds, slots};
use tribunal_checkers::linearizability::model::Op;
use tribunal_checkers::linearizability::set::{Call, Clash, GrowOnlySet, Set, element, grow};
use tribunal_history::Datum;

/// What the set holds afterwards, if the call can have gone so.
fn step(held: &BTreeSet<Datum>, call: &Call) -> Vec<BTreeSet<Datum>> {
    let mut after = held.clone();
    let right = match call {
        Call::Add(value) => {
            after.insert(*value);
            true
        }
        Call::Remove(value) => {
            after.remove(value);
            true
        }
        Call::Contains(value, found) => held.contains(value) == *found,
        Call::Read(elements) => held.iter().eq(elements.iter()),
    };
    if right { vec![after] } else { Vec::new() }
}

fn truth(ops: &[Op<Call>]) -> bool {
    let timed = |op: &Op<Call>| Timed { call: op.call.clone(), start: op.start, end: op.end };
    linearizable(&ops.iter().map(timed).collect::<Vec<_>>(), BTreeSet::new(), &step)
}

/// What a random history may hold.
#[derive(Clone, Copy)]
struct Shape {
    calls: u64,
    /// Of twelve calls, how many have an unknown outcome.
    crashed: u64,
    /// Of twelve calls, how many read the whole set.
    reads: u64,
    /// Of the others, how many of twelve ask for one element.
    asks: u64,
    removes: bool,
    /// Whether elements are added again.
    repeats: bool,
    /// One answer in so many is wrong.
    right: u64,
}

fn ops(draw: &mut Draw, shape: Shape) -> Vec<Op<Call>> {
    let mut drawn = Drawn { held: BTreeSet::new(), known: Vec::new(), removed: BTreeSet::new() };
    let mut ops = Vec::new();
    for slot in slots(draw, shape.calls, shape.crashed) {
        let Some(call) = drawn.call(draw, shape, slot) else { continue };
        let number = ops.len() as u32;
        ops.push(Op { call, start: slot.start, end: slot.deadline(), number });
    }
    ops.sort_by_key(|op| op.start);
    ops
}

struct Drawn {
    held: BTreeSet<Datum>,
    known: Vec<Datum>,
    removed: BTreeSet<Datum>,
}

impl Drawn {
    fn call(&mut self, draw: &mut Draw, shape: Shape, slot: Slot) -> Option<Call> {
        let ok = slot.outcome == Outcome::Ok;
        let happens = match slot.outcome {
            Outcome::Ok => !draw.one_in(shape.right),
            Outcome::Fail => false,
            Outcome::Info | Outcome::Open => draw.one_in(2),
        };
        if draw.below(12) < shape.reads {
            let mut seen = self.held.clone();
            if draw.one_in(shape.right) {
                seen.pop_last();
            }
            if draw.one_in(shape.right) {
                seen.extend(self.known.last());
            }
            return ok.then(|| Call::read(seen));
        }
        if draw.below(12) < shape.asks {
            let value = match shape.removes && draw.one_in(4) || self.known.is_empty() {
                true => datum(1 + draw.below(4)),
                false => self.known[draw.below(self.known.len() as u64) as usize],
            };
            let found = self.held.contains(&value) != draw.one_in(shape.right);
            return ok.then_some(Call::Contains(value, found));
        }
        if shape.removes && draw.one_in(2) {
            let value = datum(1 + draw.below(self.known.len() as u64 + 1));
            if !self.removed.insert(value) {
                return None;
            }
            if happens {
                self.held.remove(&value);
            }
            return (slot.outcome != Outcome::Fail).then_some(Call::Remove(value));
        }
        let again = shape.repeats && draw.one_in(2) && !self.known.is_empty();
        let value = match again {
            true => self.known[draw.below(self.known.len() as u64) as usize],
            false => datum(self.known.len() as u64 + 1),
        };
        if !again {
            self.known.push(value);
        }
        if happens {
            self.held.insert(value);
        }
        (slot.outcome != Outcome::Fail).then_some(Call::Add(value))
    }
}

fn datum(value: u64) -> Datum {
    Datum::int(value as i64).expect("small")
}

/// The calls of a witness. A read speaks of the elements that the witness adds, and of one that nobody added.
fn witness(ops: &[Op<Call>], clash: &Clash) -> Vec<Op<Call>> {
    let chosen: Vec<Op<Call>> = clash.calls().iter().map(|&at| ops[at as usize].clone()).collect();
    let added = |ops: &[Op<Call>], value: Datum| {
        ops.iter().any(|op| matches!(op.call, Call::Add(added) if added == value))
    };
    let counts = |value: &Datum| added(&chosen, *value) || !added(ops, *value);
    let told = |op: &Op<Call>| match &op.call {
        Call::Read(values) => {
            Op { call: Call::read(values.iter().copied().filter(counts)), ..op.clone() }
        }
        _ => op.clone(),
    };
    chosen.iter().map(told).collect()
}

type Judge = fn(&[Op<Call>]) -> Option<Result<(), Clash>>;

/// Judges random histories and compares.
fn compare(name: &str, shape: Shape, judge: Judge) {
    let (mut good, mut bad, mut widest) = (0_u64, 0_u64, 0);
    for seed in seeds() {
        let ops = ops(&mut Draw(seed), shape);
        let truth = truth(&ops);
        let told = || format!("{name}, seed {seed}: the oracle says {truth}\n{ops:#?}");
        match judge(&ops).expect("decides") {
            Ok(()) => assert!(truth, "{}", told()),
            Err(clash) => {
                assert!(!truth, "{clash:?}\n{}", told());
                let witness = witness(&ops, &clash);
                assert!(!self::truth(&witness), "{clash:?}\n{}", told());
                widest = widest.max(witness.len());
            }
        }
        *(if truth { &mut good } else { &mut bad }) += 1;
    }
    let all = good + bad;
    println!(
        "{name}: {good} linearizable, {bad} not, 0 mismatches; witnesses of at most {widest} calls"
    );
    if all > 1_000 {
        assert!(good > all / 10 && bad > all / 10, "{name}: {good} to {bad} is one-sided");
    }
}

const READS: Shape =
    Shape { calls: 10, crashed: 2, reads: 5, asks: 0, removes: false, repeats: false, right: 8 };

#[test]
fn grow_only_sets_agree() {
    compare("grow-only set", READS, grow::check);
    compare("grow-only set, many crashes", Shape { crashed: 5, right: 5, ..READS }, grow::check);
    compare("grow-only set with contains", Shape { asks: 5, ..READS }, grow::check);
    let repeats = Shape { asks: 3, repeats: true, ..READS };
    compare("grow-only set, elements added again", repeats, grow::check);
}

#[test]
fn elements_agree() {
    let elements = Shape { reads: 0, asks: 7, removes: true, right: 10, ..READS };
    compare("set with remove", elements, element::check);
    compare("set with remove, many crashes", Shape { crashed: 4, ..elements }, element::check);
}

#[test]
fn fourteen_calls_agree() {
    compare("grow-only set of 14", Shape { calls: 14, ..READS }, grow::check);
    let elements = Shape { calls: 14, reads: 0, asks: 7, removes: true, right: 10, ..READS };
    compare("set with remove of 14", elements, element::check);
}

#[test]
fn the_search_agrees() {
    let reads = Shape { calls: searched::CALLS, ..READS };
    searched::compare("grow-only set", &GrowOnlySet, |draw| ops(draw, reads), grow::check);
    let asks = Shape { asks: 3, repeats: true, ..reads };
    searched::compare("grow-only set, more", &GrowOnlySet, |draw| ops(draw, asks), grow::check);
    let elements = Shape { reads: 0, asks: 7, removes: true, right: 10, ..reads };
    searched::compare("set with remove", &Set, |draw| ops(draw, elements), element::check);
}

#[test]
fn what_cannot_be_told_apart_is_left_to_the_search() {
    let call = |call, start| Op { call, start, end: start + 1, number: start };
    let (add, remove) = (Call::Add(datum(1)), Call::Remove(datum(1)));
    let twice = [call(add.clone(), 1), call(remove.clone(), 3), call(add.clone(), 5)];
    assert!(element::check(&twice).is_none() && grow::check(&twice).is_none());
    let read = [call(add, 1), call(remove, 3), call(Call::read([]), 5)];
    assert!(element::check(&read).is_none() && grow::check(&read).is_none());
}
