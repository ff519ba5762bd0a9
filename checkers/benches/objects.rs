//! How fast locks, counters, logs and ids are judged: calls of one object in memory.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tribunal_checkers::linearizability::lock::{self, fenced, owner, semaphore, store};
use tribunal_checkers::linearizability::model::{NEVER, Op};
use tribunal_checkers::linearizability::{counter, ids, log};
use tribunal_history::Datum;

const CLIENTS: usize = 20;
const CALLS: usize = 1_000_000;
/// One call in so many has an unknown outcome; its client goes on under a new number.
const CRASH: u64 = 100;

/// A linear congruential generator (Knuth's MMIX constants): enough to vary a load.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }
}

/// Where a client is in its call.
#[derive(Clone, Copy)]
enum Client<C> {
    Idle,
    Called { op: usize, call: C },
    Answered { op: usize },
}

/// Clients that call an object: `call` draws the next call of a process, `apply` lets it take
/// effect, or wait.
fn calls<C: Copy>(
    mut call: impl FnMut(&mut Draw, u64) -> C,
    mut apply: impl FnMut(C, bool) -> Option<C>,
) -> Vec<Op<C>> {
    let mut draw = Draw(42);
    let mut clients: Vec<Client<C>> = vec![Client::Idle; CLIENTS];
    let mut processes: Vec<u64> = (0..CLIENTS as u64).collect();
    let (mut ops, mut point, mut fresh) = (Vec::with_capacity(CALLS), 0, CLIENTS as u64);
    let mut step = |draw: &mut Draw, ops: &mut Vec<Op<C>>| {
        let at = draw.below(CLIENTS as u64) as usize;
        clients[at] = match clients[at] {
            Client::Idle if ops.len() == CALLS => {
                return clients.iter().any(|it| !matches!(it, Client::Idle));
            }
            Client::Idle => {
                point += 1;
                let call = call(draw, processes[at]);
                let number = ops.len() as u32;
                ops.push(Op { call, start: point, end: NEVER, number });
                Client::Called { op: ops.len() - 1, call }
            }
            Client::Called { op, call } if draw.below(CRASH) == 0 => {
                apply(call, true);
                (processes[at], fresh) = (fresh, fresh + 1);
                let _ = op;
                Client::Idle
            }
            Client::Called { op, call } => match apply(call, false) {
                Some(answered) => {
                    ops[op].call = answered;
                    Client::Answered { op }
                }
                None if ops.len() == CALLS => Client::Idle,
                None => Client::Called { op, call },
            },
            Client::Answered { op } => {
                point += 1;
                ops[op].end = point;
                Client::Idle
            }
        };
        true
    };
    while step(&mut draw, &mut ops) {}
    ops
}

/// Calls on a lock with so many permits. Crashed acquires do not get it.
fn lock_calls(permits: usize) -> Vec<Op<lock::Call>> {
    let holders = std::cell::RefCell::new(Vec::new());
    let token = std::cell::Cell::new(0);
    let call = |_: &mut Draw, process: u64| match holders.borrow().contains(&process) {
        true => lock::Call::Release { process },
        false => lock::Call::Acquire { process, token: None },
    };
    calls(call, |call, crashed| match call {
        lock::Call::Release { process } => {
            holders.borrow_mut().retain(|&holder| holder != process);
            Some(call)
        }
        _ if crashed || holders.borrow().len() == permits => None,
        call => {
            holders.borrow_mut().push(call.process());
            token.set(token.get() + 1);
            Some(lock::Call::Acquire { process: call.process(), token: Some(token.get()) })
        }
    })
}

fn locks(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lock");
    group.sample_size(10);
    group.throughput(Throughput::Elements(CALLS as u64));
    for permits in [1, 5] {
        let ops = lock_calls(permits);
        assert_eq!(semaphore::check(&ops, permits as u32), Some(Ok(())));
        group.bench_function(BenchmarkId::new("semaphore", permits), |bench| {
            bench.iter(|| semaphore::check(black_box(&ops), permits as u32));
        });
    }
    let ops = lock_calls(1);
    assert_eq!(owner::check(&ops, 1), Some(Ok(())));
    group.bench_function("owner", |bench| bench.iter(|| owner::check(black_box(&ops), 1)));
    assert_eq!(fenced::check(&ops, true), Some(Ok(())));
    group.bench_function("fenced", |bench| bench.iter(|| fenced::check(black_box(&ops), true)));
    let in_order = write_calls();
    assert_eq!(store::check(&in_order), Some(Ok(())));
    group.bench_function("store", |bench| bench.iter(|| store::check(black_box(&in_order))));
}

/// Writes to a fenced store.
fn write_calls() -> Vec<Op<store::Call>> {
    let token = std::cell::Cell::new(0);
    let writes = calls(
        |draw, process| {
            token.set(token.get() + i64::from(draw.below(10) == 0));
            store::Call::Write {
                token: token.get(),
                value: Datum::int(process as i64).expect("small"),
            }
        },
        |call, _| Some(call),
    );
    let mut in_order = writes;
    // Every write bears the highest token of its time.
    let highest = in_order.iter().scan(0, |highest, op| {
        let store::Call::Write { token, .. } = op.call else { return Some(*highest) };
        *highest = token.max(*highest);
        Some(*highest)
    });
    let highest: Vec<i64> = highest.collect();
    for (op, highest) in in_order.iter_mut().zip(highest) {
        op.call = store::Call::Write { token: highest, value: Datum::NULL };
    }
    in_order
}

/// Reads, and adds of up to so much; some adds return the sum.
fn counter_calls(fetch: bool, amounts: u64) -> Vec<Op<counter::Call>> {
    let mut sum = 0;
    calls(
        |draw, _| match draw.below(2) {
            0 => counter::Call::Read(0),
            _ => counter::Call::Add(1 + draw.below(amounts) as i64),
        },
        |call, crashed| {
            let found = sum;
            Some(match call {
                counter::Call::Add(amount) => {
                    sum += amount;
                    if fetch && !crashed { counter::Call::FetchAdd { found, amount } } else { call }
                }
                _ => counter::Call::Read(found),
            })
        },
    )
}

fn counters(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("counter");
    group.sample_size(10);
    group.throughput(Throughput::Elements(CALLS as u64));
    for (name, fetch, amounts) in
        [("adds of one", false, 1), ("fetch-adds", true, 1), ("any", false, 5)]
    {
        let ops = counter_calls(fetch, amounts);
        if amounts == 1 {
            assert_eq!(counter::units::check(&ops, 0), Some(Ok(())));
            group.bench_function(name, |bench| {
                bench.iter(|| counter::units::check(black_box(&ops), 0))
            });
        } else {
            assert_eq!(counter::bounds::check(&ops, 0), None);
            group.bench_function(name, |bench| {
                bench.iter(|| counter::bounds::check(black_box(&ops), 0))
            });
        }
    }
}

/// Appends, and polls of up to eight entries by consumers that follow the log.
fn log_calls() -> Vec<Op<log::Call>> {
    #[derive(Clone, Copy)]
    enum Drawn {
        Append(i64, Option<i64>),
        Poll(u64, i64, i64),
    }
    let (mut value, mut values) = (0, Vec::new());
    let mut places = std::collections::HashMap::new();
    let drawn = calls(
        |draw, process| match draw.below(2) {
            0 => {
                value += 1;
                Drawn::Append(value, None)
            }
            _ => Drawn::Poll(process, 0, 0),
        },
        |call, crashed| match call {
            Drawn::Append(value, _) => {
                values.push(value);
                Some(Drawn::Append(value, (!crashed).then_some(values.len() as i64 - 1)))
            }
            Drawn::Poll(process, ..) => {
                let place = places.entry(process).or_insert(values.len());
                let from = *place;
                *place = values.len().min(from + 8);
                Some(Drawn::Poll(process, from as i64, *place as i64))
            }
        },
    );
    let datum = |value| Datum::int(value).expect("a small number");
    let call = |call| match call {
        Drawn::Append(value, offset) => log::Call::Append { value: datum(value), offset },
        Drawn::Poll(process, from, to) => {
            let entries = (from..to).map(|offset| (offset, datum(values[offset as usize])));
            log::Call::Poll { process, entries: entries.collect() }
        }
    };
    let named = drawn.into_iter().map(|op| {
        let crashed_poll = op.end == NEVER && matches!(op.call, Drawn::Poll(..));
        let Drawn::Poll(process, ..) = op.call else {
            return Op { call: call(op.call), start: op.start, end: op.end, number: op.number };
        };
        let call = if crashed_poll { log::Call::Seek { process } } else { call(op.call) };
        Op { call, start: op.start, end: op.end, number: op.number }
    });
    named.collect()
}

fn logs(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("log");
    group.sample_size(10);
    group.throughput(Throughput::Elements(CALLS as u64));
    let ops = log_calls();
    assert_eq!(log::offsets::check(&ops), Ok(()));
    group.bench_function("offsets", |bench| bench.iter(|| log::offsets::check(black_box(&ops))));
}

/// Ids that grow.
fn id_calls() -> Vec<Op<Datum>> {
    let mut next = 0;
    let generate = |draw: &mut Draw, _| {
        next += 1 + draw.below(1_000) as i64;
        Datum::int(next).expect("a small number")
    };
    calls(generate, |call, _| Some(call))
}

fn unique_ids(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ids");
    group.sample_size(10);
    group.throughput(Throughput::Elements(CALLS as u64));
    let ops = id_calls();
    assert_eq!(ids::check(&ops), Ok(()));
    group.bench_function("ids", |bench| bench.iter(|| ids::check(black_box(&ops))));
}

criterion_group!(benches, locks, counters, logs, unique_ids);
criterion_main!(benches);
