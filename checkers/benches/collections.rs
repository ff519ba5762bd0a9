//! How fast queues, stacks, priority queues and sets are judged, from typed calls to the
//! answer: 20 clients, one object, unique values, right histories.

use std::collections::{BTreeSet, VecDeque};
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tribunal_checkers::linearizability::model::{NEVER, Op};
use tribunal_checkers::linearizability::queue::{self, bag, fifo};
use tribunal_checkers::linearizability::set::{self, element, grow};
use tribunal_checkers::linearizability::{priority, stack};
use tribunal_history::Datum;

const CLIENTS: usize = 20;

/// A linear congruential generator (Knuth's MMIX constants): enough to vary a load.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }
}

fn datum(value: u64) -> Datum {
    Datum::int(value as i64).expect("small")
}

/// Clients call, the object answers at some moment in between, clients hear of it. `act` is the object: it
/// takes effect and says what the call was. Of a thousand calls, `crashed` are never heard of again, if
/// `forget` says what is then known of them.
fn ops<C: Clone>(
    calls: u32,
    crashed: u64,
    mut act: impl FnMut(&mut Draw, u32) -> C,
    forget: impl Fn(&C) -> Option<C>,
) -> Vec<Op<C>> {
    let mut draw = Draw(42);
    let mut open: Vec<Option<(u32, u32, Option<C>)>> = vec![None; CLIENTS];
    let (mut ops, mut point, mut begun) = (Vec::new(), 0, 0);
    while begun < calls || open.iter().any(Option::is_some) {
        let slot = &mut open[draw.below(CLIENTS as u64) as usize];
        match slot.take() {
            None if begun == calls => {}
            None => {
                (point, begun) = (point + 1, begun + 1);
                *slot = Some((begun, point, None));
            }
            Some((number, start, None)) => {
                *slot = Some((number, start, Some(act(&mut draw, number))))
            }
            Some((number, start, Some(call)))
                if draw.below(1_000) < crashed && forget(&call).is_some() =>
            {
                let call = forget(&call);
                ops.extend(call.map(|call| Op { call, start, end: NEVER, number }));
            }
            Some((number, start, Some(call))) => {
                point += 1;
                ops.push(Op { call, start, end: point, number });
            }
        }
    }
    ops.sort_unstable_by_key(|op| op.start);
    ops
}

/// Which value comes out, of those that a queue holds in the order of their puts.
type Out = fn(&mut VecDeque<u64>, &mut BTreeSet<u64>) -> Option<u64>;

fn first(held: &mut VecDeque<u64>, _: &mut BTreeSet<u64>) -> Option<u64> {
    held.pop_front()
}

fn last(held: &mut VecDeque<u64>, _: &mut BTreeSet<u64>) -> Option<u64> {
    held.pop_back()
}

fn highest(_: &mut VecDeque<u64>, held: &mut BTreeSet<u64>) -> Option<u64> {
    held.pop_last()
}

/// Calls on a queue; with `crashed_takes`, takes crash as well as puts.
fn queue_ops(calls: u32, out: Out, crashed_takes: bool) -> Vec<Op<queue::Call>> {
    let (mut held, mut sorted) = (VecDeque::new(), BTreeSet::new());
    let act = |draw: &mut Draw, number: u32| {
        if draw.below(2) == 0 {
            // Numbers in an order of no meaning, so that priorities are mixed.
            let value = u64::from(number) * 7_919 % 1_000_003;
            held.push_back(value);
            sorted.insert(value);
            return queue::Call::Put(datum(value));
        }
        match out(&mut held, &mut sorted) {
            Some(value) => queue::Call::Took(datum(value)),
            None => queue::Call::Empty,
        }
    };
    ops(calls, 10, act, move |call| match call {
        queue::Call::Put(_) => Some(call.clone()),
        _ => crashed_takes.then_some(queue::Call::Take),
    })
}

type Judge = fn(&[Op<queue::Call>]) -> Option<Result<(), queue::Clash>>;

fn queues(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("queues");
    group.sample_size(10);
    let kinds: [(&str, Judge, Out, bool); 4] = [
        ("fifo", fifo::check, first, true),
        ("bag", bag::check, first, true),
        ("stack", stack::check, last, false),
        ("priority", priority::check, highest, false),
    ];
    for (name, judge, out, crashed_takes) in kinds {
        for calls in [10_000, 100_000, 1_000_000] {
            let ops = queue_ops(calls, out, crashed_takes);
            group.throughput(Throughput::Elements(u64::from(calls)));
            assert!(judge(&ops).is_some_and(|answer| answer.is_ok()), "{name} of {calls}");
            group.bench_function(BenchmarkId::new(name, calls), |bench| {
                bench.iter(|| judge(black_box(&ops)));
            });
        }
    }
}

/// Adds, questions and, with `removes`, removes of single elements; with `reads`, one call in so many reads all.
fn set_ops(calls: u32, removes: bool, reads: Option<u64>) -> Vec<Op<set::Call>> {
    let (mut held, mut added, mut removed) = (BTreeSet::new(), 0, 0);
    let act = |draw: &mut Draw, _| {
        if reads.is_some_and(|reads| draw.below(reads) == 0) {
            return set::Call::read(held.iter().copied());
        }
        match draw.below(3) {
            0 if removes && removed < added => {
                removed += 1;
                held.remove(&datum(removed));
                set::Call::Remove(datum(removed))
            }
            1 if added > 0 && reads.is_none() => {
                let value = datum(1 + draw.below(added));
                set::Call::Contains(value, held.contains(&value))
            }
            _ => {
                added += 1;
                held.insert(datum(added));
                set::Call::Add(datum(added))
            }
        }
    };
    ops(calls, 10, act, |call| match call {
        set::Call::Add(_) | set::Call::Remove(_) => Some(call.clone()),
        set::Call::Contains(..) | set::Call::Read(_) => None,
    })
}

fn sets(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("sets");
    group.sample_size(10);
    for calls in [10_000, 100_000, 1_000_000] {
        group.throughput(Throughput::Elements(u64::from(calls)));
        let ops = set_ops(calls, true, None);
        assert_eq!(element::check(&ops), Some(Ok(())));
        group.bench_function(BenchmarkId::new("elements", calls), |bench| {
            bench.iter(|| element::check(black_box(&ops)));
        });
        let ops = set_ops(calls, false, None);
        assert_eq!(grow::check(&ops), Some(Ok(())));
        group.bench_function(BenchmarkId::new("grow-only", calls), |bench| {
            bench.iter(|| grow::check(black_box(&ops)));
        });
    }
    // One call in twenty reads all: 500, 2,500 reads of up to 10,000 and 50,000 elements.
    for calls in [10_000, 50_000] {
        let ops = set_ops(calls, false, Some(20));
        assert_eq!(grow::check(&ops), Some(Ok(())));
        let size = |op: &Op<set::Call>| match &op.call {
            set::Call::Read(elements) => elements.len() as u64,
            _ => 1,
        };
        group.throughput(Throughput::Elements(ops.iter().map(size).sum()));
        group.bench_function(BenchmarkId::new("elements read whole, by calls", calls), |bench| {
            bench.iter(|| grow::check(black_box(&ops)));
        });
    }
}

criterion_group!(benches, queues, sets);
criterion_main!(benches);
