//! The calls on an object in the order of time: as they begin, and as they end.
//!
//! Places in the log are small and dense where an object has a history of its
//! own, so ordering the ends costs a pass; an object of many has them sorted.

use super::model::{NEVER, Op, Point};

/// An event of a call, which is named by its position among the object's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    /// It began.
    Start(u32),
    /// It was acknowledged.
    End(u32),
}

/// Log places per call up to which a pass over all places is cheaper than sorting.
const SPARSE: usize = 16;

/// The positions of the acknowledged calls, in the order of their ends.
pub(super) fn by_end<C>(ops: &[Op<C>]) -> Vec<u32> {
    const NONE: u32 = u32::MAX;
    let ended = || (0..).zip(ops).filter(|(_, op)| op.end != NEVER);
    let first = ops.first().map_or(0, |op| op.start);
    let last = ended().map(|(_, op)| op.end).max().unwrap_or(first);
    let places = last.saturating_sub(first) as usize + 1;
    if places > SPARSE * ops.len() {
        let mut order: Vec<(Point, u32)> = ended().map(|(at, op)| (op.end, at)).collect();
        order.sort_unstable();
        return order.into_iter().map(|(_, at)| at).collect();
    }
    let mut order = vec![NONE; places];
    ended().for_each(|(at, op)| order[(op.end - first) as usize] = at);
    order.retain(|&at| at != NONE);
    order
}

/// Everything that happens to the calls, in order. They come in the order of their starts.
pub(super) fn moments<C>(ops: &[Op<C>]) -> impl Iterator<Item = Moment> {
    let ends = by_end(ops);
    let (mut begun, mut ended) = (0, 0);
    std::iter::from_fn(move || {
        let start = ops.get(begun).map(|op| op.start);
        let end = ends.get(ended).map(|&at| ops[at as usize].end);
        if start.is_some_and(|start| end.is_none_or(|end| start < end)) {
            begun += 1;
            return Some(Moment::Start(begun as u32 - 1));
        }
        ended += 1;
        end.map(|_| Moment::End(ends[ended - 1]))
    })
}
