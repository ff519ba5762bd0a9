//! How fast leases are judged: a thousand leases that pass from client to client.

mod load;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use tribunal_checkers::{Checker, Lease, Validity};
use tribunal_history::{Call, History};

const LEASES: u64 = 1_000;
/// Shorter than the time between two calls on one lease.
const TTL_NS: u64 = 100_000;

fn history(calls: u64) -> History {
    let call = |_: &mut load::Draw, number: u64| {
        let f = if (number / LEASES).is_multiple_of(2) { "acquire" } else { "renew" };
        Call::new(f).key(number % LEASES)
    };
    let mut token = 0;
    load::history(calls, call, |call, event| {
        token += 1;
        event.value = match &*call.f {
            "acquire" => json!({"token": token, "duration_ns": TTL_NS}),
            _ => json!({"duration_ns": TTL_NS}),
        };
    })
}

fn check(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lease");
    group.sample_size(10);
    for calls in [10_000, 100_000, 1_000_000] {
        let history = history(calls);
        assert_eq!(Lease::default().check(&history).validity, Validity::Valid);
        group.throughput(Throughput::Elements(calls));
        group.bench_function(BenchmarkId::new("check", calls), |bench| {
            bench.iter(|| Lease::default().check(black_box(&history)));
        });
    }
}

criterion_group!(benches, check);
criterion_main!(benches);
