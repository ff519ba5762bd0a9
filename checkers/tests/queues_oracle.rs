//! Queues, stacks and priority queues against brute force, on random small histories.
//!
//! A history is judged on its typed calls; the brute force has its own objects
//! and tries every order. Whatever is convicted must stay wrong when only the
//! calls of its witness are left. The long run, and one history again:
//!
//! ```text
//! ORACLE_HISTORIES=1000000 cargo test -p tribunal-checkers --test queues_oracle -- --nocapture
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test queues_oracle fifo
//! ```

mod oracle;
mod searched;

use std::sync::Arc;

use oracle::{Draw, NEVER, Outcome, Slot, Timed, linearizable, seeds, slots};
use tribunal_checkers::linearizability::model::{Model, Op};
use tribunal_checkers::linearizability::priority::{self, PriorityQueue};
use tribunal_checkers::linearizability::queue::{
    Call, Clash, FifoQueue, UnorderedQueue, bag, drains, fifo,
};
use tribunal_checkers::linearizability::stack::{self, Stack};
use tribunal_history::Datum;

/// Which value comes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    First,
    Any,
    Last,
    Highest,
}

/// A call as the brute force knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Did {
    Put(i64),
    Took(i64),
    Empty,
    Take,
}

/// What a kind of queue may hold afterwards; it holds values in the order of their puts.
fn step(kind: Kind, held: &[i64], did: &Did) -> Vec<Vec<i64>> {
    let without = |at: usize| [&held[..at], &held[at + 1..]].concat();
    let outs: Vec<usize> = match kind {
        _ if held.is_empty() => vec![],
        Kind::First => vec![0],
        Kind::Any => (0..held.len()).collect(),
        Kind::Last => vec![held.len() - 1],
        Kind::Highest => {
            held.iter().max().and_then(|m| held.iter().position(|v| v == m)).into_iter().collect()
        }
    };
    match did {
        Did::Put(value) => vec![[held, &[*value]].concat()],
        Did::Took(value) => {
            outs.into_iter().filter(|&at| held[at] == *value).map(without).collect()
        }
        Did::Empty if held.is_empty() => vec![vec![]],
        Did::Empty => vec![],
        Did::Take if held.is_empty() => vec![vec![]],
        Did::Take => outs.into_iter().map(without).collect(),
    }
}

/// The order is kept only where it matters, so that equal contents are equal.
fn shelved(kind: Kind, mut held: Vec<i64>) -> Vec<i64> {
    if matches!(kind, Kind::Any | Kind::Highest) {
        held.sort_unstable();
    }
    held
}

fn truth(kind: Kind, ops: &[Op<Call>]) -> bool {
    let timed: Vec<Timed<Did>> = ops.iter().flat_map(|op| parts(op, ops.len())).collect();
    linearizable(&timed, Vec::new(), &|held: &Vec<i64>, did| {
        step(kind, held, did).into_iter().map(|held| shelved(kind, held)).collect()
    })
}

/// What a call stands for: a drain is takes and an empty answer, or as many takes as there may be values.
fn parts(op: &Op<Call>, most: usize) -> Vec<Timed<Did>> {
    let number = |value: Datum| value.as_i64().expect("values are numbers");
    let parts = match &op.call {
        Call::Put(value) => vec![Did::Put(number(*value))],
        Call::Took(value) => vec![Did::Took(number(*value))],
        Call::Empty => vec![Did::Empty],
        Call::Take => vec![Did::Take],
        Call::Drain(None) => vec![Did::Take; most],
        Call::Drain(Some(values)) => {
            values.iter().map(|&value| Did::Took(number(value))).chain([Did::Empty]).collect()
        }
    };
    parts.into_iter().map(|call| Timed { call, start: op.start, end: op.end }).collect()
}

/// What a random history may hold.
#[derive(Clone, Copy)]
struct Shape {
    kind: Kind,
    calls: u64,
    /// Of twelve calls, how many have an unknown outcome.
    crashed: u64,
    /// Whether puts alone can crash.
    puts_only: bool,
    /// Whether an empty object says so.
    empties: bool,
    drains: bool,
    /// One call in so many goes wrong.
    right: u64,
}

fn ops(draw: &mut Draw, shape: Shape) -> Vec<Op<Call>> {
    let mut values: Vec<i64> = (1..=16).collect();
    (1..values.len()).rev().for_each(|at| values.swap(at, draw.below(at as u64 + 1) as usize));
    let (mut held, mut known) = (Vec::new(), Vec::new());
    let mut ops = Vec::new();
    for slot in slots(draw, shape.calls, shape.crashed) {
        let Some(call) = call(draw, shape, slot, &mut held, &mut values, &mut known) else {
            continue;
        };
        let number = ops.len() as u32;
        ops.push(Op { call, start: slot.start, end: slot.deadline(), number });
    }
    ops.sort_by_key(|op| op.start);
    ops
}

fn call(
    draw: &mut Draw,
    shape: Shape,
    slot: Slot,
    held: &mut Vec<i64>,
    fresh: &mut Vec<i64>,
    known: &mut Vec<i64>,
) -> Option<Call> {
    let ok = slot.outcome == Outcome::Ok;
    let happens = match slot.outcome {
        Outcome::Ok => !draw.one_in(shape.right),
        Outcome::Fail => false,
        Outcome::Info | Outcome::Open => draw.one_in(2),
    };
    let datum = |value| Datum::int(value).expect("small");
    let puts = draw.one_in(2) || held.is_empty() && !(shape.empties && draw.one_in(2));
    if puts || !ok && shape.puts_only {
        let value = fresh.pop()?;
        known.push(value);
        if happens {
            held.push(value);
        }
        return (slot.outcome != Outcome::Fail).then(|| Call::Put(datum(value)));
    }
    if shape.drains && draw.one_in(4) {
        let all: Arc<[Datum]> = held.iter().map(|&value| datum(value)).collect();
        if happens {
            held.clear();
        }
        return (slot.outcome != Outcome::Fail).then(|| Call::Drain(ok.then_some(all)));
    }
    let next = step(shape.kind, held, &Did::Take);
    let after = next[draw.below(next.len() as u64) as usize].clone();
    let took = held.iter().find(|value| !after.contains(value)).copied();
    if happens {
        *held = after;
    }
    match (slot.outcome, took) {
        (Outcome::Fail, _) => None,
        (Outcome::Info | Outcome::Open, _) => Some(Call::Take),
        _ if draw.one_in(shape.right) && !known.is_empty() => {
            Some(Call::Took(datum(known[draw.below(known.len() as u64) as usize])))
        }
        (_, None) if shape.empties => Some(Call::Empty),
        (_, None) => None,
        (_, Some(_)) if shape.empties && draw.one_in(12) => Some(Call::Empty),
        (_, Some(value)) => Some(Call::Took(datum(value))),
    }
}

type Judge = fn(&[Op<Call>]) -> Option<Result<(), Clash>>;

/// Judges random histories and compares; of a hundred, `abstain` may be left undecided.
fn compare(name: &str, shape: Shape, judge: Judge, abstain: u64) {
    let (mut good, mut bad, mut left, mut widest) = (0_u64, 0_u64, 0_u64, 0);
    for seed in seeds() {
        let recorded = ops(&mut Draw(seed), shape);
        let ops = drains::expand(recorded.clone());
        let truth = truth(shape.kind, &recorded);
        let told = || format!("{name}, seed {seed}: the oracle says {truth}\n{recorded:#?}");
        match judge(&ops) {
            None => left += 1,
            Some(Ok(())) => assert!(truth, "{}", told()),
            Some(Err(clash)) => {
                assert!(!truth, "{clash:?}\n{}", told());
                let witness: Vec<Op<Call>> =
                    clash.calls().iter().map(|&at| ops[at as usize].clone()).collect();
                assert!(!self::truth(shape.kind, &witness), "{clash:?}\n{}", told());
                widest = widest.max(witness.len());
            }
        }
        *(if truth { &mut good } else { &mut bad }) += 1;
    }
    let all = good + bad;
    println!(
        "{name}: {good} linearizable, {bad} not, 0 mismatches; {left} left to the search; \
         witnesses of at most {widest} calls"
    );
    if all > 1_000 {
        assert!(good > all / 10 && bad > all / 10, "{name}: {good} to {bad} is one-sided");
        assert!(left * 100 <= abstain * all, "{name}: {left} of {all} undecided");
    }
}

const PLAIN: Shape = Shape {
    kind: Kind::First,
    calls: 10,
    crashed: 2,
    puts_only: false,
    empties: true,
    drains: false,
    right: 8,
};

/// Each of the ways in which a kind of queue can be called.
fn compare_all(name: &str, kind: Kind, judge: Judge, abstain: u64) {
    let plain = Shape { kind, ..PLAIN };
    compare(name, plain, judge, abstain);
    let puts_only = Shape { puts_only: true, ..plain };
    compare(&format!("{name}, no take crashes"), puts_only, judge, 0);
    compare(&format!("{name}, never empty"), Shape { empties: false, ..plain }, judge, abstain);
    compare(
        &format!("{name}, many crashes"),
        Shape { crashed: 4, right: 5, ..plain },
        judge,
        2 * abstain,
    );
    let drains = Shape { drains: true, calls: 7, right: 5, ..plain };
    compare(&format!("{name}, with drains"), drains, judge, abstain);
}

#[test]
fn fifo_agrees() {
    compare_all("fifo", Kind::First, fifo::check, 0);
}

#[test]
fn bag_agrees() {
    compare_all("bag", Kind::Any, bag::check, 0);
}

#[test]
fn stack_agrees() {
    compare_all("stack", Kind::Last, stack::check, 20);
}

#[test]
fn priority_agrees() {
    compare_all("priority queue", Kind::Highest, priority::check, 20);
}

#[test]
fn fourteen_calls_agree() {
    let longer = |kind| Shape { kind, calls: 14, ..PLAIN };
    compare("fifo of 14", longer(Kind::First), fifo::check, 0);
    compare("bag of 14", longer(Kind::Any), bag::check, 0);
    compare("stack of 14", longer(Kind::Last), stack::check, 30);
    compare("priority queue of 14", longer(Kind::Highest), priority::check, 30);
}

#[test]
fn the_search_agrees() {
    fn agrees(name: &str, kind: Kind, model: &impl Model<Call = Call>, judge: Judge) {
        let shape = Shape { kind, calls: searched::CALLS, ..PLAIN };
        searched::compare(name, model, |draw| ops(draw, shape), judge);
        let drains = Shape { drains: true, calls: 9, right: 5, ..shape };
        let draw = |draw: &mut Draw| drains::expand(ops(draw, drains));
        searched::compare(&format!("{name} with drains"), model, draw, judge);
    }
    agrees("fifo", Kind::First, &FifoQueue, fifo::check);
    agrees("bag", Kind::Any, &UnorderedQueue, bag::check);
    agrees("stack", Kind::Last, &Stack, stack::check);
    agrees("priority queue", Kind::Highest, &PriorityQueue, priority::check);
}

#[test]
fn repeated_values_are_left_to_the_search() {
    let put = |start| Op {
        call: Call::Put(Datum::int(1).expect("small")),
        start,
        end: NEVER,
        number: start,
    };
    for judge in [fifo::check, bag::check, stack::check, priority::check] as [Judge; 4] {
        assert!(judge(&[put(1), put(2)]).is_none());
    }
}
