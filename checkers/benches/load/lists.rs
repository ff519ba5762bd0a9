//! Transactions on lists or registers that clients run at the same time, simulated, as JSON lines:
//! a strictly serializable history, or one with a single transaction that misses another.

use std::io::{self, Write};

/// What a key holds.
#[derive(Clone, Copy, PartialEq)]
pub enum Keys {
    /// A list: elements are appended, and a read shows them all.
    Lists,
    /// A register that is read in the step before it is written.
    Updated,
    /// A register that is written without having been read.
    Blind,
}

/// What clients do.
#[derive(Clone, Copy)]
pub struct Shape {
    /// What a key holds.
    pub holds: Keys,
    /// Transactions in all, of three or four steps.
    pub transactions: u64,
    /// Clients, each with one transaction at a time.
    pub clients: u64,
    /// Keys in use at once.
    pub keys: u64,
    /// Appends to a key before another takes its place.
    pub appends: u64,
    /// Whether one read in the middle misses the last element of its list.
    pub stale: bool,
}

impl Default for Shape {
    /// What most tests of databases do.
    fn default() -> Self {
        let (keys, appends) = (10, 100);
        Self {
            holds: Keys::Lists,
            transactions: 1_000_000,
            clients: 20,
            keys,
            appends,
            stale: false,
        }
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

/// A step on a key: a read, or an append of an element.
type Step = (usize, Option<u64>);

/// Writes the history. A transaction takes effect when it ends.
pub fn write(out: &mut impl Write, shape: Shape) -> io::Result<()> {
    let mut draw = Draw(42);
    // By key, what it holds and how many appends were asked for.
    let mut lists: Vec<(Vec<u64>, u64)> = vec![(Vec::new(), 0); shape.keys as usize];
    let mut slots: Vec<usize> = (0..lists.len()).collect();
    let mut open: Vec<Option<Vec<Step>>> = vec![None; shape.clients as usize];
    let (mut begun, mut index, mut stale) = (0, 0, shape.stale);
    while begun < shape.transactions || open.iter().any(Option::is_some) {
        let client = draw.below(shape.clients) as usize;
        let steps = match open[client].take() {
            None if begun == shape.transactions => continue,
            None => {
                begun += 1;
                let mut steps: Vec<Step> = Vec::new();
                for _ in 0..3 + draw.below(2) {
                    let step = step(&mut draw, &mut slots, &mut lists, shape.appends);
                    // Whoever updates a register has read it first thing.
                    let fresh = steps.iter().all(|&(key, _)| key != step.0);
                    if shape.holds == Keys::Updated && step.1.is_some() && fresh {
                        steps.push((step.0, None));
                    }
                    steps.push(step);
                }
                head(out, index, client, "invoke")?;
                tell(out, shape.holds, &steps, |out, (_, element)| match element {
                    Some(element) => write!(out, "{element}"),
                    None => out.write_all(b"null"),
                })?;
                open[client] = Some(steps);
                index += 1;
                continue;
            }
            Some(steps) => steps,
        };
        head(out, index, client, "ok")?;
        index += 1;
        let misses = stale && begun > shape.transactions / 2;
        tell(out, shape.holds, &steps, |out, (key, element)| match element {
            Some(element) => {
                lists[key].0.push(element);
                write!(out, "{element}")
            }
            None => {
                let list = &lists[key].0;
                if shape.holds != Keys::Lists {
                    return match list.last() {
                        Some(value) => write!(out, "{value}"),
                        None => out.write_all(b"null"),
                    };
                }
                let hidden = misses && stale && list.len() > 1;
                stale &= !hidden;
                show(out, &list[..list.len() - usize::from(hidden)])
            }
        })?;
    }
    Ok(())
}

fn step(
    draw: &mut Draw,
    slots: &mut [usize],
    lists: &mut Vec<(Vec<u64>, u64)>,
    appends: u64,
) -> Step {
    let slot = &mut slots[draw.below(slots.len() as u64) as usize];
    if draw.below(2) == 0 {
        return (*slot, None);
    }
    if lists[*slot].1 == appends {
        *slot = lists.len();
        lists.push((Vec::new(), 0));
    }
    lists[*slot].1 += 1;
    (*slot, Some(lists[*slot].1))
}

fn head(out: &mut impl Write, index: u64, client: usize, kind: &str) -> io::Result<()> {
    let time = index * 50_000;
    write!(
        out,
        r#"{{"index":{index},"time":{time},"process":{client},"type":"{kind}","f":"txn","value":"#
    )
}

fn tell<W: Write>(
    out: &mut W,
    holds: Keys,
    steps: &[Step],
    mut value: impl FnMut(&mut W, Step) -> io::Result<()>,
) -> io::Result<()> {
    for (at, &(key, element)) in steps.iter().enumerate() {
        let sets = if holds == Keys::Lists { "append" } else { "w" };
        let (open, word) = (if at == 0 { "[" } else { "," }, element.map_or("r", |_| sets));
        write!(out, r#"{open}["{word}",{key},"#)?;
        value(out, (key, element))?;
        out.write_all(b"]")?;
    }
    out.write_all(b"]}\n")
}

fn show(out: &mut impl Write, list: &[u64]) -> io::Result<()> {
    for (at, element) in list.iter().enumerate() {
        write!(out, "{}{element}", if at == 0 { "[" } else { "," })?;
    }
    out.write_all(if list.is_empty() { b"[]" } else { b"]" })
}
