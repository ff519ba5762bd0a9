#[path = "../benches/load/mod.rs"]
mod load;
use load::register::{Shape, history};
use tribunal_checkers::linearizability::register::{Calls, blocks, search};
use tribunal_checkers::*;
fn cpu() -> u64 {
    let s = std::fs::read_to_string("/proc/self/stat").unwrap();
    let v: Vec<&str> = s.rsplit(')').next().unwrap().split_whitespace().collect();
    (v[11].parse::<u64>().unwrap() + v[12].parse::<u64>().unwrap()) * 10
}
fn times(name: &str, mut f: impl FnMut()) {
    let c = cpu();
    for _ in 0..10 {
        f();
    }
    println!("  {name}: cpu {} ms", (cpu() - c) / 10);
}
fn main() {
    let hot =
        Shape { calls: 1_000_000, keys: 1, rotate: false, clients: 20, values: None, crashed: 10 };
    let few = Shape {
        calls: 1_000_000,
        keys: 10_000,
        rotate: true,
        clients: 10,
        values: Some(5),
        crashed: 0,
    };
    for (name, shape) in [("hot", hot), ("many", Shape { keys: 1000, ..hot }), ("c", few)] {
        if std::env::args().nth(1).is_some_and(|a| a != name) {
            continue;
        }
        let h = history(shape);
        println!("{name}");
        let null = serde_json::Value::Null;
        times("read", || {
            Calls::read(&h, &null).unwrap();
        });
        times("read + objects", || {
            Calls::read(&h, &null).unwrap().map(|o| o.values);
        });
        times("read + objects + judge", || {
            Calls::read(&h, &null).unwrap().map(|o| {
                if shape.values.is_none() {
                    assert_eq!(blocks::check(&o.ops, o.values), Some(Ok(())));
                    0
                } else {
                    match search::check(&o.ops, o.values, 1 << 30) {
                        search::Outcome::Linearizable { steps } => steps,
                        _ => panic!(),
                    }
                }
            });
        });
        times("whole", || {
            Linearizable::default().check(&h);
        });
    }
}
