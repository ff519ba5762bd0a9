//! How fast registers are judged: a few values with crashed calls, which need a
//! search, and unique values, which do not.

mod load;

use std::time::Instant;

use load::Draw;
use load::register::{Shape, calls};
use tribunal_checkers::linearizability::search::{self, Outcome};

fn run(name: &str, keys: u64, shape: Shape) {
    let mut draw = Draw::new();
    let loads: Vec<_> = (0..keys).map(|_| calls(&mut draw, shape)).collect();
    let begun = Instant::now();
    let mut told = [0; 4];
    let mut steps = 0;
    let mut worst = 0.0_f64;
    for (ops, values) in &loads {
        let one = Instant::now();
        match search::check(ops, *values, 50_000_000) {
            Outcome::Linearizable { steps: n } => {
                told[0] += 1;
                steps += n;
            }
            Outcome::Stuck(_) => told[1] += 1,
            Outcome::Exhausted { .. } => told[2] += 1,
            Outcome::TooWide { .. } => told[3] += 1,
        }
        worst = worst.max(one.elapsed().as_secs_f64());
    }
    println!(
        "{name}: {:.3} s, worst {:.3}, ok/stuck/out/wide {told:?}, steps {steps}",
        begun.elapsed().as_secs_f64(),
        worst
    );
}

fn main() {
    let five = Shape { calls: 10_000, clients: 10, values: Some(5), crashed: 0 };
    run("a0", 1, five);
    run("a 5 clients", 1, Shape { clients: 5, ..five });
    run("a30", 1, Shape { crashed: 3, ..five });
    run("b 10k", 10, Shape { calls: 1_000, crashed: 50, ..five });
    run("b 100k", 100, Shape { calls: 1_000, crashed: 50, ..five });
    run("c 100k", 1000, Shape { calls: 100, ..five });
    run("c 100k, 20 clients", 1000, Shape { calls: 100, clients: 20, ..five });
}
