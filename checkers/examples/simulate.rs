//! Writes the history of simulated registers as JSON lines: what the figures of
//! `docs/performance.md` are measured on. It judges nothing.
//!
//! ```text
//! cargo run --release -p tribunal-checkers --example simulate -- \
//!     --calls 1000000 --keys 1000 --clients 20 --values unique --crashed 10 > history.jsonl
//! ```
//!
//! All clients call one key until it has had its share of the calls, then the
//! next. Reads, writes and compare-and-sets come in equal parts; each begins,
//! takes effect and ends at the whim of a seeded chance, so the history is
//! linearizable, unless `--stale` asks for one read that is not.

use std::io::{self, BufWriter, Write};

/// What to simulate.
struct Shape {
    calls: u64,
    keys: u64,
    clients: u64,
    /// How many values there are; `None` writes a new one each time.
    values: Option<u64>,
    /// Calls in a thousand whose outcome nobody knows; half of them take effect.
    crashed: u64,
    /// Whether one read in the middle returns a value of long ago.
    stale: bool,
}

fn shape() -> Shape {
    let mut shape =
        Shape { calls: 10_000, keys: 1, clients: 10, values: Some(5), crashed: 0, stale: false };
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        if name == "--stale" {
            shape.stale = true;
            continue;
        }
        let value = arguments.next().unwrap_or_else(|| panic!("{name} needs a value"));
        let number = || value.parse().unwrap_or_else(|_| panic!("{name} {value}: not a number"));
        match name.as_str() {
            "--calls" => shape.calls = number(),
            "--keys" => shape.keys = number(),
            "--clients" => shape.clients = number(),
            "--crashed" => shape.crashed = number(),
            "--values" if value == "unique" => shape.values = None,
            "--values" => shape.values = Some(number()),
            _ => panic!("{name}: not one of --calls --keys --clients --values --crashed --stale"),
        }
    }
    shape
}

#[derive(Clone, Copy)]
enum Wish {
    Read,
    Write(u64),
    Cas(u64, u64),
}

/// A call under way: what it will answer once it took effect.
#[derive(Clone, Copy)]
struct Open {
    wish: Wish,
    /// What a read found, or whether (and otherwise why not) a cas swapped.
    found: Option<u64>,
    effective: bool,
}

/// A linear congruential generator (Knuth's MMIX constants).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }
}

struct Simulation<W> {
    out: W,
    draw: Draw,
    index: u64,
    /// The process number of each client; the next one that is free.
    processes: Vec<u64>,
    fresh_process: u64,
    fresh_value: u64,
}

impl<W: Write> Simulation<W> {
    fn event(&mut self, process: u64, kind: &str, f: &str, key: u64, rest: &str) -> io::Result<()> {
        let index = self.index;
        self.index += 1;
        writeln!(
            self.out,
            r#"{{"index":{index},"time":{},"process":{process},"type":"{kind}","f":"{f}","key":{key}{rest}}}"#,
            index * 100_000
        )
    }

    fn wish(&mut self, shape: &Shape, held: u64) -> Wish {
        self.fresh_value += 1;
        let new = shape.values.map_or(self.fresh_value, |values| 1 + self.draw.below(values));
        match self.draw.below(3) {
            0 => Wish::Read,
            1 => Wish::Write(new),
            _ => Wish::Cas(shape.values.map_or(held, |values| 1 + self.draw.below(values)), new),
        }
    }

    fn key(&mut self, shape: &Shape, key: u64) -> io::Result<()> {
        let mut open: Vec<Option<Open>> = vec![None; shape.clients as usize];
        let (mut held, mut early, mut begun) = (0, 0, 0);
        let calls = shape.calls / shape.keys;
        let mut stale = shape.stale && key == shape.keys / 2;
        while begun < calls || open.iter().any(Option::is_some) {
            let client = self.draw.below(shape.clients) as usize;
            let process = self.processes[client];
            match open[client] {
                None if begun == calls => {}
                None => {
                    begun += 1;
                    let wish = self.wish(shape, held);
                    open[client] = Some(Open { wish, found: None, effective: false });
                    self.event(process, "invoke", name(wish), key, &argument(wish))?;
                }
                Some(mut call) if !call.effective => {
                    let crashes = self.draw.below(1_000) < shape.crashed;
                    if !crashes || self.draw.below(2) == 0 {
                        call.found = Some(held);
                        held = effect(call.wish, held);
                        early = if begun < calls / 4 { held } else { early };
                    }
                    call.effective = true;
                    open[client] = Some(call);
                    if crashes {
                        open[client] = None;
                        self.event(process, "info", name(call.wish), key, &argument(call.wish))?;
                        self.fresh_process += 1;
                        self.processes[client] = self.fresh_process;
                    }
                }
                Some(mut call) => {
                    open[client] = None;
                    if stale && begun > calls / 2 && matches!(call.wish, Wish::Read) {
                        stale = false;
                        call.found = Some(early);
                    }
                    self.event(process, "ok", name(call.wish), key, &answer(call))?;
                }
            }
        }
        Ok(())
    }
}

fn name(wish: Wish) -> &'static str {
    match wish {
        Wish::Read => "read",
        Wish::Write(_) => "write",
        Wish::Cas(..) => "cas",
    }
}

fn effect(wish: Wish, held: u64) -> u64 {
    match wish {
        Wish::Write(new) => new,
        Wish::Cas(old, new) if old == held => new,
        Wish::Read | Wish::Cas(..) => held,
    }
}

/// The initial value, 0, is an absent one.
fn shown(value: u64) -> String {
    if value == 0 { "null".to_owned() } else { value.to_string() }
}

fn argument(wish: Wish) -> String {
    match wish {
        Wish::Read => String::new(),
        Wish::Write(new) => format!(r#","value":{new}"#),
        Wish::Cas(old, new) => format!(r#","value":[{},{new}]"#, shown(old)),
    }
}

fn answer(call: Open) -> String {
    let found = call.found.expect("the call took effect");
    match call.wish {
        Wish::Read => format!(r#","value":{}"#, shown(found)),
        Wish::Cas(old, _) if old != found => {
            let found = shown(found);
            argument(call.wish) + &format!(r#","ext":{{"swapped":false,"found":{found}}}"#)
        }
        wish => argument(wish),
    }
}

fn main() -> io::Result<()> {
    let shape = shape();
    let mut simulation = Simulation {
        out: BufWriter::new(io::stdout().lock()),
        draw: Draw(42),
        index: 0,
        processes: (0..shape.clients).collect(),
        fresh_process: shape.clients,
        fresh_value: 0,
    };
    (0..shape.keys).try_for_each(|key| simulation.key(&shape, key))?;
    simulation.out.flush()
}
