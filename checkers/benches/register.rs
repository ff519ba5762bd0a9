//! How fast registers are judged: a few values with crashed calls, which need a
//! search, and unique values, which do not. From the history in memory to the verdict.

mod load;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use load::register::{Shape, history, with_stale_read};
use tribunal_checkers::{Checker, Linearizable, Validity};
use tribunal_history::History;

fn bench(criterion: &mut Criterion, name: &str, history: &History, expected: Validity) {
    let mut group = criterion.benchmark_group("register");
    let checker = Linearizable::default();
    let verdict = checker.check(history);
    assert_eq!(verdict.validity, expected, "{name}: {:?}", verdict.unknowns);
    group.sample_size(10).throughput(Throughput::Elements(history.operations().len() as u64));
    group.bench_function(name, |bench| bench.iter(|| checker.check(black_box(history))));
    group.finish();
}

/// Few values: the search. The columns are those of the table in `docs/performance.md`.
fn few_values(criterion: &mut Criterion) {
    let few = Shape {
        calls: 10_000,
        keys: 1,
        rotate: true,
        clients: 10,
        values: Some(5),
        crashed: 0,
        silent: false,
    };
    let thousand_a_key = |calls| Shape { calls, keys: calls / 1_000, crashed: 50, ..few };
    for (name, shape) in [
        ("5 values, 10k calls on a key", few),
        ("5 values, 10k calls on a key, 0.3% crashed", Shape { crashed: 3, ..few }),
        ("5 values, 10k calls, 1,000 a key, 5% crashed", thousand_a_key(10_000)),
        ("5 values, 1M calls, 100 a key", Shape { calls: 1_000_000, keys: 10_000, ..few }),
    ] {
        bench(criterion, name, &history(shape), Validity::Valid);
    }
}

/// Unique values: blocks.
fn unique_values(criterion: &mut Criterion) {
    let hot = Shape {
        calls: 1_000_000,
        keys: 1,
        rotate: false,
        clients: 20,
        values: None,
        crashed: 10,
        silent: false,
    };
    let small = Shape { calls: 10_000, ..hot };
    bench(criterion, "unique, 10k calls on a key, 1% crashed", &history(small), Validity::Valid);
    let stale = with_stale_read(&history(Shape { calls: 1_000, ..hot }));
    bench(criterion, "unique, 1k calls on a key, one stale read", &stale, Validity::Invalid);
    bench(criterion, "unique, 1M calls on a key, 1% crashed", &history(hot), Validity::Valid);
    let many = history(Shape { keys: 1_000, ..hot });
    bench(criterion, "unique, 1M calls on 1,000 keys, 1% crashed", &many, Validity::Valid);
}

criterion_group!(benches, few_values, unique_values);
criterion_main!(benches);
