//! How fast the histories of other tools are read: bytes a second, from memory.

use std::fmt::Write;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tribunal_history::import::{self, Format};

const CALLS: usize = 100_000;

/// Writes and reads of twenty clients on a hundred keys, as `jepsen.independent` prints them.
fn edn() -> String {
    let mut text = String::new();
    for call in 0..CALLS {
        let (process, key, time) = (call % 20, call % 100, call * 1_000);
        let (f, argument, answer) = match call % 2 {
            0 => ("write", call.to_string(), call.to_string()),
            _ => ("read", "nil".to_owned(), (call - 1).to_string()),
        };
        for (at, kind, value) in [(0, "invoke", argument), (1, "ok", answer)] {
            let line = format!(
                "{{:type :{kind}, :f :{f}, :value [{key} {value}], :process {process}, \
                 :time {}, :index {}}}",
                time + at * 500,
                2 * call + at
            );
            writeln!(text, "{line}").expect("memory");
        }
    }
    text
}

/// Transactions of three operations, as elle-cli takes them.
fn json() -> String {
    let mut events = Vec::new();
    for call in 0..CALLS {
        let (process, key) = (call % 20, call % 100);
        for (at, kind, read) in [(0, "invoke", "null"), (1, "ok", "[1,2,3]")] {
            events.push(format!(
                r#"{{"type":"{kind}","f":"txn","value":[["append",{key},{call}],["r","x",{read}],["r",3,null]],"process":{process},"index":{}}}"#,
                2 * call + at
            ));
        }
    }
    format!("[{}]", events.join(",\n"))
}

fn log() -> String {
    let line = |call: usize, kind: &str| {
        format!("INFO  jepsen.util - {}\t:{kind}\t:cas\t[{} {}]\n", call % 20, call % 5, call % 3)
    };
    (0..CALLS).flat_map(|call| [line(call, "invoke"), line(call, "fail")]).collect()
}

fn reading(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("import");
    group.sample_size(10);
    for (name, text, format) in [
        ("jepsen", edn(), Format::Edn),
        ("elle-json", json(), Format::ElleJson),
        ("porcupine", log(), Format::Porcupine),
    ] {
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let imported = import::read_from(text.as_bytes(), None).expect("a history");
                assert_eq!((imported.format, imported.history.len()), (format, 2 * CALLS));
            });
        });
    }
    group.finish();
}

criterion_group!(benches, reading);
criterion_main!(benches);
