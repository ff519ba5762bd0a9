//! How fast registers are judged, on generated histories of 20 clients.
//!
//! `check` is the whole checker on a parsed history; `blocks` and `search` are
//! the algorithms alone, on the calls of one register.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use serde_json::{Value, json};
use tribunal_checkers::linearizability::register::op::Op;
use tribunal_checkers::linearizability::register::{Calls, blocks, search};
use tribunal_checkers::{Checker, Linearizable, Validity};
use tribunal_history::{Call, Event, History, Kind, Process};

const CLIENTS: u64 = 20;

/// A linear congruential generator (Knuth's MMIX constants): enough to vary a load.
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }
}

/// A linearizable history: clients call, a register per key answers, clients hear of it.
fn history(calls: u64, keys: u64, values: Option<u64>) -> History {
    let mut draw = Draw(42);
    let mut registers = vec![Value::Null; keys as usize];
    let mut open: Vec<Option<(Call, Option<Event>)>> = vec![None; CLIENTS as usize];
    let (mut events, mut begun) = (Vec::with_capacity(2 * calls as usize), 0);
    while begun < calls || open.iter().any(Option::is_some) {
        let client = draw.below(CLIENTS);
        let (process, time) = (Process::Client(client), events.len() as u64 * 1_000);
        let slot = &mut open[client as usize];
        match slot.take() {
            None if begun == calls => {}
            None => {
                begun += 1;
                let key = draw.below(keys);
                let call =
                    call(&mut draw, &registers[key as usize], values.unwrap_or(begun), begun);
                let call = call.key(key);
                events.push(Event::of(&call, time, process, Kind::Invoke));
                *slot = Some((call, None));
            }
            Some((call, None)) => {
                let key = call.key.as_ref().and_then(Value::as_u64).unwrap_or_default();
                let mut answer = Event::of(&call, time, process, Kind::Ok);
                apply(&call, &mut registers[key as usize], &mut answer);
                *slot = Some((call, Some(answer)));
            }
            Some((_, Some(answer))) => events.push(Event { time, ..answer }),
        }
    }
    History::new(events).expect("the history is well formed")
}

fn call(draw: &mut Draw, held: &Value, values: u64, unique: u64) -> Call {
    let value = if values == unique { unique } else { draw.below(values) };
    match draw.below(4) {
        0 | 1 => Call::new("read"),
        2 => Call::new("write").value(value),
        _ => Call::new("cas").value(json!([held, value])),
    }
}

fn apply(call: &Call, register: &mut Value, answer: &mut Event) {
    match &*call.f {
        "read" => answer.value = register.clone(),
        "write" => *register = call.value.clone(),
        _ if call.value[0] == *register => *register = call.value[1].clone(),
        _ => {
            answer.ext.insert("swapped".to_owned(), json!(false));
            answer.ext.insert("found".to_owned(), register.clone());
        }
    }
}

fn check(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("check");
    group.sample_size(10);
    for (calls, keys) in
        [10_000, 100_000, 1_000_000].into_iter().flat_map(|calls| [(calls, 1), (calls, 1000)])
    {
        let history = history(calls, keys, None);
        assert_eq!(Linearizable::default().check(&history).validity, Validity::Valid);
        group.throughput(Throughput::Elements(calls));
        group.bench_function(BenchmarkId::new(format!("{keys} keys"), calls), |bench| {
            bench.iter(|| Linearizable::default().check(black_box(&history)));
        });
    }
}

/// The calls on the one register, and how many values they have.
fn only(history: &History) -> (Vec<Op>, usize) {
    let calls = Calls::read(history, &Value::Null).expect("calls of a register");
    calls.map(|object| (object.ops, object.values)).remove(0)
}

fn algorithms(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("algorithm");
    group.sample_size(10);
    for calls in [10_000, 100_000, 1_000_000] {
        group.throughput(Throughput::Elements(calls));
        let unique = history(calls, 1, None);
        let (ops, values) = only(&unique);
        group.bench_function(BenchmarkId::new("blocks", calls), |bench| {
            bench.iter(|| blocks::check(black_box(&ops), values));
        });
        if calls > 100_000 {
            continue;
        }
        let repeated = history(calls, 1, Some(5));
        let (ops, values) = only(&repeated);
        group.bench_function(BenchmarkId::new("search of 5 values", calls), |bench| {
            bench.iter(|| search::check(black_box(&ops), values, u64::MAX));
        });
    }
}

criterion_group!(benches, check, algorithms);
criterion_main!(benches);
