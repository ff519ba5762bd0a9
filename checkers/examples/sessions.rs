//! Writes a large healthy history of transactions as Plume's text: what the figures of the weak
//! levels are measured on. It judges nothing.
//!
//! ```text
//! cargo run --release -p tribunal-checkers --example sessions -- \
//!     --transactions 1000000 --operations 8 --keys 10000 --sessions 50 --lag 1000 > history.txt
//! ```
//!
//! All transactions commit one after the other. Each reads a moment of the past, up to `--lag`
//! commits ago, but never one before its session's last, and its own writes. So
//! the history is causally consistent and hardly ever serializable. `--stale` makes one read in
//! the middle find a value that its session has seen overwritten.

use std::io::{self, BufWriter, Write};

/// What to simulate.
struct Shape {
    transactions: u64,
    operations: u64,
    keys: u64,
    sessions: u64,
    /// How many commits a snapshot may be behind.
    lag: u64,
    stale: bool,
}

fn shape() -> Shape {
    let mut shape = Shape {
        transactions: 10_000,
        operations: 8,
        keys: 1_000,
        sessions: 10,
        lag: 100,
        stale: false,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        if name == "--stale" {
            shape.stale = true;
            continue;
        }
        let value = arguments.next().unwrap_or_else(|| panic!("{name} needs a value"));
        let number = value.parse().unwrap_or_else(|_| panic!("{name} {value}: not a number"));
        match name.as_str() {
            "--transactions" => shape.transactions = number,
            "--operations" => shape.operations = number,
            "--keys" => shape.keys = number,
            "--sessions" => shape.sessions = number,
            "--lag" => shape.lag = number,
            _ => panic!(
                "{name}: not one of --transactions --operations --keys --sessions --lag --stale"
            ),
        }
    }
    shape
}

/// A linear congruential generator (Knuth's MMIX constants).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Every version of every key: when it was committed, and its value.
struct Store(Vec<Vec<(u64, u64)>>);

impl Store {
    /// What a snapshot of this moment holds; 0 before the first write.
    fn read(&self, key: u64, moment: u64) -> u64 {
        let versions = &self.0[key as usize];
        let count = versions.partition_point(|&(committed, _)| committed <= moment);
        count.checked_sub(1).map_or(0, |last| versions[last].1)
    }
}

fn main() -> io::Result<()> {
    let shape = shape();
    let mut draw = Draw(1);
    let mut store = Store(vec![Vec::new(); shape.keys as usize]);
    // The moment of each session's last snapshot or commit; moments count from 1.
    let mut seen = vec![0_u64; shape.sessions as usize];
    let mut to = BufWriter::new(io::stdout().lock());
    let (mut value, mut stale) = (0, shape.stale);
    for transaction in 0..shape.transactions {
        let session = draw.below(shape.sessions);
        let now = transaction + 1;
        let last = &mut seen[session as usize];
        let moment = transaction.saturating_sub(draw.below(shape.lag + 1)).max(*last);
        let mut written: Vec<(u64, u64)> = Vec::new();
        for _ in 0..shape.operations {
            let key = draw.below(shape.keys);
            if draw.below(2) == 0 {
                value += 1;
                written.retain(|&(there, _)| there != key);
                written.push((key, value));
                writeln!(to, "w({key},{value},{session},{transaction})")?;
                continue;
            }
            let own = written.iter().find(|&&(there, _)| there == key);
            let mut found = own.map_or_else(|| store.read(key, moment), |&(_, value)| value);
            if stale && own.is_none() && transaction > shape.transactions / 2 {
                let old = store.read(key, store.0[key as usize][0].0);
                stale = old == found;
                found = old;
            }
            writeln!(to, "r({key},{found},{session},{transaction})")?;
        }
        *last = if written.is_empty() { moment } else { now };
        for (key, value) in written {
            store.0[key as usize].push((now, value));
        }
    }
    to.flush()
}
