//! Stacks whose values are unique, in n log n.
//!
//! A value's stay on the stack reaches from a moment of its push to a moment of its pop. The
//! history is linearizable iff moments can be chosen so that of any two stays one
//! lies within the other or both apart, and every empty answer has a moment outside all.
//! Pushes and pops that can touch are no trouble: they go next to each other, at any time. For the others
//! take away, as long as there is one, a stay whose push and whose pop both have a moment at
//! which nothing else need be on the stack: it can lie outside all stays in between, and wherever such
//! a stay could lie elsewhere, it could lie there as well. If some remain, the bottom of the stack
//! in a stretch in which it is never empty cannot be any of them. (The idea of removing what touches a free moment is that
//! of Lee and Mathur, "Efficient linearizability monitoring", 2025; the argument above is ours, and
//! `stack_oracle` tests it.)
//!
//! Pops without an answer may have taken what was never seen again. The judge answers if it does
//! not matter: if all is right though they took nothing, or wrong though they took
//! all of it, at any time. In between it abstains.

use tribunal_history::{Datum, History, Operation};

use super::gaps::ranks;
use super::model::{Decision, Model, Object, Op, Point};
use super::queue::{
    Call, Clash, Life, Lives, Names, decision, drains, either_way, empties, smallest,
};
use super::range_min::RangeMin;
use super::shown;
use super::stabs::Stabs;

/// A stack: last in, first out.
///
/// Calls are `push` v, `pop` -> v or null where there is nothing, and `drain` -> [v, …].
#[derive(Clone, Copy, Debug, Default)]
pub struct Stack;

const NAMES: Names = Names { object: "stack", put: &["push"], take: &["pop"] };

impl Model for Stack {
    type Call = Call;
    type State = Vec<Datum>;

    fn init(&self) -> Self::State {
        Vec::new()
    }

    fn shown(&self, held: &Self::State, history: &History) -> String {
        shown::list(held, history)
    }

    fn step(&self, held: &Self::State, call: &Call) -> impl IntoIterator<Item = Self::State> {
        let below = || held[..held.len().saturating_sub(1)].to_vec();
        let after = match call {
            Call::Put(value) => Some([held, &[*value][..]].concat()),
            Call::Took(value) => (held.last() == Some(value)).then(below),
            Call::Empty => held.is_empty().then(Vec::new),
            Call::Take => Some(below()),
            Call::Drain(Some(values)) => held.iter().rev().eq(values.iter()).then(Vec::new),
            Call::Drain(None) => Some(Vec::new()),
        };
        after.into_iter()
    }

    fn call(&self, operation: &Operation) -> Result<Option<Call>, String> {
        NAMES.read(operation)
    }

    fn expand(&self, ops: Vec<Op<Call>>) -> Vec<Op<Call>> {
        drains::expand(ops)
    }

    fn decide(&self, object: &Object<Call>) -> Option<Decision> {
        decision("stack", object, check(&object.ops))
    }
}

/// Judges calls in the order of their invocations, drains expanded; `None` where a value
/// was pushed twice, or where it matters what a pop without an answer took.
pub fn check(ops: &[Op<Call>]) -> Option<Result<(), Clash>> {
    either_way(ops, |found| Some(judge(ops, found)))
}

/// Judges as if no call but the answered ones took anything.
fn judge(ops: &[Op<Call>], found: &Lives) -> Result<(), Clash> {
    let stays: Vec<Life> = found.lives.iter().filter(|life| life.stays()).copied().collect();
    let left = crossing(&stays);
    if !left.is_empty() {
        let lives = smallest(&left, |lives| !crossing(lives).is_empty());
        return Err(Clash::Crossed { lives });
    }
    empties(ops, found)
}

/// What is left of these stays when all that can be taken away are.
fn crossing(stays: &[Life]) -> Vec<Life> {
    if stays.len() < 2 {
        return Vec::new();
    }
    let spans = Spans::of(stays);
    let mut removal = Removal::new(&spans);
    while let Some(stay) = removal.free.pop() {
        removal.remove(&spans, stay);
    }
    let left = stays.iter().zip(&removal.sides).filter(|(_, sides)| **sides != BOTH);
    left.map(|(life, _)| *life).collect()
}

/// A push, a stay and a pop as ranges of gaps, which are the moments between one event and the next.
#[derive(Clone, Copy, Default)]
struct Span {
    push: (u32, u32),
    pop: (u32, u32),
}

impl Span {
    /// The gaps at which the value must be on the stack.
    fn stay(&self) -> (u32, u32) {
        (self.push.1, self.pop.0)
    }

    fn side(&self, side: u32) -> (u32, u32) {
        if side == 0 { self.push } else { self.pop }
    }
}

struct Spans {
    spans: Vec<Span>,
    gaps: usize,
}

impl Spans {
    fn of(stays: &[Life]) -> Self {
        let times = |life: &Life| [life.put_start, life.put_end, life.took_start, life.took_end];
        let (ranks, gaps) = ranks(&stays.iter().flat_map(times).collect::<Vec<Point>>());
        let span = |(life, rank): (&Life, &[u32])| {
            // What is never popped goes at the very end, when nothing else is there.
            let end = rank[3] + u32::from(!life.taken());
            Span { push: (rank[0], rank[1]), pop: (rank[2], end) }
        };
        Self { spans: stays.iter().zip(ranks.chunks_exact(4)).map(span).collect(), gaps }
    }
}

/// Both the push and the pop of a stay have a free moment.
const BOTH: u8 = 0b11;

/// The stays that were not yet taken away.
struct Removal {
    /// How many stays cover each gap; the free ones have been taken out.
    cover: RangeMin,
    /// The pushes and pops without a free moment so far.
    waiting: Stabs,
    /// Of each stay, which of its sides have a free moment.
    sides: Vec<u8>,
    /// Those of which both have.
    free: Vec<u32>,
}

impl Removal {
    fn new(Spans { spans, gaps }: &Spans) -> Self {
        let mut cover = vec![0_i32; gaps + 1];
        for (start, end) in spans.iter().map(Span::stay) {
            cover[start as usize] += 1;
            cover[end as usize] -= 1;
        }
        let mut free_before = vec![0_u32; gaps + 1];
        let mut depth = 0;
        for gap in 0..*gaps {
            depth += cover[gap];
            // A gap that is free from the start need not be found again.
            cover[gap] = if depth == 0 { i32::MAX / 2 } else { depth };
            free_before[gap + 1] = free_before[gap] + u32::from(depth == 0);
        }
        cover.truncate(*gaps);
        let open =
            |(start, end): (u32, u32)| free_before[start as usize] < free_before[end as usize];
        let flags = |span: &Span| u8::from(open(span.push)) | u8::from(open(span.pop)) << 1;
        let sides: Vec<u8> = spans.iter().map(flags).collect();
        let free =
            (0..).zip(&sides).filter(|(_, sides)| **sides == BOTH).map(|(at, _)| at).collect();
        let shut =
            (0..2 * spans.len() as u32).filter(|id| sides[*id as usize / 2] >> (id & 1) & 1 == 0);
        let waiting = shut.map(|id| (id, spans[id as usize / 2].side(id & 1)));
        Self { cover: RangeMin::new(&cover), waiting: Stabs::new(waiting, *gaps), sides, free }
    }

    fn remove(&mut self, spans: &Spans, stay: u32) {
        let (start, end) = spans.spans[stay as usize].stay();
        self.cover.add(start as usize..end as usize, -1);
        while let Some(gap) = self.cover.take_zero() {
            while let Some(id) = self.waiting.take(gap as u32) {
                let sides = &mut self.sides[id as usize / 2];
                *sides |= 1 << (id & 1);
                if *sides == BOTH {
                    self.free.push(id / 2);
                }
            }
        }
    }
}
