//! Writes the history of simulated blind writes of registers as JSON lines: what the solver's figures
//! in `docs/performance.md` are measured on. It judges nothing.
//!
//! ```text
//! cargo run --release -p tribunal-checkers --example blind -- 10000 snapshots > history.jsonl
//! cargo run --release -p tribunal-checkers --example blind -- 10000 committed > history.jsonl
//! ```

#[path = "../benches/load/blind.rs"]
mod load;

use std::io::{self, BufWriter, Write};

use load::{Promise, Shape};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [transactions, promise] = &arguments[..] else {
        panic!("how many transactions, and on a database of what: snapshots or committed?");
    };
    let transactions = transactions.parse().expect("a number of transactions");
    let promise = match promise.as_str() {
        "snapshots" => Promise::Snapshots,
        "committed" => Promise::Committed,
        other => panic!("{other}: neither snapshots nor committed"),
    };
    let mut out = BufWriter::new(io::stdout().lock());
    load::write(&mut out, Shape::of(promise, transactions))?;
    out.flush()
}
