//! Priority queues, which give out the highest value, where values are unique: in n log n.
//!
//! From the highest value down: a value can only be taken at a moment at which no higher one is
//! inside. The first such moment is the best for all lower ones, and so is the last moment for its put.
//! Moments are only ever used up, so a union-find of those left (Tarjan, JACM 22(2), 1975) finds the next one.
//! An empty answer is like a take of a value lower than all.
//!
//! Takes without an answer may have taken what was never seen again. The judge answers if it does
//! not matter: if all is right though they took nothing, or wrong though they took
//! all of it, at any time. In between it abstains.

use tribunal_history::{Datum, History, Operation};

use super::gaps::ranks;
use super::model::{Decision, Model, Object, Op, Point};
use super::queue::{At, Call, Clash, Life, Lives, Names, decision, drains, either_way, smallest};
use super::shown;

/// A queue that gives out the highest value first; values are whole numbers.
///
/// Calls are `enqueue` (or `insert`) v, `dequeue` (or `poll`) -> v or null where there is nothing, and
/// `drain` -> [v, …].
#[derive(Clone, Copy, Debug, Default)]
pub struct PriorityQueue;

const NAMES: Names =
    Names { object: "priority queue", put: &["enqueue", "insert"], take: &["dequeue", "poll"] };

impl Model for PriorityQueue {
    type Call = Call;
    /// The values from the lowest to the highest.
    type State = Vec<Datum>;

    fn init(&self) -> Self::State {
        Vec::new()
    }

    fn shown(&self, held: &Self::State, history: &History) -> String {
        shown::list(held, history)
    }

    fn step(&self, held: &Self::State, call: &Call) -> impl IntoIterator<Item = Self::State> {
        let others = || held[..held.len().saturating_sub(1)].to_vec();
        let after = match call {
            Call::Put(value) => {
                let at = held.partition_point(|other| other.as_i64() < value.as_i64());
                Some([&held[..at], &[*value], &held[at..]].concat())
            }
            Call::Took(value) => (held.last() == Some(value)).then(others),
            Call::Empty => held.is_empty().then(Vec::new),
            Call::Take => Some(others()),
            Call::Drain(Some(values)) => held.iter().rev().eq(values.iter()).then(Vec::new),
            Call::Drain(None) => Some(Vec::new()),
        };
        after.into_iter()
    }

    fn call(&self, operation: &Operation) -> Result<Option<Call>, String> {
        let call = NAMES.read(operation)?;
        match call {
            Some(Call::Put(value)) if value.as_i64().is_none() => {
                let value = operation.argument();
                Err(format!("a priority queue orders whole numbers of 61 bits; {value} is none"))
            }
            call => Ok(call),
        }
    }

    fn expand(&self, ops: Vec<Op<Call>>) -> Vec<Op<Call>> {
        drains::expand(ops)
    }

    fn decide(&self, object: &Object<Call>) -> Option<Decision> {
        decision("priority", object, check(&object.ops))
    }
}

/// Judges calls in the order of their invocations, drains expanded; `None` where a value
/// was put twice or is no integer, or where it matters what a take without an answer took.
pub fn check(ops: &[Op<Call>]) -> Option<Result<(), Clash>> {
    either_way(ops, |found| judge(ops, found))
}

/// Judges as if no call but the answered ones took anything.
fn judge(ops: &[Op<Call>], found: &Lives) -> Option<Result<(), Clash>> {
    let lives = from_the_highest(ops, &found.lives)?;
    Some(match refused(ops, &lives, &found.empties) {
        None => Ok(()),
        Some(Refused::Life(at)) => Err(passed(ops, &lives[..at], lives[at])),
        Some(Refused::Empty(empty)) => {
            let wrong = |lives: &[Life]| refused(ops, lives, &[empty]).is_some();
            let cover = smallest(&lives, wrong);
            Err(Clash::NotEmpty { empty, cover })
        }
    })
}

fn passed(ops: &[Op<Call>], higher: &[Life], took: Life) -> Clash {
    let wrong = |higher: &[Life]| refused(ops, &[higher, &[took]].concat(), &[]).is_some();
    Clash::Passed { took, higher: smallest(higher, wrong) }
}

fn from_the_highest(ops: &[Op<Call>], lives: &[Life]) -> Option<Vec<Life>> {
    let mut keys: Vec<(i64, u32)> = Vec::with_capacity(lives.len());
    for (at, life) in (0..).zip(lives) {
        let Call::Put(value) = ops[life.put as usize].call else { return None };
        keys.push((value.as_i64()?, at));
    }
    keys.sort_unstable_by(|one, other| other.cmp(one));
    Some(keys.into_iter().map(|(_, at)| lives[at as usize]).collect())
}

/// What had no moment left.
enum Refused {
    /// The take of the life at this position.
    Life(usize),
    /// This call, which found nothing.
    Empty(At),
}

/// The first of the lives, which come from the highest down, that cannot have been taken when it was.
fn refused(ops: &[Op<Call>], lives: &[Life], empties: &[At]) -> Option<Refused> {
    let points = lives.iter().flat_map(|life| [life.put_end, life.took_start, life.took_end]);
    let spans = empties.iter().map(|&at| &ops[at as usize]).flat_map(|op| [op.start, op.end]);
    let (ranks, count) = ranks(&points.chain(spans).collect::<Vec<Point>>());
    let (lived, spans) = ranks.split_at(3 * lives.len());
    let mut free = Free::new(count);
    for (at, (life, rank)) in lives.iter().zip(lived.chunks_exact(3)).enumerate() {
        let take = free.next(rank[1]);
        if life.taken() && take >= rank[2] {
            return Some(Refused::Life(at));
        }
        free.fill(rank[0], take);
    }
    let mut spans = empties.iter().zip(spans.chunks_exact(2));
    spans.find(|(_, rank)| free.next(rank[0]) >= rank[1]).map(|(&at, _)| Refused::Empty(at))
}

/// The gaps at which none of the values so far is inside.
struct Free {
    /// Of each gap, itself if it is free, or a later one before which none is.
    next: Vec<u32>,
}

impl Free {
    fn new(gaps: usize) -> Self {
        Self { next: (0..=gaps as u32).collect() }
    }

    /// The first free gap from this one on.
    fn next(&mut self, mut gap: u32) -> u32 {
        while self.next[gap as usize] != gap {
            let after = self.next[gap as usize];
            self.next[gap as usize] = self.next[after as usize];
            gap = after;
        }
        gap
    }

    /// None of these is free any more; `until` is.
    fn fill(&mut self, from: u32, until: u32) {
        let mut gap = self.next(from);
        while gap < until {
            self.next[gap as usize] = until;
            gap = self.next(gap + 1);
        }
    }
}
