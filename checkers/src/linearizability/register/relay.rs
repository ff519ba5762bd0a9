//! One long walk as many short ones at once: the calls on a single key are searched on all cores.
//!
//! A leg of a history is walked before it is known how things stand where it begins. The trial walk
//! begins with a guess: some value that was in use just before, and every open call as useful as can be.
//! A few returns later the guess mostly does not matter any more, as reads have told what is
//! there. Then the legs are run one after the other, each from how things stood at the end of the last, but
//! only until the runner *meets* its trial: two walks that hold the same configurations after the same
//! return are the same walk from there on. So nothing rests on the guess but time. A runner that
//! never meets its trial walks the leg itself.
//!
//! A leg begins where the fewest calls are live: where there is a quiet moment, at that. Where
//! calls crashed there is one leg only: how many of them were used is part of a configuration for ever.

use rayon::prelude::*;

use super::frontier::{Config, Slots, Standing};
use super::live::Live;
use super::op::{Action, Op, ValueId};
use super::pass::{End, Pass, Scope};

/// Returns in a leg: some milliseconds.
pub(super) const LEG: usize = 1 << 14;

/// Among this part of a leg's returns the quietest is sought to cut at.
const AROUND: usize = 16;

/// Returns from one place where trial and runner are compared to the next.
const STRIDE: usize = 16;

/// The most configurations that are compared.
const COMPARED: usize = 1 << 10;

/// Calls before a leg whose values are taken for possible.
const RECENT: usize = 64;

/// Live swaps that a guess tries both ways, used and unused.
const SWAPS: usize = 6;

/// Walks through a history from its beginning, in legs of `length` returns, and tells how it ended
/// and how many steps it took.
pub(super) fn walk(scope: Scope, length: usize, budget: u64) -> (End, u64) {
    let legs = legs(scope, length);
    if legs.len() == 1 {
        let mut walk = Pass::new(scope, Standing::first(), budget);
        return (walk.run(|_, _| false), walk.steps());
    }
    let share = budget / legs.len() as u64;
    let trials: Vec<Trial> = legs.par_iter().map(|leg| Trial::of(leg, share)).collect();
    let (mut standing, mut left) = (Standing::first(), budget);
    for (leg, trial) in legs.iter().zip(trials) {
        let mut runner = Pass::new(leg.scope, standing, left);
        let mut met = false;
        let mut end = runner.run(|returned, frontier| {
            met = trial.is_met(returned, frontier);
            met
        });
        (left, standing) = (left - runner.steps(), runner.standing());
        if met {
            // A trial that nobody meets is not counted: it must not cost a verdict.
            left = left.saturating_sub(trial.steps);
            (end, standing) = (trial.end, trial.standing);
        }
        match leg.whole(end) {
            End::Survived => {}
            end => return (end, budget - left),
        }
    }
    (End::Survived, budget - left)
}

/// A part of a history, from a return to a return.
struct Leg<'a> {
    scope: Scope<'a>,
    /// The calls of the history that return before it.
    before: usize,
    /// How things may stand where it begins.
    guess: Standing,
}

impl Leg<'_> {
    /// How a walk through the leg ended, seen from the beginning of the history.
    fn whole(&self, end: End) -> End {
        match end {
            End::Lost(returned, call) => End::Lost(returned + self.before, call),
            End::Impossible(mut stuck) => {
                stuck.returned += self.before;
                End::Impossible(stuck)
            }
            end => end,
        }
    }
}

/// Cuts a history into legs; one only where it is short, and where calls crashed.
fn legs(scope: Scope, length: usize) -> Vec<Leg> {
    let Scope { ops, returns, .. } = scope;
    let crashed = ops.len() > returns.len();
    let most = if crashed { 0 } else { returns.len() / length };
    let around = |nth: usize| nth * length..nth * length + length.div_ceil(AROUND);
    let quietest = |nth: usize| around(nth).min_by_key(|&cut| width(scope, cut));
    let cuts = (1..most).filter_map(quietest);
    let cuts: Vec<usize> = cuts.filter(|&cut| width(scope, cut) <= Live::WIDTH).collect();
    let mut guesses = vec![Standing::first()];
    guesses.extend(live(scope, &cuts).into_iter().zip(&cuts).map(|(live, &cut)| {
        let begun = ops.partition_point(|op| op.start < returns[cut - 1].end);
        Standing { frontier: guess(&live, &ops[begun.saturating_sub(RECENT)..begun]), live }
    }));
    let mut legs = Vec::with_capacity(guesses.len());
    let (mut from, mut begun) = (0, 0);
    for (nth, guess) in guesses.into_iter().enumerate() {
        let until = cuts.get(nth).copied().unwrap_or(returns.len());
        let end = returns[..until].last().map_or(0, |last| last.end);
        let ends = begun + ops[begun..].partition_point(|op| op.start < end);
        let scope = Scope { ops: &ops[begun..ends], returns: &returns[from..until], ..scope };
        legs.push(Leg { scope, before: from, guess });
        (from, begun) = (until, ends);
    }
    legs
}

/// How many calls are live after so many have returned.
fn width(scope: Scope, returned: usize) -> usize {
    let last = scope.returns[returned - 1].end;
    scope.ops.partition_point(|op| op.start < last) - returned
}

/// The calls that are live at each cut.
fn live(scope: Scope, cuts: &[usize]) -> Vec<Vec<Op>> {
    let mut live = vec![Vec::new(); cuts.len()];
    let (mut next, last) = (0, |cut: usize| scope.returns[cuts[cut] - 1].end);
    for op in scope.ops {
        while next < cuts.len() && last(next) < op.start {
            next += 1;
        }
        let held = (next..cuts.len()).take_while(|&cut| last(cut) < op.end);
        held.for_each(|cut| live[cut].push(*op));
    }
    live
}

/// What may have come of the calls before a leg, given those that are live and the last that began.
///
/// Reads that were seen and writes that nobody owes leave the most ways on.
fn guess(live: &[Op], recent: &[Op]) -> Vec<Config> {
    let values = recent.iter().flat_map(|op| [op.action.observes(), op.action.produces()]);
    let mut values: Vec<ValueId> = values.flatten().collect();
    values.sort_unstable();
    values.dedup();
    let numbers = |wanted: fn(&Action) -> bool| {
        let wanted = move |&(_, op): &(usize, &Op)| wanted(&op.action);
        live.iter().enumerate().filter(wanted).map(|(number, _)| 1 << number)
    };
    let writes: Slots = numbers(|action| matches!(action, Action::Write(_))).sum();
    let mut open: Vec<Slots> = vec![writes];
    for (nth, swap) in numbers(|action| matches!(action, Action::Cas(..))).enumerate() {
        let unused: Vec<Slots> = open.iter().map(|open| open | swap).collect();
        if nth < SWAPS { open.extend(unused) } else { open = unused }
    }
    let config = |value| open.iter().map(move |&open| Config { open, owed: 0, value, used: 0 });
    values.into_iter().flat_map(config).collect()
}

/// A walk through a leg that began with a guess.
struct Trial {
    end: End,
    standing: Standing,
    steps: u64,
    /// What it held, in order, after every so many returns; nothing where that was too much.
    held: Vec<Vec<Config>>,
}

impl Trial {
    fn of(leg: &Leg, budget: u64) -> Self {
        let mut held = Vec::new();
        let mut pass = Pass::new(leg.scope, leg.guess.clone(), budget);
        let end = pass.run(|returned, frontier| {
            if returned.is_multiple_of(STRIDE) {
                held.push(sorted(frontier));
            }
            false
        });
        // One that gave up has nothing to tell.
        if matches!(end, End::Lost(..) | End::TooWide(_)) {
            held.clear();
        }
        Self { end, standing: pass.standing(), steps: pass.steps(), held }
    }

    /// Whether the trial held the same after a return.
    fn is_met(&self, returned: usize, frontier: &[Config]) -> bool {
        let held = self.held.get(returned / STRIDE).filter(|held| !held.is_empty());
        returned.is_multiple_of(STRIDE) && held.is_some_and(|held| *held == sorted(frontier))
    }
}

/// The configurations in order; none where they are too many.
fn sorted(frontier: &[Config]) -> Vec<Config> {
    let mut sorted = match frontier.len() <= COMPARED {
        true => frontier.to_vec(),
        false => Vec::new(),
    };
    sorted.sort_unstable();
    sorted
}
