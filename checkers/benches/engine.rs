//! How fast the general search is: simulated compare-and-set registers, judged in
//! memory without parsing, and a queue that takes and gives.

use std::collections::VecDeque;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tribunal_checkers::linearizability::engine::{self, Budget, Outcome};
use tribunal_checkers::linearizability::model::{Model, NEVER, Op};
use tribunal_history::Operation;

/// A linear congruential generator (Knuth's MMIX constants): enough to vary a load.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }
}

struct Register;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Access {
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

    fn step(&self, &held: &u64, call: &Access) -> impl IntoIterator<Item = u64> {
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
        unreachable!("calls are simulated")
    }
}

struct Queue;

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Line {
    Enqueue(u64),
    Dequeue(Option<u64>),
}

impl Model for Queue {
    type Call = Line;
    type State = VecDeque<u64>;

    fn init(&self) -> VecDeque<u64> {
        VecDeque::new()
    }

    fn step(&self, state: &VecDeque<u64>, call: &Line) -> impl IntoIterator<Item = VecDeque<u64>> {
        let mut state = state.clone();
        match *call {
            Line::Enqueue(value) => state.push_back(value),
            Line::Dequeue(found) => {
                if state.pop_front() != found {
                    return None;
                }
            }
        }
        Some(state)
    }

    fn call(&self, _: &Operation) -> Result<Option<Line>, String> {
        unreachable!("calls are simulated")
    }
}

/// What clients do to an object.
struct Load {
    calls: u32,
    clients: usize,
    /// How many calls never return; half of them take effect.
    crashed: u32,
}

/// A linearizable history: clients call, the object answers, clients hear of it.
fn simulate<C: Copy, S>(
    load: &Load,
    mut state: S,
    mut ask: impl FnMut(&mut Draw, &S) -> C,
    answer: impl Fn(C, &mut S) -> C,
) -> Vec<Op<C>> {
    let mut draw = Draw(42);
    // Each client's call, and whether the object has answered.
    let mut open: Vec<Option<(usize, bool)>> = vec![None; load.clients];
    let (mut ops, mut at): (Vec<Op<C>>, u32) = (Vec::new(), 0);
    let every = load.calls.checked_div(load.crashed).unwrap_or(u32::MAX);
    while ops.len() < load.calls as usize || open.iter().any(Option::is_some) {
        at += 1;
        let client = draw.below(load.clients as u64) as usize;
        let Some((number, answered)) = open[client].take() else {
            if ops.len() < load.calls as usize {
                let number = ops.len() as u32;
                open[client] = Some((ops.len(), false));
                ops.push(Op { call: ask(&mut draw, &state), start: at, end: NEVER, number });
            }
            continue;
        };
        let crashes = number as u32 % every == every - 1;
        match answered {
            false if crashes && draw.below(2) == 0 => {}
            false => {
                let call = answer(ops[number].call, &mut state);
                if !crashes {
                    (ops[number].call, open[client]) = (call, Some((number, true)));
                }
            }
            true => ops[number].end = at,
        }
    }
    ops
}

fn register(load: &Load, values: Option<u64>) -> Vec<Op<Access>> {
    let mut last = 0;
    let ask = |draw: &mut Draw, &held: &u64| {
        last += 1;
        let new = values.map_or(last, |values| draw.below(values));
        let old = values.map_or(held, |values| draw.below(values));
        match draw.below(3) {
            0 => Access::Read(0),
            1 => Access::Write(new),
            _ => Access::Cas(old, new),
        }
    };
    simulate(load, 0, ask, |call, held: &mut u64| match call {
        Access::Read(_) => Access::Read(*held),
        Access::Cas(old, _) if old != *held => Access::Differs(old),
        Access::Write(new) | Access::Cas(_, new) => {
            *held = new;
            call
        }
        differs => differs,
    })
}

fn queue(load: &Load) -> Vec<Op<Line>> {
    let ask = |draw: &mut Draw, state: &VecDeque<u64>| match state.len() as u64 + draw.below(8) {
        0..8 => Line::Enqueue(draw.below(5)),
        _ => Line::Dequeue(None),
    };
    simulate(load, VecDeque::new(), ask, |call, state| match call {
        Line::Dequeue(_) => Line::Dequeue(state.pop_front()),
        Line::Enqueue(value) => {
            state.push_back(value);
            call
        }
    })
}

fn load(calls: u32, clients: usize, crashed: u32) -> Load {
    Load { calls, clients, crashed }
}

fn bench<M: Model>(criterion: &mut Criterion, name: &str, model: &M, ops: &[Op<M::Call>]) {
    let outcome = engine::search(model, ops, &Budget::default());
    println!("{name}: {}", told(&outcome));
    let mut group = criterion.benchmark_group("engine");
    group.sample_size(10);
    group.throughput(Throughput::Elements(ops.len() as u64));
    group.bench_function(BenchmarkId::from_parameter(name), |bench| {
        bench.iter(|| engine::search(model, black_box(ops), &Budget::default()));
    });
}

fn told<S>(outcome: &Outcome<S>) -> String {
    match outcome {
        Outcome::Linearizable { steps } => format!("linearizable in {steps} steps"),
        Outcome::Stuck(stuck) => format!(
            "stuck after {} returns in {} steps, witness of {:?} calls",
            stuck.returned,
            stuck.steps,
            stuck.witness.as_ref().map(|witness| witness.calls.len()),
        ),
        Outcome::Exhausted { returned, .. } => format!("out of budget after {returned} returns"),
        Outcome::TooWide { .. } => "too wide".to_owned(),
    }
}

fn all(criterion: &mut Criterion) {
    let five = |calls, clients, crashed| register(&load(calls, clients, crashed), Some(5));
    bench(criterion, "cas, 5 values, 10k", &Register, &five(10_000, 10, 0));
    bench(criterion, "cas, 5 values, 100k", &Register, &five(100_000, 10, 0));
    bench(criterion, "cas, 5 values, 10k, 10 crashed", &Register, &five(10_000, 10, 10));
    bench(criterion, "cas, 5 values, 10k, 30 crashed", &Register, &five(10_000, 10, 30));
    let mut stale = five(10_000, 10, 0);
    break_one(&mut stale);
    bench(criterion, "cas, 5 values, 10k, one wrong answer", &Register, &stale);
    let unique = register(&load(100_000, 10, 0), None);
    bench(criterion, "cas, unique values, 100k", &Register, &unique);
    bench(criterion, "queue, 5 values, 100k", &Queue, &queue(&load(100_000, 10, 0)));
    bench(criterion, "queue, 5 values, 10k, 10 crashed", &Queue, &queue(&load(10_000, 10, 10)));
}

/// Makes a read in the middle return what the register did not hold, in any order.
fn break_one(ops: &mut [Op<Access>]) {
    for at in ops.len() / 2..ops.len() {
        if let Access::Read(right) = ops[at].call {
            for wrong in (0..5).filter(|&wrong| wrong != right) {
                ops[at].call = Access::Read(wrong);
                let outcome = engine::search(&Register, ops, &Budget::default());
                if matches!(outcome, Outcome::Stuck(_)) {
                    return;
                }
            }
            ops[at].call = Access::Read(right);
        }
    }
    unreachable!("some wrong answer is found out");
}

criterion_group!(benches, all);
criterion_main!(benches);
