//! How fast weak levels are judged, in memory and without parsing, over the number of sessions.

#[path = "load/sessions.rs"]
mod load;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tribunal_checkers::transactions::{Level, Weak};
use tribunal_checkers::{Checker, Validity};
use tribunal_history::{History, import};

fn history(shape: load::Shape) -> History {
    let mut text = Vec::new();
    load::write(&mut text, shape).expect("memory takes all");
    import::read_from(&text[..], None).expect("well formed").history
}

fn weak(criterion: &mut Criterion) {
    for sessions in [10, 50, 5_000] {
        let shape = load::Shape { sessions, ..load::Shape::default() };
        let history = history(shape);
        let mut group = criterion.benchmark_group(format!("{sessions} sessions"));
        group.sample_size(10).throughput(Throughput::Elements(shape.transactions));
        for level in [Level::ReadCommitted, Level::ReadAtomic, Level::Causal] {
            let checker = Weak::of(level).expect("a weak level");
            group.bench_function(BenchmarkId::from_parameter(level), |bencher| {
                bencher.iter(|| {
                    let verdict = checker.check(black_box(&history));
                    assert_eq!(verdict.validity, Validity::Valid);
                });
            });
        }
        group.finish();
    }
}

criterion_group!(benches, weak);
criterion_main!(benches);
