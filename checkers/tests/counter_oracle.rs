//! Counters against brute force, on random small histories.
//!
//! Every history has a seed of its own. To replay one that failed:
//!
//! ```text
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test counter_oracle
//! ```

mod oracle;
mod searched;

use oracle::{Draw, Outcome, Timed};
use tribunal_checkers::linearizability::counter::{Breach, Call, Counter, bounds, units};
use tribunal_checkers::linearizability::model::Op;

fn step(sum: &i64, call: &Call) -> Vec<i64> {
    match *call {
        Call::Add(amount) => vec![sum + amount],
        Call::Read(found) if found == *sum => vec![*sum],
        Call::FetchAdd { found, amount } if found == *sum => vec![sum + amount],
        _ => vec![],
    }
}

/// Calls on a counter that starts at `initial`, `most` at the most; of ten adds, `fetches` return the sum.
fn history(
    draw: &mut Draw,
    most: u64,
    initial: i64,
    amounts: &[i64],
    fetches: u64,
) -> Vec<Op<Call>> {
    let crashed = draw.below(5);
    let slots = oracle::slots(draw, most, crashed);
    let (mut sum, wild) = (initial, 3 + draw.below(25));
    let mut ops = Vec::new();
    for slot in slots {
        let ok = slot.outcome == Outcome::Ok;
        let effect = ok || (slot.outcome != Outcome::Fail && draw.one_in(2));
        let mut found = sum;
        if draw.one_in(wild) {
            found += draw.below(5) as i64 - 2;
        }
        let amount = amounts[draw.below(amounts.len() as u64) as usize];
        let call = match draw.below(10) {
            0..=4 if ok => Call::Read(found),
            0..=4 => continue,
            _ if ok && draw.below(10) < fetches => Call::FetchAdd { found, amount },
            _ => Call::Add(amount),
        };
        if effect && !matches!(call, Call::Read(_)) {
            sum += amount;
        }
        if slot.outcome != Outcome::Fail {
            ops.push(Op { call, start: slot.start, end: slot.deadline(), number: 0 });
        }
    }
    ops.sort_by_key(|op| op.start);
    (0..).zip(&mut ops).for_each(|(number, op)| op.number = number);
    ops
}

fn linearizable<'a>(ops: impl Iterator<Item = &'a Op<Call>>, initial: i64) -> bool {
    let timed = |op: &Op<Call>| Timed { call: op.call, start: op.start, end: op.end };
    oracle::linearizable(&ops.map(timed).collect::<Vec<_>>(), initial, &step)
}

/// How many histories came out which way.
#[derive(Default)]
struct Counts {
    linearizable: u64,
    not: u64,
    left: u64,
    innocent: u64,
}

impl Counts {
    fn add(
        &mut self,
        seed: u64,
        (ops, initial): (&[Op<Call>], i64),
        answer: Option<Result<(), Breach>>,
    ) {
        let expected = linearizable(ops.iter(), initial);
        match expected {
            true => self.linearizable += 1,
            false => self.not += 1,
        }
        let Some(answer) = answer else {
            self.left += 1;
            self.innocent += u64::from(expected);
            return;
        };
        assert_eq!(answer.is_ok(), expected, "seed {seed}: {answer:?}\n{ops:#?}");
        if let Err(breach) = answer {
            let witness = breach.calls.iter().map(|&at| &ops[at as usize]);
            let convicts = !linearizable(witness, initial);
            assert!(convicts, "seed {seed}: {breach:?} proves nothing\n{ops:#?}");
            assert!(breach.calls.is_sorted(), "seed {seed}: {breach:?}");
        }
    }

    fn print(&self, name: &str) {
        let Self { linearizable, not, left, innocent } = self;
        println!(
            "{name}: {linearizable} linearizable, {not} not, {left} left to the search \
             ({innocent} linearizable), 0 mismatches"
        );
        let all = linearizable + not;
        let enough = all == 1 || (*linearizable > all / 10 && *not > all / 10);
        assert!(enough, "{name}: too few of a kind");
    }
}

#[test]
fn adds_of_one_amount() {
    for (fetches, amount) in [(0, 1), (0, -3), (10, 2), (4, 1)] {
        let mut counts = Counts::default();
        for seed in oracle::seeds() {
            let mut draw = Draw(seed);
            let initial = draw.below(3) as i64 - 1;
            let ops = history(&mut draw, 10, initial, &[amount], fetches);
            counts.add(seed, (&ops, initial), units::check(&ops, initial));
        }
        assert_eq!(counts.left, 0, "equal amounts are decided");
        counts.print(&format!("adds of {amount}, of which {fetches} in ten fetch"));
    }
}

#[test]
fn adds_of_any_amount() {
    for (fetches, amounts) in [(0, &[1, 2, 3][..]), (3, &[1, 2, 5]), (2, &[1, -1, 2, -2])] {
        let mut counts = Counts::default();
        for seed in oracle::seeds() {
            let mut draw = Draw(seed);
            let initial = draw.below(3) as i64 - 1;
            let ops = history(&mut draw, 10, initial, amounts, fetches);
            counts.add(seed, (&ops, initial), bounds::check(&ops, initial));
        }
        let guilty = counts.left - counts.innocent;
        counts.print(&format!("adds of {amounts:?}"));
        assert!(guilty < counts.not, "the bounds convict nobody");
    }
}

#[test]
fn the_search_agrees() {
    let counter = Counter { initial: 1 };
    for (fetches, amount) in [(0, 1), (4, -2)] {
        let draw = |draw: &mut Draw| history(draw, searched::CALLS, 1, &[amount], fetches);
        let name = format!("adds of {amount}, of which {fetches} in ten fetch,");
        searched::compare(&name, &counter, draw, |ops| units::check(ops, 1));
    }
}
