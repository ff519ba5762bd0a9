//! Objects for the general search, how to draw calls on them, and what brute force says of
//! those. The search itself is not called here.
#![allow(dead_code, reason = "every test binary uses a part of it")]

mod objects;

use tribunal_checkers::linearizability::model::{Model, Op};

use crate::oracle::{self, Draw, Outcome, Timed};
pub use objects::*;

/// An object to judge, and how to draw its calls.
pub trait Subject: Model {
    /// A call that somebody may make, without its answer.
    fn draw(&self, draw: &mut Draw) -> Self::Call;
    /// The call as `state` answers it; now and then wrongly.
    fn answer(&self, draw: &mut Draw, call: &Self::Call, state: &Self::State) -> Self::Call;
}

/// Calls of a subject that overlap, some without an answer. The first few are answered rightly.
pub fn drawn<S: Subject>(
    subject: &S,
    draw: &mut Draw,
    (most, crashed): (u64, u64),
    honest: u32,
) -> Vec<Op<S::Call>> {
    let mut state = subject.init();
    let mut ops = Vec::new();
    for (number, slot) in (0..).zip(oracle::slots(draw, most, crashed)) {
        let asked = subject.draw(draw);
        let mut answered = subject.answer(draw, &asked, &state);
        while number < honest && subject.step(&state, &answered).into_iter().next().is_none() {
            answered = subject.answer(draw, &asked, &state);
        }
        let ok = slot.outcome == Outcome::Ok;
        let call = if ok { answered } else { asked };
        let happens = match slot.outcome {
            Outcome::Ok => number < honest || !draw.one_in(10),
            Outcome::Fail => number >= honest && draw.one_in(8),
            Outcome::Info | Outcome::Open => draw.one_in(2),
        };
        if happens {
            let mut after: Vec<S::State> = subject.step(&state, &call).into_iter().collect();
            if !after.is_empty() {
                state = after.swap_remove(draw.below(after.len() as u64) as usize);
            }
        }
        let looks = subject.looks(&call);
        if slot.outcome != Outcome::Fail && (ok || !looks) {
            ops.push(Op { call, start: slot.start, end: slot.deadline(), number });
        }
    }
    ops.sort_by_key(|op| op.start);
    // One call may stand for several, as a drain does: they begin and end together.
    let late = |op: &Op<S::Call>| op.number >= honest;
    for at in 1..ops.len() {
        if late(&ops[at]) && late(&ops[at - 1]) && draw.one_in(12) {
            (ops[at].start, ops[at].end) = (ops[at - 1].start, ops[at - 1].end);
        }
    }
    ops
}

/// What the brute force says of some of the calls.
pub fn truth<S: Subject>(subject: &S, ops: &[Op<S::Call>], chosen: &[usize]) -> bool {
    let timed: Vec<Timed<S::Call>> = chosen
        .iter()
        .map(|&at| Timed { call: ops[at].call.clone(), start: ops[at].start, end: ops[at].end })
        .collect();
    let step = |state: &S::State, call: &S::Call| subject.step(state, call).into_iter().collect();
    oracle::linearizable(&timed, subject.init(), &step)
}
