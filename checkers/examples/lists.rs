//! Writes the history of simulated transactions on lists or registers as JSON lines: what the
//! figures of `docs/performance.md` are measured on. It judges nothing.
//!
//! ```text
//! cargo run --release -p tribunal-checkers --example lists -- 1000000 > history.jsonl
//! cargo run --release -p tribunal-checkers --example lists -- 1000000 stale > history.jsonl
//! cargo run --release -p tribunal-checkers --example lists -- 1000000 updated > history.jsonl
//! cargo run --release -p tribunal-checkers --example lists -- 1000000 blind > history.jsonl
//! ```

#[path = "../benches/load/lists.rs"]
mod lists;

use std::io::{self, BufWriter, Write};

fn main() -> io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let count = arguments.next().expect("how many transactions");
    let transactions = count.parse().expect("a number of transactions");
    let words: Vec<String> = arguments.collect();
    let said = |word: &str| words.iter().any(|said| said == word);
    let holds = match () {
        () if said("updated") => lists::Keys::Updated,
        () if said("blind") => lists::Keys::Blind,
        () => lists::Keys::Lists,
    };
    let (stale, rest) = (said("stale"), lists::Shape::default());
    let mut out = BufWriter::new(io::stdout().lock());
    lists::write(&mut out, lists::Shape { holds, transactions, stale, ..rest })?;
    out.flush()
}
