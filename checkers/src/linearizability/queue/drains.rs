//! Drains as the takes that they stand for.

use tribunal_history::Datum;

use super::Call;
use crate::linearizability::model::Op;

/// The calls with every drain replaced by its takes and, if it was answered, by a call that found nothing.
///
/// A drain without an answer may have taken anything; the first of them stands
/// for all, with a take for every value that nobody is known to have taken.
pub fn expand(ops: Vec<Op<Call>>) -> Vec<Op<Call>> {
    if !ops.iter().any(|op| matches!(op.call, Call::Drain(_))) {
        return ops;
    }
    let mut left = leftover(&ops);
    let mut all = Vec::with_capacity(ops.len() + left);
    for op in ops {
        let Call::Drain(values) = &op.call else {
            all.push(op);
            continue;
        };
        let (start, end, number) = (op.start, op.end, op.number);
        let part = |call| Op { call, start, end, number };
        match values {
            Some(values) => {
                all.extend(values.iter().map(|&value| part(Call::Took(value))));
                all.push(part(Call::Empty));
            }
            None => all.extend((0..std::mem::take(&mut left)).map(|_| part(Call::Take))),
        }
    }
    all
}

/// How many values were put in and not seen to be taken.
fn leftover(ops: &[Op<Call>]) -> usize {
    let (mut put, mut took) = (0_usize, 0);
    for op in ops {
        match &op.call {
            Call::Put(_) => put += 1,
            Call::Took(_) => took += 1,
            Call::Drain(Some(values)) => took += <[Datum]>::len(values),
            Call::Drain(None) | Call::Empty | Call::Take => {}
        }
    }
    put.saturating_sub(took)
}
