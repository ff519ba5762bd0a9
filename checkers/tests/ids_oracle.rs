//! Unique ids against brute force, on random small histories.

mod oracle;

use oracle::{Draw, Timed};
use tribunal_checkers::linearizability::ids::check;
use tribunal_checkers::linearizability::model::Op;
use tribunal_history::Datum;

#[test]
fn ids() {
    let (mut distinct, mut not) = (0, 0);
    for seed in oracle::seeds() {
        let mut draw = Draw(seed);
        let slots = oracle::slots(&mut draw, 10, 0);
        let ids = 10 + draw.below(60);
        let op = |slot: &oracle::Slot, id: u64| Op {
            call: Datum::int(id as i64).expect("a small number"),
            start: slot.start,
            end: slot.deadline(),
            number: 0,
        };
        let mut ops: Vec<Op<Datum>> = slots.iter().map(|slot| op(slot, draw.below(ids))).collect();
        ops.retain(|op| !op.crashed());
        ops.sort_by_key(|op| op.start);
        let timed = |op: &Op<Datum>| Timed { call: op.call, start: op.start, end: op.end };
        let step = |given: &Vec<Datum>, id: &Datum| match given.contains(id) {
            true => vec![],
            false => vec![given.iter().copied().chain([*id]).collect()],
        };
        let calls: Vec<_> = ops.iter().map(timed).collect();
        let expected = oracle::linearizable(&calls, Vec::new(), &step);
        let answer = check(&ops);
        assert_eq!(answer.is_ok(), expected, "seed {seed}: {answer:?}\n{ops:#?}");
        if let Err(twice) = answer {
            let [one, other] = [twice.first, twice.second].map(|at| ops[at as usize].call);
            assert_eq!(one, other, "seed {seed}: {twice:?}\n{ops:#?}");
        }
        if expected { distinct += 1 } else { not += 1 }
    }
    println!("unique ids: {distinct} linearizable, {not} not, 0 mismatches");
    let all = distinct + not;
    assert!(all == 1 || (distinct > all / 10 && not > all / 10), "too few of a kind");
}
