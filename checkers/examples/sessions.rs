//! Writes the history of simulated sessions of transactions as Plume's text: what the figures of
//! the weak levels in `docs/performance.md` are measured on. It judges nothing.
//!
//! ```text
//! cargo run --release -p tribunal-checkers --example sessions -- 1000000 50 > history.txt
//! cargo run --release -p tribunal-checkers --example sessions -- 1000000 50 stale > history.txt
//! ```

#[path = "../benches/load/sessions.rs"]
mod load;

use std::io::{self, BufWriter, Write};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [transactions, sessions, words @ ..] = &arguments[..] else {
        panic!("how many transactions, and of how many sessions?");
    };
    let number = |text: &String| text.parse().unwrap_or_else(|_| panic!("{text}: not a number"));
    let shape = load::Shape {
        transactions: number(transactions),
        sessions: number(sessions),
        stale: words.iter().any(|word| word == "stale"),
        by_session: words.iter().any(|word| word == "by-session"),
        ..load::Shape::default()
    };
    let mut out = BufWriter::new(io::stdout().lock());
    load::write(&mut out, shape)?;
    out.flush()
}
