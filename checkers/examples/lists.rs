//! Writes the history of simulated transactions on lists as JSON lines: what the figures of
//! list-append in `docs/performance.md` are measured on. It judges nothing.
//!
//! ```text
//! cargo run --release -p tribunal-checkers --example lists -- 1000000 > history.jsonl
//! cargo run --release -p tribunal-checkers --example lists -- 1000000 stale > history.jsonl
//! ```

#[path = "../benches/load/lists.rs"]
mod lists;

use std::io::{self, BufWriter, Write};

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().expect("how many transactions");
    let transactions = count.parse().expect("a number of transactions");
    let stale = arguments.next().is_some_and(|word| word == "stale");
    let mut out = BufWriter::new(io::stdout().lock());
    lists::write(&mut out, lists::Shape { transactions, stale, ..lists::Shape::default() })?;
    out.flush()
}
