//! How fast transactions are judged, in memory and without parsing: lists to strict
//! serializability, over the history's size, registers, and blind writes that no order explains.

#[path = "load/blind.rs"]
mod blind;
#[path = "load/lists.rs"]
mod lists;

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tribunal_checkers::transactions::{ListAppend, RwRegister};
use tribunal_checkers::{Checker, Validity};
use tribunal_history::History;
use tribunal_history::jsonl::{self, Tail};

fn history(shape: lists::Shape) -> History {
    let mut text = Vec::new();
    lists::write(&mut text, shape).expect("memory takes all");
    jsonl::read_from(&text[..], Tail::Whole).expect("well formed")
}

fn list_append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("list-append to strict serializability");
    group.sample_size(10);
    // Three million are ten million micro-operations and more.
    for transactions in [10_000, 100_000, 1_000_000, 3_000_000, 5_000_000] {
        let history = history(lists::Shape { transactions, ..lists::Shape::default() });
        group.throughput(Throughput::Elements(transactions));
        group.bench_function(BenchmarkId::from_parameter(transactions), |bencher| {
            bencher.iter(|| {
                let verdict = ListAppend::default().check(black_box(&history));
                assert_eq!(verdict.validity, Validity::Valid);
            });
        });
    }
    group.finish();
}

fn rw_register(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("rw-register to strict serializability");
    group.sample_size(10);
    let transactions = 1_000_000;
    group.throughput(Throughput::Elements(transactions));
    for (name, holds) in [("updated", lists::Keys::Updated), ("blind", lists::Keys::Blind)] {
        let history = history(lists::Shape { holds, transactions, ..lists::Shape::default() });
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| {
                let verdict = RwRegister::default().check(black_box(&history));
                assert_eq!(verdict.validity, Validity::Valid);
            });
        });
    }
    group.finish();
}

/// Refused at some levels, kept at others; all are asked.
fn blind_writes(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("blind writes without a serial order");
    group.sample_size(10);
    let transactions = 10_000;
    group.throughput(Throughput::Elements(transactions));
    let promises =
        [("snapshots", blind::Promise::Snapshots), ("committed", blind::Promise::Committed)];
    for (name, promise) in promises {
        let mut text = Vec::new();
        blind::write(&mut text, blind::Shape::of(promise, transactions)).expect("memory takes all");
        let history = jsonl::read_from(&text[..], Tail::Whole).expect("well formed");
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter(|| {
                let verdict = RwRegister::default().check(black_box(&history));
                assert_eq!(verdict.validity, Validity::Invalid);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, list_append, rw_register, blind_writes);
criterion_main!(benches);
