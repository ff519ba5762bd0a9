//! Failures shrunk to the calls that show them.
//!
//! To leave a call out of a history may make a conflict where there was none: without a
//! write, a read of its value comes from nowhere. To *forget* whether a call happened
//! never does: whatever order explained the history still does. So a call is left out of
//! a witness only if there is no order even when it is forgotten. Forgetting more never makes an
//! order harder to find, so calls that were tried once need not be tried again, and what is
//! left is minimal: of no call in it could the outcome be forgotten.
//!
//! Long histories are shrunk from a checkpoint on: all that happened before
//! it is summed up exactly by what the object may have held there.

use std::sync::atomic::AtomicBool;

use super::super::model::{Model, NEVER, Op, Point};
use super::breadth::{Breadth, Checkpoint, Ended};
use super::plan::{Cursor, Plan, Problem, Start};
use super::slots::Slots;
use super::space::{ClassId, Space};
use super::table::Config;
use super::walk::{Limits, Walk};
use super::{LISTED, WIDE, Witness};

/// Configurations that an attempt to forget calls may look at.
const ATTEMPT: u64 = 20_000;

/// Configurations that all attempts may look at together.
const ALL: u64 = 2_000_000;

/// The most memory that an attempt may fill.
const BYTES: usize = 64 << 20;

/// The most ways in which a window may begin.
const STARTS: usize = 512;

/// The end of a history, from a checkpoint to the return that cannot be.
pub(super) struct Window {
    problem: Problem,
    /// The call that returns, as a position in the window.
    last: u32,
    /// Where it begins.
    since: Point,
}

/// Cuts off what came before the older checkpoint, and what follows the failure; `None` if
/// things stood in too many ways there.
pub(super) fn window<M: Model, const W: usize>(
    walk: &mut Walk<'_, '_, M, W>,
    checkpoints: &[Checkpoint<W>],
    call: usize,
) -> Option<Window> {
    let plan = walk.plan;
    let fits = |checkpoint: &&Checkpoint<W>| checkpoint.configs.len() <= STARTS;
    let &Checkpoint { layer, ref configs } = checkpoints.iter().find(fits)?;
    let from = layer.checked_sub(1).map_or(0, |last| plan.ops[plan.returns[last].op as usize].end);
    let until = plan.ops[call].end;
    // By their place among the returns, not by their ends: what a drain stands for ends all at once.
    let mut rank = vec![usize::MAX; plan.ops.len()];
    for (at, returned) in plan.returns.iter().enumerate() {
        rank[returned.op as usize] = at;
    }
    let inside = |&at: &usize| rank[at] >= layer && plan.ops[at].start < until;
    // What ends with it may have had to go first, so it stays.
    let cut = |at: usize| match plan.ops[at].end > until {
        true => Op { end: NEVER, ..plan.ops[at] },
        false => plan.ops[at],
    };
    let ops: Vec<Op<ClassId>> = (0..plan.ops.len()).filter(inside).map(cut).collect();
    let position = |number: u32| ops.iter().position(|op| op.number == number);
    let last = position(plan.ops[call].number).unwrap_or_default() as u32;
    walk.cursor.seek(layer);
    let start = |config: &Config<W>| {
        let (done, forgotten) = happened(&walk.cursor, config, &ops);
        let used = (0..).zip(&plan.kinds).flat_map(|(kind, &class)| {
            std::iter::repeat_n(class, walk.used.count(config.used, kind) as usize)
        });
        Start { state: config.state, done, used: used.chain(forgotten).collect() }
    };
    let starts = configs.iter().map(start).collect();
    Some(Window { problem: Problem { ops, starts }, last, since: from })
}

/// The live calls that have happened, by position, and those that never return within the window.
fn happened<const W: usize>(
    cursor: &Cursor<'_, W>,
    config: &Config<W>,
    ops: &[Op<ClassId>],
) -> (Vec<u32>, Vec<ClassId>) {
    let (mut done, mut forgotten) = (Vec::new(), Vec::new());
    for slot in cursor.order.iter().map(|&slot| usize::from(slot)) {
        if !config.done.has(slot) {
            continue;
        }
        let number = cursor.op(slot);
        match ops.iter().position(|op| op.number == number) {
            Some(at) if ops[at].crashed() => forgotten.push(ops[at].call),
            Some(at) => done.push(at as u32),
            None => {}
        }
    }
    (done, forgotten)
}

/// Finds the witness of a failure; `None` if the budget does not allow it.
pub(super) fn shrink<M: Model>(
    space: &mut Space<'_, M>,
    window: Window,
) -> Option<Witness<M::State>> {
    let Window { mut problem, last, since } = window;
    let mut left = ALL;
    let mut helpers = attempt(space, &problem, ALL, &mut left)?;
    let mut size = problem.ops.len().next_power_of_two();
    while size > 0 {
        for from in (0..problem.ops.len()).step_by(size) {
            let chunk = from as u32..(from + size).min(problem.ops.len()) as u32;
            let Some(fewer) = forget(&problem, chunk, last, since) else { continue };
            if let Some(found) = attempt(space, &fewer, ATTEMPT, &mut left) {
                (problem, helpers) = (fewer, found);
            }
        }
        size /= 2;
    }
    let answered = problem.ops.iter().filter(|op| !op.crashed());
    let calls = answered.map(|op| op.number as usize).collect();
    let helpers = helpers.into_iter().map(|number| number as usize).collect();
    let before = (since > 0).then(|| {
        let mut states: Vec<_> = problem.starts.iter().map(|start| start.state).collect();
        states.sort_unstable();
        states.dedup();
        states.iter().take(LISTED).map(|&id| space.state(id).clone()).collect()
    });
    Some(Witness { calls, helpers, since, before })
}

/// The same without knowing whether some calls happened; `None` if nothing was known of them, or the last is among them alone.
fn forget(
    problem: &Problem,
    chunk: std::ops::Range<u32>,
    last: u32,
    since: Point,
) -> Option<Problem> {
    let mut fewer = problem.clone();
    let mut forgot = false;
    for at in chunk.filter(|&at| at != last) {
        let op = &mut fewer.ops[at as usize];
        if op.crashed() {
            continue;
        }
        (op.end, forgot) = (NEVER, true);
        let (op, ops) = (*op, &fewer.ops);
        for start in &mut fewer.starts {
            let Some(place) = start.done.iter().position(|&done| done == at) else { continue };
            match twin(ops, &op, &start.done, since) {
                Some(twin) => start.done[place] = twin,
                None => {
                    start.done.swap_remove(place);
                    start.used.push(op.call);
                }
            }
        }
    }
    forgot.then_some(fewer)
}

/// The call that may have happened in place of one that is forgotten now.
///
/// The search lets the one of two equal calls go first that returns first. Forgotten, it returns last.
fn twin(ops: &[Op<ClassId>], of: &Op<ClassId>, done: &[u32], since: Point) -> Option<u32> {
    let may_have = |&at: &u32| {
        let op = &ops[at as usize];
        op.call == of.call && !op.crashed() && op.start < since && !done.contains(&at)
    };
    (0..ops.len() as u32).filter(may_have).min_by_key(|&at| ops[at as usize].end)
}

/// Looks for an order in at most so many steps; if there is none, returns the crashed calls that were tried.
fn attempt<M: Model>(
    space: &mut Space<'_, M>,
    problem: &Problem,
    most: u64,
    left: &mut u64,
) -> Option<Vec<u32>> {
    let plan = Plan::<WIDE>::new(&problem.ops, |class| space.looks(class)).ok()?;
    let never = AtomicBool::new(false);
    let limits = Limits { steps: most.min(*left), bytes: BYTES + space.bytes(), stop: &never };
    let mut walk = Walk::new(space, &plan, limits);
    let mut breadth = Breadth::faithful();
    let ended = breadth.run(&mut walk, &problem.starts);
    *left = left.saturating_sub(walk.steps);
    let Ended::Stuck { layer, open } = ended else { return None };
    walk.cursor.seek(layer);
    let mut helpers = Vec::new();
    for (kind, &class) in (0..).zip(&plan.kinds) {
        let most = open.iter().map(|config| walk.used.count(config.used, kind)).max();
        let helped = |op: &&Op<ClassId>| op.crashed() && op.call == class;
        let helped = problem.ops.iter().filter(helped).take(most.unwrap_or(0) as usize);
        helpers.extend(helped.map(|op| op.number));
    }
    Some(helpers)
}

const _: () = assert!(Slots::<WIDE>::WIDTH == super::WIDEST);
