//! Logs against brute force, on random small histories.
//!
//! The oracle gives an append of unknown outcome every offset there is; the model's own
//! steps leave it open until it is polled, and are tried too. To replay a history that failed:
//!
//! ```text
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test log_oracle
//! ```

mod oracle;
mod searched;

use std::collections::{BTreeMap, BTreeSet};

use oracle::{Draw, Outcome, Timed};
use tribunal_checkers::linearizability::log::{Call, Log, offsets};
use tribunal_checkers::linearizability::model::{Model, Op};
use tribunal_history::Datum;

/// Offsets and values, and where each consumer's last poll ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Held {
    entries: Vec<(i64, Datum)>,
    consumers: BTreeMap<u64, i64>,
}

/// `polled` are all offsets that any poll found: an append of unknown outcome at another one
/// might as well not have happened.
fn step(polled: &BTreeSet<i64>, held: &Held, call: &Call) -> Vec<Held> {
    match call {
        Call::Append { value, offset } => {
            let last = held.entries.last().map_or(i64::MIN, |&(offset, _)| offset);
            let known = offset.map(|offset| BTreeSet::from([offset]));
            let append = |&offset: &i64| {
                let mut after = held.clone();
                after.entries.push((offset, *value));
                after
            };
            let offsets = known.as_ref().unwrap_or(polled);
            offsets.iter().filter(|&&offset| offset > last).map(append).collect()
        }
        Call::Seek { process } => {
            let mut after = held.clone();
            after.consumers.remove(process);
            vec![after]
        }
        Call::Poll { entries, .. } if entries.is_empty() => vec![held.clone()],
        Call::Poll { process, entries } => {
            let from = entries[0].0;
            let run: Vec<_> = held.entries.iter().filter(|&&(offset, _)| offset >= from).collect();
            let fits =
                run.len() >= entries.len() && run.iter().zip(entries).all(|(a, b)| **a == *b);
            let last = held.consumers.get(process);
            let next = |last: i64| held.entries.iter().find(|&&(offset, _)| offset > last);
            let follows = last.is_none_or(|&last| next(last).is_some_and(|next| next.0 == from));
            if !fits || !follows {
                return vec![];
            }
            let mut after = held.clone();
            after.consumers.insert(*process, entries[entries.len() - 1].0);
            vec![after]
        }
    }
}

/// A log that is right most of the time.
struct Drawn {
    entries: Vec<(i64, Datum)>,
    consumers: BTreeMap<u64, usize>,
    /// One poll in so many is wrong, and one append in four times as many.
    wild: u64,
    /// Values are below this, or new each time.
    values: Option<u64>,
    next: i64,
}

impl Drawn {
    fn append(&mut self, draw: &mut Draw, effect: bool, ok: bool) -> Call {
        self.next += 1;
        let drawn = self.values.map_or(self.next, |values| draw.below(values) as i64);
        let value = Datum::int(drawn).expect("a small number");
        let mut offset = self.entries.last().map_or(0, |&(offset, _)| offset + 1);
        offset += i64::from(draw.one_in(4));
        // Now and then a later append gets a lower offset.
        let hole = self.entries.last().map_or(0, |&(last, _)| (last - 1).max(0));
        let free = !self.entries.iter().any(|&(there, _)| there == hole);
        if free && draw.one_in(2) {
            offset = hole;
        }
        if effect || draw.one_in(2 * self.wild) {
            self.entries.push((offset, value));
            self.entries.sort();
        }
        if draw.one_in(4 * self.wild) {
            offset += draw.below(3) as i64 - 1;
        }
        Call::Append { value, offset: ok.then_some(offset.max(0)) }
    }

    fn poll(&mut self, draw: &mut Draw, process: u64) -> Call {
        let anywhere = draw.below(self.entries.len() as u64 + 1) as usize;
        let mut from = self.consumers.get(&process).copied().unwrap_or(anywhere / 2);
        if draw.one_in(self.wild) {
            from = anywhere;
        }
        let to = self.entries.len().min(from + 1 + draw.below(3) as usize);
        let mut entries = self.entries[from.min(to)..to].to_vec();
        self.consumers.insert(process, to.max(from));
        let wrong = entries.len() as u64 * u64::from(draw.one_in(self.wild));
        if wrong > 0 {
            let at = draw.below(wrong) as usize;
            match draw.below(4) {
                0 => drop(entries.remove(at)),
                1 => entries[at].0 = (entries[at].0 + 2 - draw.below(5) as i64).max(0),
                2 => entries[at].1 = Datum::int(draw.below(6) as i64).expect("small"),
                _ => entries.reverse(),
            }
        }
        Call::Poll { process, entries: entries.into() }
    }
}

/// At most so many calls on a log.
fn history(draw: &mut Draw, most: u64) -> Vec<Op<Call>> {
    let crashed = draw.below(6);
    let slots = oracle::slots(draw, most, crashed);
    let processes = oracle::processes(draw, &slots);
    let values = draw.one_in(3).then(|| 1 + draw.below(4));
    let (entries, consumers) = (Vec::new(), BTreeMap::new());
    let mut log = Drawn { entries, consumers, wild: 1 + draw.below(8), values, next: 0 };
    let mut ops = Vec::new();
    for (slot, process) in slots.iter().zip(processes) {
        let ok = slot.outcome == Outcome::Ok;
        let call = match draw.below(12) {
            0..=4 => {
                let effect = ok || (slot.outcome != Outcome::Fail && !draw.one_in(3));
                log.append(draw, effect, ok)
            }
            5 => {
                log.consumers.remove(&process);
                Call::Seek { process }
            }
            _ if ok => log.poll(draw, process),
            _ => {
                log.consumers.remove(&process);
                Call::Seek { process }
            }
        };
        if slot.outcome != Outcome::Fail {
            ops.push(Op { call, start: slot.start, end: slot.deadline(), number: 0 });
        }
    }
    ops.sort_by_key(|op| op.start);
    (0..).zip(&mut ops).for_each(|(number, op)| op.number = number);
    ops
}

/// Whether the oracle finds an order of these calls of a history.
fn linearizable<'a>(ops: impl Iterator<Item = &'a Op<Call>> + Clone) -> bool {
    let mut polled = BTreeSet::new();
    for op in ops.clone() {
        if let Call::Poll { entries, .. } = &op.call {
            polled.extend(entries.iter().map(|&(offset, _)| offset));
        }
    }
    let step = |held: &Held, call: &Call| step(&polled, held, call);
    oracle::linearizable(&timed(ops), Held::default(), &step)
}

fn timed<'a>(ops: impl Iterator<Item = &'a Op<Call>>) -> Vec<Timed<Call>> {
    ops.map(|op| Timed { call: op.call.clone(), start: op.start, end: op.end }).collect()
}

#[test]
fn logs() {
    let (mut yes, mut not) = (0, 0);
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for seed in oracle::seeds() {
        let ops = history(&mut Draw(seed), 10);
        let expected = linearizable(ops.iter());
        match expected {
            true => yes += 1,
            false => not += 1,
        }
        // The model's own steps are slow.
        if seed % 16 == 0 {
            let step = |held: &_, call: &Call| Log.step(held, call).into_iter().collect::<Vec<_>>();
            let by_model = oracle::linearizable(&timed(ops.iter()), Log.init(), &step);
            assert_eq!(by_model, expected, "seed {seed}: the model's steps\n{ops:#?}");
        }
        let answer = offsets::check(&ops);
        assert_eq!(answer.is_ok(), expected, "seed {seed}: {answer:?}\n{ops:#?}");
        if let Err(breach) = answer {
            let calls = breach.calls(&ops);
            let convicts = !linearizable(calls.iter().map(|&at| &ops[at as usize]));
            assert!(convicts, "seed {seed}: {breach:?}, {calls:?} proves nothing\n{ops:#?}");
            let told = format!("{breach:?}");
            *kinds.entry(told.split(' ').next().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    println!("log: {yes} linearizable, {not} not, 0 mismatches; {kinds:?}");
    let all = yes + not;
    assert!(all == 1 || (yes > all / 10 && not > all / 10), "too few of a kind");
    assert!(all == 1 || kinds.len() == 7, "a kind of breach never came up: {kinds:?}");
}

#[test]
fn the_search_agrees() {
    let draw = |draw: &mut Draw| history(draw, searched::CALLS);
    searched::compare("log", &Log, draw, |ops| Some(offsets::check(ops)));
}
