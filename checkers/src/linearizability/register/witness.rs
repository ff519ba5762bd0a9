//! The few calls that show why a search of registers came to no order. It decides nothing: that
//! there is no order is known when it is asked.
//!
//! To leave out a call may make a conflict where there was none: without a write, a read of its
//! value comes from nowhere. To *forget* its outcome never does: whatever order explained the history still
//! does. A call whose outcome is forgotten is like one that crashed; so a swap that is known not to have happened
//! may have happened then. Calls are forgotten, many at once and then one by one, as long as
//! the rest has no order. What is left is least: of none of it could the outcome be forgotten.
//!
//! Only a window of the history is looked at, from some return to the one that cannot be. Before it
//! the register may have held anything, and calls that begin before it are forgotten from the outset,
//! as are those that end after it, but for swaps that did not happen. Cut an order of the whole after the last call that ended before the window, and
//! the rest is an order of the window. So what has no order there has none at all.

use rustc_hash::FxHashMap;
use tribunal_history::{Datum, Operation};

use super::crashed::Counted;
use super::frontier::{Config, Standing};
use super::object::Object;
use super::op::{Action, INITIAL, NEVER, Op, Point, ValueId};
use super::pass::{End, Pass, Scope, Walk};
use super::renaming::Renaming;
use super::search::Stuck;

/// The returns in a window, of one after the other until one shows it.
const WINDOWS: [usize; 3] = [1 << 5, 1 << 8, 1 << 11];

/// Configurations that may be looked at for one failure.
const STEPS: u64 = 2_000_000;

/// The most configurations held at once.
const WIDEST: usize = 1 << 12;

/// The calls that have no order, whatever the register held before them and whatever the others did
/// that had not ended by then.
pub(super) struct Witness {
    /// Which.
    pub(super) calls: Vec<u32>,
    /// Where the window begins that they are in; 0 is the beginning.
    pub(super) since: Point,
}

impl Object<'_> {
    /// What shows a failure; `None` if that takes too many calls, or too long to find.
    pub(super) fn witness(&self, stuck: &Stuck) -> Option<Witness> {
        let until = self.op(stuck.call)?.end;
        let mut ends: Vec<Point> =
            self.ops.iter().map(|op| op.end).filter(|&end| end < until).collect();
        ends.sort_unstable();
        let mut left = STEPS;
        WINDOWS.iter().find_map(|&returns| {
            let since = ends.len().checked_sub(returns).map_or(0, |before| ends[before]);
            let calls = Window::of(self, since, until).least(&mut left)?;
            Some(Witness { calls, since })
        })
    }

    /// What a call may have done as far as its invocation tells; `None` if that makes no difference.
    fn unanswered(&self, op: &Op, names: &mut Names) -> Option<Action> {
        let call = self.call(op.call);
        match (op.action, call.f(), call.argument().pair()) {
            (Action::Read(_) | Action::Differs(_), "cas", Some([old, new])) => {
                let (old, new) = (names.of(old.datum()), names.of(new.datum()));
                (old != new).then_some(Action::Cas(old, new))
            }
            (action, ..) => action.produces().map(|_| action),
        }
    }
}

/// The values of calls by what was recorded.
struct Names {
    names: FxHashMap<Datum, ValueId>,
    fresh: ValueId,
}

impl Names {
    fn of_calls(object: &Object, ops: &[Op]) -> Self {
        let initial = object.source.history.values().find(object.source.initial);
        let mut names = FxHashMap::from_iter([(initial, INITIAL)]);
        for op in ops {
            names.extend(recorded(&object.call(op.call), op.action));
        }
        Self { names, fresh: object.values as ValueId }
    }

    /// The value of a datum; one that no other call has if no call had it.
    fn of(&mut self, datum: Datum) -> ValueId {
        let next = self.fresh;
        let value = *self.names.entry(datum).or_insert(next);
        self.fresh += ValueId::from(value == next);
        value
    }
}

/// The values of a call beside what was recorded for them.
fn recorded(call: &Operation, action: Action) -> impl Iterator<Item = (Datum, ValueId)> {
    let pair = call.argument().pair().filter(|_| call.f() == "cas");
    let [old, new] = pair.map_or([None, None], |pair| pair.map(|value| Some(value.datum())));
    let found = || call.ext("found").map(|found| found.datum());
    let named = match action {
        Action::Read(value) if call.f() == "cas" => [found().or(old).zip(Some(value)), None],
        Action::Read(value) => [call.result().map(|it| (it.datum(), value)), None],
        Action::Write(value) => [Some((call.argument().datum(), value)), None],
        Action::Differs(value) => [old.zip(Some(value)), None],
        Action::Cas(from, to) => [old.zip(Some(from)), new.zip(Some(to))],
    };
    named.into_iter().flatten()
}

/// The end of a history, from some return to the one that cannot be.
struct Window {
    calls: Vec<Known>,
    /// How many values there are.
    values: usize,
    from: Standing,
    /// Where the return is that cannot be.
    until: Point,
}

/// A call in a window.
struct Known {
    /// With its outcome, unless it was forgotten.
    op: Option<Op>,
    /// Without it, if it may have made a difference.
    forgotten: Option<Op>,
}

impl Window {
    fn of(object: &Object, since: Point, until: Point) -> Self {
        let inside = object.ops.iter().filter(|op| op.start < until && op.end > since);
        let mut ops: Vec<Op> = inside.copied().collect();
        let mut names = Names::of_calls(object, &ops);
        let calls = ops.len();
        for at in 0..calls {
            let action = object.unanswered(&ops[at], &mut names);
            // What makes no difference has a place all the same, so that the two stay side by side.
            ops.push(Op { action: action.unwrap_or(ops[at].action), end: NEVER, ..ops[at] });
        }
        let values = Renaming::default().rename(&mut ops);
        let (known, forgotten) = ops.split_at(calls);
        let pairs = known.iter().zip(forgotten).map(|(&op, &forgotten)| Known {
            op: match op.start > since {
                true if op.end <= until => Some(op),
                // What ends later is known only to have done nothing.
                true if !op.crashed() && op.action.produces().is_none() => {
                    Some(Op { end: NEVER, ..op })
                }
                _ => None,
            },
            forgotten: forgotten.action.produces().map(|_| forgotten),
        });
        let anything = |value| Config { open: 0, owed: 0, value, used: 0 };
        let from = match since {
            0 => Standing::first(),
            _ => Standing {
                frontier: (0..=values as ValueId).map(anything).collect(),
                ..Standing::first()
            },
        };
        Self { calls: pairs.collect(), values, from, until }
    }

    /// Forgets all that can be; `None` if the window has an order, or that is not known.
    fn least(mut self, left: &mut u64) -> Option<Vec<u32>> {
        if !self.is_impossible(left) {
            return None;
        }
        let mut size = self.calls.len().next_power_of_two();
        while size > 0 {
            for from in (0..self.calls.len()).step_by(size) {
                self.forget(from..self.calls.len().min(from + size), left);
            }
            size /= 2;
        }
        Some(self.calls.iter().filter_map(|known| known.op).map(|op| op.call).collect())
    }

    /// Forgets some calls, if the others have no order either. The last return stays.
    fn forget(&mut self, range: std::ops::Range<usize>, left: &mut u64) {
        let until = self.until;
        let forgettable = |known: &mut Known| known.op.take_if(|op| op.end != until);
        let before: Vec<Option<Op>> =
            self.calls[range.clone()].iter_mut().map(forgettable).collect();
        if before.iter().any(Option::is_some) && !self.is_impossible(left) {
            for (known, op) in self.calls[range].iter_mut().zip(before) {
                known.op = op.or(known.op);
            }
        }
    }

    /// Whether there certainly is no order.
    fn is_impossible(&self, left: &mut u64) -> bool {
        let ops: Vec<Op> = self.calls.iter().filter_map(|it| it.op.or(it.forgotten)).collect();
        let mut returns: Vec<Op> = ops.iter().filter(|op| !op.crashed()).copied().collect();
        returns.sort_unstable_by_key(|op| op.end);
        let walk = Walk { most: WIDEST, counted: Counted::All };
        let scope = Scope { ops: &ops, returns: &returns, values: self.values + 1, walk };
        let mut pass = Pass::new(scope, self.from.clone(), *left);
        let end = pass.run(|_, _| false);
        *left -= pass.steps();
        matches!(end, End::Impossible(_))
    }
}
