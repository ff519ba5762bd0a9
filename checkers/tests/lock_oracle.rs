//! Locks, semaphores and fenced stores against brute force, on random small histories.
//!
//! Every history has a seed of its own. To replay one that failed:
//!
//! ```text
//! ORACLE_SEED=17 cargo test -p tribunal-checkers --test lock_oracle
//! ```

mod oracle;
mod searched;

use std::fmt::Debug;
use std::hash::Hash;

use oracle::{Draw, Outcome, Timed};
use tribunal_checkers::linearizability::lock::{
    Call, FencedLock, FencedStore, OwnedLock, Semaphore, fenced, owner, semaphore, store,
};
use tribunal_checkers::linearizability::model::Op;
use tribunal_history::Datum;

/// What a judge said of a history: its answer, and the calls of its witness.
type Answer = Option<Result<(), Vec<u32>>>;

/// How many histories came out which way.
#[derive(Default)]
struct Counts {
    linearizable: u64,
    not: u64,
    left: u64,
}

impl Counts {
    fn add<C: Clone + Debug, S: Clone + Eq + Hash>(
        &mut self,
        seed: u64,
        ops: &[Op<C>],
        answer: Answer,
        init: S,
        step: &impl Fn(&S, &C) -> Vec<S>,
    ) {
        let timed = |op: &Op<C>| Timed { call: op.call.clone(), start: op.start, end: op.end };
        let calls: Vec<Timed<C>> = ops.iter().map(timed).collect();
        let expected = oracle::linearizable(&calls, init.clone(), step);
        match expected {
            true => self.linearizable += 1,
            false => self.not += 1,
        }
        let Some(answer) = answer else {
            self.left += 1;
            return;
        };
        assert_eq!(answer.is_ok(), expected, "seed {seed}: {answer:?}\n{ops:#?}");
        if let Err(witness) = answer {
            let calls: Vec<_> = witness.iter().map(|&at| timed(&ops[at as usize])).collect();
            let convicts = !oracle::linearizable(&calls, init, step);
            assert!(convicts, "seed {seed}: the witness {witness:?} proves nothing\n{ops:#?}");
        }
    }

    fn print(&self, name: &str) {
        let Self { linearizable, not, left } = self;
        println!(
            "{name}: {linearizable} linearizable, {not} not, {left} left to the search, \
             0 mismatches"
        );
        let all = linearizable + not;
        if all > 1 {
            assert!(*linearizable > all / 10 && *not > all / 10, "{name}: too few of a kind");
            assert!(*left < all / 2, "{name}: the judge answers too seldom");
        }
    }
}

/// Makes a history of at most so many calls: `call` draws what happens at a slot, by its process and whether it takes effect.
fn history<C>(
    draw: &mut Draw,
    most: u64,
    mut call: impl FnMut(&mut Draw, u64, bool, bool) -> Option<C>,
) -> Vec<Op<C>> {
    let crashed = draw.below(5);
    let slots = oracle::slots(draw, most, crashed);
    let processes = oracle::processes(draw, &slots);
    let mut ops = Vec::new();
    for (slot, process) in slots.iter().zip(processes) {
        let ok = slot.outcome == Outcome::Ok;
        let effect = ok || (slot.outcome != Outcome::Fail && draw.one_in(2));
        let Some(call) = call(draw, process, effect, ok) else { continue };
        if slot.outcome != Outcome::Fail {
            ops.push(Op { call, start: slot.start, end: slot.deadline(), number: 0 });
        }
    }
    ops.sort_by_key(|op| op.start);
    (0..).zip(&mut ops).for_each(|(number, op)| op.number = number);
    ops
}

fn permitted(draw: &mut Draw, most: u64, permits: u32) -> Vec<Op<Call>> {
    let (mut held, wild, tries) = (0, 2 + draw.below(5), draw.one_in(4));
    history(draw, most, |draw, process, effect, ok| {
        let mut acquires = draw.below(u64::from(permits)) >= held;
        let refused = tries && ok && held == u64::from(permits) && draw.one_in(2);
        if draw.one_in(wild) {
            acquires = !acquires;
        } else if refused {
            return Some(Call::Refused { process });
        }
        match acquires {
            true if effect => held += 1,
            false if effect => held = held.saturating_sub(1),
            _ => {}
        }
        Some(match acquires {
            true => Call::Acquire { process, token: None },
            false => Call::Release { process },
        })
    })
}

#[test]
fn semaphores() {
    for permits in [1, 2, 3] {
        let mut counts = Counts::default();
        for seed in oracle::seeds() {
            let ops = permitted(&mut Draw(seed), 10, permits);
            let answer = semaphore::check(&ops, permits);
            let answer = answer.map(|found| found.map_err(|jam| jam.calls));
            counts.add(seed, &ops, answer, 0_u32, &|&held, call| match call {
                Call::Acquire { .. } if held < permits => vec![held + 1],
                Call::Release { .. } if held > 0 => vec![held - 1],
                Call::Refused { .. } if held == permits => vec![held],
                _ => vec![],
            });
        }
        counts.print(&format!("semaphore of {permits}"));
    }
}

/// Who holds a lock, and how often.
type Held = Option<(u64, u32)>;

fn owned(draw: &mut Draw, most: u64, depth: u32) -> Vec<Op<Call>> {
    let mut held: Held = None;
    let (wild, tries) = (4 + draw.below(20), draw.one_in(3));
    history(draw, most, |draw, process, effect, ok| {
        let mine = held.is_some_and(|(holder, _)| holder == process);
        let again = mine && held.is_some_and(|(_, times)| times < depth) && draw.one_in(2);
        if held.is_some() && !mine && !draw.one_in(wild) {
            return (tries && ok && draw.one_in(2)).then_some(Call::Refused { process });
        }
        let acquires = (held.is_none() || again) != draw.one_in(wild);
        if effect {
            let times = held.filter(|_| mine).map_or(0, |(_, times)| times);
            held = match acquires {
                true => Some((process, times + 1)),
                false => times.checked_sub(1).filter(|&left| left > 0).map(|left| (process, left)),
            };
        }
        Some(match acquires {
            true => Call::Acquire { process, token: None },
            false => Call::Release { process },
        })
    })
}

fn step_owned(held: Held, call: Call, depth: u32) -> Vec<Held> {
    match (held, call) {
        (None, Call::Acquire { process, .. }) => vec![Some((process, 1))],
        (Some((holder, times)), Call::Acquire { process, .. }) => match holder == process {
            true if times < depth => vec![Some((holder, times + 1))],
            _ => vec![],
        },
        (Some((holder, times)), Call::Release { process }) => match holder == process {
            true if times > 1 => vec![Some((holder, times - 1))],
            true => vec![None],
            false => vec![],
        },
        (Some((holder, times)), Call::Refused { process }) => match holder == process {
            true if times < depth => vec![],
            _ => vec![held],
        },
        (None, _) => vec![],
    }
}

#[test]
fn locks_with_owners() {
    for depth in [1, 2, u32::MAX] {
        let mut counts = Counts::default();
        for seed in oracle::seeds() {
            let ops = owned(&mut Draw(seed), 10, depth);
            let answer = owner::check(&ops, depth);
            let answer = answer.map(|found| found.map_err(|breach| breach.calls(&ops)));
            let step = |held: &Held, call: &Call| step_owned(*held, *call, depth);
            counts.add(seed, &ops, answer, None, &step);
        }
        counts.print(&format!("lock that its holder may hold {depth} times"));
    }
}

/// Gives the acquires of a history tokens, mostly growing ones.
fn with_tokens(draw: &mut Draw, ops: &mut [Op<Call>], wild: u64) {
    let mut order: Vec<usize> = (0..ops.len()).collect();
    // The middle of a call, more or less.
    order.sort_by_key(|&at| ops[at].start + ops[at].end.min(ops[at].start + 4));
    let mut next = 1;
    for at in order {
        if let Call::Acquire { token, .. } = &mut ops[at].call {
            next += 1 + draw.below(2) as i64;
            let drawn = if draw.one_in(wild) { 1 + draw.below(8) as i64 } else { next };
            *token = (ops[at].end != oracle::NEVER).then_some(drawn);
        }
    }
}

fn fenced(draw: &mut Draw, most: u64, exclusive: bool) -> Vec<Op<Call>> {
    let mut ops = owned(draw, most, 1);
    // An exclusive lock has more to go wrong than its tokens.
    let wild = 1 + draw.below(if exclusive { 12 } else { 4 });
    with_tokens(draw, &mut ops, wild);
    ops
}

#[test]
fn fenced_locks() {
    for exclusive in [true, false] {
        let mut counts = Counts::default();
        for seed in oracle::seeds() {
            let ops = fenced(&mut Draw(seed), 10, exclusive);
            let answer = fenced::check(&ops, exclusive);
            let answer = answer.map(|found| found.map_err(|breach| breach.calls(&ops)));
            let init: (Option<u64>, i64) = (None, i64::MIN);
            counts.add(seed, &ops, answer, init, &|&(holder, last), call| match *call {
                Call::Acquire { process, token } => {
                    let free = !exclusive || holder.is_none();
                    let grows = token.is_none_or(|token| token > last);
                    let after = (Some(process), token.unwrap_or(last));
                    if free && grows { vec![after] } else { vec![] }
                }
                Call::Release { process } if !exclusive || holder == Some(process) => {
                    vec![(None, last)]
                }
                Call::Refused { .. } if !exclusive || holder.is_some() => vec![(holder, last)],
                _ => vec![],
            });
        }
        counts.print(if exclusive { "fenced lock" } else { "fenced lock that expires" });
    }
}

fn guarded(draw: &mut Draw, most: u64) -> Vec<Op<store::Call>> {
    let (mut highest, mut held) = (1, None);
    let (wild, reads) = (2 + draw.below(6), draw.one_in(8));
    history(draw, most, |draw, process, effect, ok| {
        if reads && ok && draw.one_in(3) {
            return Some(store::Call::Read(held.unwrap_or(Datum::NULL)));
        }
        let mut token = highest + draw.below(2) as i64;
        if draw.one_in(wild) {
            token = 1 + draw.below(6) as i64;
        }
        let value = Datum::int(process as i64).expect("a small number");
        if effect {
            (highest, held) = (highest.max(token), Some(value));
        }
        Some(store::Call::Write { token, value })
    })
}

#[test]
fn fenced_stores() {
    let mut counts = Counts::default();
    for seed in oracle::seeds() {
        let ops = guarded(&mut Draw(seed), 10);
        let answer = store::check(&ops);
        let answer = answer.map(|found| found.map_err(|breach| vec![breach.newer, breach.stale]));
        let init = (i64::MIN, Datum::NULL);
        counts.add(seed, &ops, answer, init, &|&(highest, held), call| match *call {
            store::Call::Write { token, value } if token >= highest => vec![(token, value)],
            store::Call::Read(value) if value == held => vec![(highest, held)],
            _ => vec![],
        });
    }
    counts.print("fenced store");
}

#[test]
fn the_search_agrees() {
    use searched::{CALLS, compare};
    for permits in [1, 2, 3] {
        let draw = |draw: &mut Draw| permitted(draw, CALLS, permits);
        let judge = |ops: &[Op<Call>]| semaphore::check(ops, permits);
        compare(&format!("semaphore of {permits}"), &Semaphore { permits }, draw, judge);
    }
    for depth in [1, 2, u32::MAX] {
        let draw = |draw: &mut Draw| owned(draw, CALLS, depth);
        let judge = |ops: &[Op<Call>]| owner::check(ops, depth);
        compare(&format!("lock held {depth} times"), &OwnedLock { depth }, draw, judge);
    }
    for exclusive in [true, false] {
        let draw = |draw: &mut Draw| fenced(draw, CALLS, exclusive);
        let judge = |ops: &[Op<Call>]| fenced::check(ops, exclusive);
        compare("fenced lock", &FencedLock { exclusive }, draw, judge);
    }
    compare("fenced store", &FencedStore::default(), |draw| guarded(draw, CALLS), store::check);
}
