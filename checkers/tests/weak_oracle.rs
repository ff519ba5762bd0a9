//! The weak levels of registers against brute force, on random small histories.
//!
//! The truth is by the definition (Biswas and Enea, OOPSLA 2019): whether there is one order of all
//! transactions, with each session's in order and writers before their readers, in which everybody
//! reads the last of the writers that it saw. All orders are tried.
//!
//! ```text
//! ORACLE_HISTORIES=500000 cargo test --release -p tribunal-checkers --test weak_oracle -- --nocapture
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test weak_oracle
//! ```

mod oracle;

use std::collections::BTreeMap;

use oracle::{Draw, seeds};
use rayon::prelude::*;
use serde_json::{Value, json};
use tribunal_checkers::transactions::{Level, Weak};
use tribunal_checkers::{Checker, Validity};
use tribunal_history::{Call, Event, History, Kind, Process};

/// A step of a transaction: a key, and what it read (0: nothing) or wrote.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Read(u64, u64),
    Write(u64, u64),
}

/// A transaction as it is drawn.
#[derive(Clone, Debug)]
struct Txn {
    steps: Vec<Step>,
    session: u64,
    kind: Kind,
}

/// Transactions that read what others wrote, mostly of few commits ago.
fn drawn(draw: &mut Draw) -> Vec<Txn> {
    let (sessions, keys) = (1 + draw.below(4), 1 + draw.below(3));
    let (most, stale) = (2 + draw.below(5), 1 + draw.below(6));
    let nonsense = if draw.one_in(5) { 12 } else { 1_000_000 };
    let mut written: Vec<Vec<u64>> = vec![vec![0]; keys as usize];
    let mut value = 0;
    let mut txns: Vec<Txn> = Vec::new();
    for _ in 0..most {
        let session = draw.below(sessions);
        let mut own: BTreeMap<u64, u64> = BTreeMap::new();
        let mut steps = Vec::new();
        for _ in 0..1 + draw.below(4) {
            let key = draw.below(keys);
            if draw.one_in(2) {
                value += 1;
                own.insert(key, value);
                steps.push(Step::Write(key, value));
                if draw.one_in(nonsense) {
                    written[key as usize].push(value);
                }
                continue;
            }
            let all = &written[key as usize];
            let back = if draw.one_in(stale) { draw.below(all.len() as u64) } else { 0 };
            let mut found = all[all.len() - 1 - back as usize];
            if let Some(&mine) = own.get(&key) {
                found = if draw.one_in(nonsense) { found } else { mine };
            }
            found = if draw.one_in(nonsense) { draw.below(value + 3) } else { found };
            steps.push(Step::Read(key, found));
        }
        let kind = match draw.below(14) {
            0 => Kind::Info,
            1 => Kind::Fail,
            _ => Kind::Ok,
        };
        if kind != Kind::Fail || draw.one_in(nonsense) {
            own.into_iter().for_each(|(key, value)| written[key as usize].push(value));
        }
        txns.push(Txn { steps, session, kind });
    }
    // Now and then in another order: what was read may then come later in a session.
    if draw.one_in(3) {
        let by = draw.below(most) as usize;
        txns.rotate_left(by);
    }
    txns
}

fn history(txns: &[Txn]) -> History {
    let mut events = Vec::new();
    for (time, txn) in (0..).zip(txns) {
        let value = |told: bool| -> Value {
            let step = |step: &Step| match *step {
                Step::Read(key, found) => {
                    json!(["r", key, Some(found).filter(|&found| told && found != 0)])
                }
                Step::Write(key, value) => json!(["w", key, value]),
            };
            txn.steps.iter().map(step).collect()
        };
        for (kind, told) in [(Kind::Invoke, false), (txn.kind, txn.kind == Kind::Ok)] {
            let call = Call::new("txn").value(value(told));
            events.push(Event::of(&call, time, Process::Client(txn.session), kind));
        }
    }
    History::new(events).expect("drawn well")
}

/// A read of another's write: the key and the writer, `None` where it found nothing.
type External = (u64, Option<usize>);

/// What brute force needs: the transactions that happened, and who was read.
struct Truth<'t> {
    txns: &'t [Txn],
    happened: Vec<usize>,
    reads: Vec<Vec<External>>,
    /// Whether each saw each, itself, and through others.
    saw: Vec<Vec<bool>>,
    saw_through: Vec<Vec<bool>>,
}

impl<'t> Truth<'t> {
    /// `None` where a read has no writer that could be read.
    fn of(txns: &'t [Txn]) -> Option<Self> {
        let mut reads = vec![Vec::new(); txns.len()];
        for (at, txn) in txns.iter().enumerate().filter(|(_, txn)| txn.kind == Kind::Ok) {
            let mut own = BTreeMap::new();
            for step in &txn.steps {
                match *step {
                    Step::Write(key, value) => {
                        own.insert(key, value);
                    }
                    Step::Read(key, found) => match own.get(&key) {
                        Some(&mine) if mine != found => return None,
                        Some(_) => {}
                        None => reads[at].push((key, writer(txns, at, key, found)?)),
                    },
                }
            }
        }
        let read = |at: usize| reads.iter().flatten().any(|&(_, writer)| writer == Some(at));
        let happened = |&at: &usize| match txns[at].kind {
            Kind::Ok => true,
            Kind::Info => read(at),
            _ => false,
        };
        let happened: Vec<usize> = (0..txns.len()).filter(happened).collect();
        let mut saw = vec![vec![false; txns.len()]; txns.len()];
        for &one in &happened {
            for &other in &happened {
                let session = txns[one].session == txns[other].session;
                saw[other][one] = session && one < other && txns[one].kind == Kind::Ok;
                saw[other][one] |= reads[other].iter().any(|&(_, writer)| writer == Some(one));
            }
        }
        let mut saw_through = saw.clone();
        for middle in 0..txns.len() {
            for by in 0..txns.len() {
                for seen in 0..txns.len() {
                    saw_through[by][seen] |= saw_through[by][middle] && saw_through[middle][seen];
                }
            }
        }
        Some(Self { txns, happened, reads, saw, saw_through })
    }

    fn writes(&self, txn: usize, key: u64) -> bool {
        self.txns[txn].steps.iter().any(|step| matches!(step, Step::Write(it, _) if *it == key))
    }

    /// Whether an order that holds, so far, `before` can go on with everybody else.
    fn extends(&self, level: Level, before: &mut Vec<usize>) -> bool {
        if before.len() == self.happened.len() {
            return true;
        }
        let next: Vec<usize> =
            self.happened.iter().copied().filter(|next| !before.contains(next)).collect();
        next.iter().any(|&next| {
            let ready = self.happened.iter().all(|&it| !self.saw[next][it] || before.contains(&it));
            before.push(next);
            let found = ready && self.keeps(level, before) && self.extends(level, before);
            before.pop();
            found
        })
    }

    /// Whether the last of an order reads the last writers that it saw.
    fn keeps(&self, level: Level, order: &[usize]) -> bool {
        let (&reader, before) = order.split_last().expect("somebody");
        self.reads[reader].iter().enumerate().all(|(at, &(key, writer))| {
            let from =
                writer.map_or(0, |it| 1 + before.iter().position(|&b| b == it).expect("seen"));
            before[from..].iter().all(|&other| {
                let seen = match level {
                    Level::ReadCommitted => {
                        self.reads[reader][..at].iter().any(|&(_, it)| it == Some(other))
                    }
                    Level::ReadAtomic => self.saw[reader][other],
                    _ => self.saw_through[reader][other],
                };
                !(seen && self.writes(other, key))
            })
        })
    }
}

/// The writer of what was read; the outer `None` where it could not be read.
fn writer(txns: &[Txn], reader: usize, key: u64, found: u64) -> Option<Option<usize>> {
    if found == 0 {
        return Some(None);
    }
    let wrote = |txn: &Txn| txn.steps.contains(&Step::Write(key, found));
    let writer = txns.iter().position(wrote)?;
    let last = txns[writer]
        .steps
        .iter()
        .rev()
        .find(|step| matches!(step, Step::Write(it, _) if *it == key));
    let readable = writer != reader && txns[writer].kind != Kind::Fail;
    (readable && last == Some(&Step::Write(key, found))).then_some(Some(writer))
}

const LEVELS: [Level; 3] = [Level::ReadCommitted, Level::ReadAtomic, Level::Causal];

#[test]
fn levels_agree_with_brute_force() {
    let counts: Vec<[[u64; 2]; 3]> = seeds()
        .into_par_iter()
        .map(|seed| {
            let txns = drawn(&mut Draw(seed));
            let history = history(&txns);
            let truth = Truth::of(&txns);
            LEVELS.map(|level| {
                let kept =
                    truth.as_ref().is_some_and(|truth| truth.extends(level, &mut Vec::new()));
                let verdict = Weak::of(level).expect("a weak level").check(&history);
                let expected = if kept { Validity::Valid } else { Validity::Invalid };
                assert_eq!(
                    verdict.validity, expected,
                    "seed {seed}, {level}: {txns:#?} {verdict:#?}"
                );
                assert_eq!(verdict.anomalies.is_empty(), kept, "seed {seed}, {level}");
                [u64::from(!kept), u64::from(kept)]
            })
        })
        .collect();
    for (at, level) in LEVELS.iter().enumerate() {
        let sum = |kept: usize| counts.iter().map(|counts| counts[at][kept]).sum::<u64>();
        println!("{level}: {} histories, kept {}, broken {}", counts.len(), sum(1), sum(0));
        assert!(counts.len() < 1_000 || (sum(0) > 0 && sum(1) > 0));
    }
}
