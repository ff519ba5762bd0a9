//! How fast leaders are judged: probes of five nodes through many terms.

mod load;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;
use tribunal_checkers::{Checker, Leader, Validity};
use tribunal_history::{Call, History};

/// A term lasts for so many calls, and its leader is the next node.
const TERM: u64 = 2_000;

fn history(calls: u64) -> History {
    let call = |draw: &mut load::Draw, number: u64| match draw.below(10) {
        0 => Call::new("write").value(number).mark("term", 1 + number / TERM),
        _ => Call::new("probe").mark("term", 1 + number / TERM),
    };
    load::history(calls, call, |call, event| {
        let term = call.ext["term"].as_u64().unwrap_or_default();
        let leader = format!("n{}", 1 + term % 5);
        if &*call.f == "write" {
            event.ext.insert("node".to_owned(), leader.into());
            return;
        }
        let node = event.node.as_deref().unwrap_or_default();
        let role = if node == leader { "leader" } else { "follower" };
        event.value = json!({"node": node, "role": role, "term": term});
    })
}

fn check(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("leader");
    group.sample_size(10);
    for calls in [10_000, 100_000, 1_000_000] {
        let history = history(calls);
        let checker = Leader { exclusive: true };
        assert_eq!(checker.check(&history).validity, Validity::Valid);
        group.throughput(Throughput::Elements(calls));
        group.bench_function(BenchmarkId::new("check", calls), |bench| {
            bench.iter(|| checker.check(black_box(&history)));
        });
    }
}

criterion_group!(benches, check);
criterion_main!(benches);
