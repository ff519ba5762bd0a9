//! Transactions that write registers blindly, on a simulated database of snapshots or one that only
//! reads what is committed, as JSON lines: no history for a serial order, if it is long.

use std::io::{self, Write};

/// What the database promises.
#[derive(Clone, Copy, PartialEq)]
pub enum Promise {
    /// A snapshot for each transaction; of two that overlap and write one key, one is refused.
    Snapshots,
    /// Every read finds what is committed by then.
    Committed,
}

/// What clients do.
#[derive(Clone, Copy)]
pub struct Shape {
    /// What they are promised.
    pub promise: Promise,
    /// Transactions in all, of two to four steps on as many keys.
    pub transactions: u64,
    /// Clients, each with one transaction at a time.
    pub clients: u64,
    /// Keys, which the first transaction writes all.
    pub keys: u64,
}

impl Shape {
    /// Keys that are written some hundred times each.
    pub fn of(promise: Promise, transactions: u64) -> Self {
        Self { promise, transactions, clients: 20, keys: 20 + transactions / 100 }
    }
}

/// A linear congruential generator (Knuth's MMIX constants).
struct Draw(u64);

impl Draw {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % bound
    }
}

/// A step on a key: a read and what it found, or a write of a value.
#[derive(Clone, Copy)]
enum Step {
    Read(usize, Option<u64>),
    Write(usize, u64),
}

/// A transaction under way.
struct Open {
    /// How many transactions had committed when it began.
    began: u64,
    steps: Vec<Step>,
    /// How many of them are done.
    done: usize,
}

/// By key, who committed when, and what.
type Store = Vec<Vec<(u64, u64)>>;

/// Writes the history.
pub fn write(out: &mut impl Write, shape: Shape) -> io::Result<()> {
    let mut draw = Draw(42);
    let (mut begun, mut value, mut commits) = (0, shape.keys, 0);
    let first: Vec<Step> = (0..shape.keys).map(|key| Step::Write(key as usize, key)).collect();
    tell(out, 0, 0, "invoke", &first)?;
    tell(out, 1, 0, "ok", &first)?;
    let mut index = 2;
    let mut store: Store = (0..shape.keys).map(|key| vec![(0, key)]).collect();
    let mut open: Vec<Option<Open>> = (0..shape.clients).map(|_| None).collect();
    while begun < shape.transactions || open.iter().any(Option::is_some) {
        let client = draw.below(shape.clients) as usize;
        let Some(txn) = &mut open[client] else {
            if begun < shape.transactions {
                let steps = steps(&mut draw, shape, &mut value);
                begun += 1;
                tell(out, index, client, "invoke", &steps)?;
                index += 1;
                open[client] = Some(Open { began: commits, steps, done: 0 });
            }
            continue;
        };
        if let Some(step) = txn.steps.get_mut(txn.done) {
            if let Step::Read(key, found) = step {
                let seen = |&&(at, _): &&(u64, u64)| {
                    shape.promise == Promise::Committed || at <= txn.began
                };
                *found = store[*key].iter().rev().find(seen).map(|&(_, value)| value);
            }
            txn.done += 1;
            continue;
        }
        let kind = match commit(&mut store, shape.promise, txn, commits + 1) {
            true => "ok",
            false => "fail",
        };
        commits += 1;
        tell(out, index, client, kind, &txn.steps)?;
        index += 1;
        open[client] = None;
    }
    Ok(())
}

/// Steps on different keys, so that no write follows a read of its key.
fn steps(draw: &mut Draw, shape: Shape, value: &mut u64) -> Vec<Step> {
    let mut keys: Vec<usize> = (0..shape.keys as usize).collect();
    let count = 2 + draw.below(3);
    let step = |_| {
        let key = keys.swap_remove(draw.below(keys.len() as u64) as usize);
        if draw.below(2) == 0 {
            return Step::Read(key, None);
        }
        *value += 1;
        Step::Write(key, *value)
    };
    (0..count).map(step).collect()
}

/// Commits a transaction, unless another got before it.
fn commit(store: &mut Store, promise: Promise, txn: &Open, at: u64) -> bool {
    let writes = || {
        txn.steps.iter().filter_map(|step| match *step {
            Step::Write(key, value) => Some((key, value)),
            Step::Read(..) => None,
        })
    };
    let late = |key: usize| store[key].last().is_some_and(|&(at, _)| at > txn.began);
    if promise == Promise::Snapshots && writes().any(|(key, _)| late(key)) {
        return false;
    }
    writes().for_each(|(key, value)| store[key].push((at, value)));
    true
}

fn tell(
    out: &mut impl Write,
    index: u64,
    client: usize,
    kind: &str,
    steps: &[Step],
) -> io::Result<()> {
    let time = index * 50_000;
    write!(
        out,
        r#"{{"index":{index},"time":{time},"process":{client},"type":"{kind}","f":"txn","value":"#
    )?;
    for (at, step) in steps.iter().enumerate() {
        let open = if at == 0 { "[" } else { "," };
        match step {
            Step::Read(key, Some(found)) => write!(out, r#"{open}["r",{key},{found}]"#)?,
            Step::Read(key, None) => write!(out, r#"{open}["r",{key},null]"#)?,
            Step::Write(key, value) => write!(out, r#"{open}["w",{key},{value}]"#)?,
        }
    }
    out.write_all(b"]}\n")
}
