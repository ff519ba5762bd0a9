//! How fast last-write-wins registers are judged: many keys, each with a few
//! dozen calls and a final read on every node.

mod load;

use std::collections::HashMap;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::Value;
use tribunal_checkers::{Checker, Lww, Validity};
use tribunal_history::{Call, History};

/// A key has so many calls, and then five final reads.
const CALLS_PER_KEY: u64 = 35;
const FINAL_READS: u64 = 5;

fn history(calls: u64) -> History {
    let keys = calls / CALLS_PER_KEY;
    let load = keys * (CALLS_PER_KEY - FINAL_READS);
    let call = |draw: &mut load::Draw, number: u64| {
        if number >= load {
            let key = (number - load) / FINAL_READS;
            return Call::new("read").key(key.to_string()).mark("final", true);
        }
        let key = (number / (CALLS_PER_KEY - FINAL_READS)).to_string();
        match draw.below(4) {
            0 => Call::new("read").key(key),
            _ => Call::new("write").value(number + 1).key(key),
        }
    };
    let mut held: HashMap<Value, (Value, u64)> = HashMap::new();
    load::history(keys * CALLS_PER_KEY, call, |call, event| {
        let key = call.key.clone().unwrap_or_default();
        if &*call.f == "write" {
            held.insert(key.clone(), (call.value.clone(), event.time));
        }
        if let Some((value, timestamp)) = held.get(&key) {
            event.value = value.clone();
            event.ext.insert("timestamp".to_owned(), (*timestamp).into());
        }
    })
}

fn check(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("lww");
    group.sample_size(10);
    for calls in [10_000, 100_000, 1_000_000] {
        let history = history(calls);
        assert_eq!(Lww::default().check(&history).validity, Validity::Valid);
        group.throughput(Throughput::Elements(calls));
        group.bench_function(BenchmarkId::new("check", calls), |bench| {
            bench.iter(|| Lww::default().check(black_box(&history)));
        });
    }
}

criterion_group!(benches, check);
criterion_main!(benches);
