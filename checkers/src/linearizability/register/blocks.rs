//! Registers and compare-and-set registers where every value is set only once,
//! in linear time and with a witness of a few calls.
//!
//! Where values are unique, a value is held during one unbroken stretch. So a
//! successful cas from `a` to `b` puts `b` directly after `a`, and values form
//! *chains*, each from a write (or the initial value) through successive
//! swaps. All calls on a chain make a *block*: no other call can come between.
//!
//! Let `f` be the least end and `s` the greatest start within a block. Block A
//! precedes B in real time iff `f(A) < s(B)`. If that relation has a cycle, it has
//! one of length two: in a shortest cycle take A with the least `f`; every other
//! node X has a predecessor Y with `f(A) <= f(Y) < s(X)`, so A precedes all of them,
//! its own predecessor too. Hence a history is linearizable iff each block can
//! be ordered within itself (a comparison of consecutive levels) and no two
//! blocks precede each other (one sweep). Without swaps these are the zones of
//! Gibbons and Korach, "Testing shared memories", SIAM J. Comput. 26(4), 1997.
//!
//! A crashed call whose value was seen did take effect; its end stays open. One
//! whose value was not seen is dropped.
//!
//! Negative observations are judged against one order of the other calls, the
//! one that takes each as early as can be: if there is room for them, it is an order of all. And one
//! that lies wholly within a stretch in which the register certainly held the value it denies is a
//! conflict. What is neither is left to the search.

use super::op::{Action, INITIAL, NEVER, Op, Point, ValueId};
use super::reduction::{has_negative, observed};

/// Why the calls cannot be put in order. Calls are operations, by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// Saw a value that no call can have set.
    Unwritten {
        /// The call that saw it.
        observer: u32,
    },
    /// Two calls swapped one and the same value, which was set once.
    TwoSwaps {
        /// One of them.
        first: u32,
        /// The other.
        second: u32,
    },
    /// Swaps that each need the one before, all the way round.
    SwapCycle(Vec<u32>),
    /// Within a chain: `early` ended before `late` began, but saw or made a later value.
    OutOfOrder {
        /// The call that ended first.
        early: u32,
        /// The call that began afterwards.
        late: u32,
        /// The calls that made the values after `late`'s, up to `early`'s.
        links: Vec<u32>,
    },
    /// Two chains that would each have to come before the other.
    Interleaved(Span, Span),
    /// Found another value, while the register certainly held the one that was denied.
    Denied {
        /// The call that found another value.
        negative: u32,
        /// A call that had set or seen the value before; `None` is the setting of the initial value.
        first: Option<u32>,
        /// A call that found the value afterwards.
        last: u32,
        /// The call that set the value; `None` is the setting of the initial value.
        setter: Option<u32>,
    },
}

/// What of a block contradicts another block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The call that ended first; `None` is the setting of the initial value.
    pub first_end: Option<u32>,
    /// The call that began last; `None` is the setting of the initial value.
    pub last_start: Option<u32>,
    /// The write that began the chain; `None` is the setting of the initial value.
    pub root: Option<u32>,
}

/// No call.
const NONE: u32 = u32::MAX;

/// Judges the calls on one register whose values are `0..values`.
///
/// `None` where some value is set twice, or a negative observation is neither explained nor
/// refuted: such a history needs a search.
pub fn check(ops: &[Op], values: usize) -> Option<Result<(), Conflict>> {
    let chains = match Chains::link(ops, values)? {
        Ok(chains) => chains,
        Err(conflict) => return Some(Err(conflict)),
    };
    let ordered = chains.blocks().and_then(|mut blocks| {
        sweep(&mut blocks, &chains)?;
        Ok(blocks)
    });
    match ordered {
        Ok(_) if !has_negative(ops) => Some(Ok(())),
        Ok(blocks) => deny(&chains, &blocks),
        Err(conflict) => Some(Err(conflict)),
    }
}

/// The stretch of time that calls take up together: who ended first, who began last.
#[derive(Clone, Copy)]
struct Reach {
    first_end: (Point, u32),
    last_start: (Point, u32),
}

impl Reach {
    const EMPTY: Self = Self { first_end: (NEVER, NONE), last_start: (0, NONE) };

    fn of(op: Op, at: u32) -> Self {
        Self { first_end: (op.end, at), last_start: (op.start, at) }
    }

    fn join(&mut self, other: Self) {
        self.first_end = self.first_end.min(other.first_end);
        self.last_start = self.last_start.max(other.last_start);
    }
}

/// A chain's stretch, and the op that began it.
pub(super) struct Block {
    reach: Reach,
    root: u32,
}

/// Which op set each value, which op swapped it for another, and who read it.
struct Chains<'a> {
    ops: &'a [Op],
    producer: Vec<u32>,
    swap: Vec<u32>,
    reads: Vec<Reach>,
}

impl<'a> Chains<'a> {
    /// `None` where a value is set twice.
    fn link(ops: &'a [Op], values: usize) -> Option<Result<Self, Conflict>> {
        let observed = observed(ops, values);
        let mut chains = Self {
            ops,
            producer: vec![NONE; values],
            swap: vec![NONE; values],
            reads: vec![Reach::EMPTY; values],
        };
        let mut conflict = None;
        for (at, op) in (0..).zip(ops) {
            let set = op.action.produces();
            if op.crashed() && set.is_none_or(|value| !observed[value as usize]) {
                continue;
            }
            if let Some(value) = set {
                let before = std::mem::replace(&mut chains.producer[value as usize], at);
                if before != NONE || value == INITIAL {
                    return None;
                }
            }
            match op.action {
                Action::Read(value) => chains.reads[value as usize].join(Reach::of(*op, at)),
                Action::Cas(old, _) => conflict = chains.swapped(old, at).or(conflict),
                Action::Write(_) | Action::Differs(_) => {}
            }
        }
        let unwritten = chains.unwritten().or(conflict);
        Some(unwritten.map_or(Ok(chains), Err))
    }

    fn swapped(&mut self, old: ValueId, at: u32) -> Option<Conflict> {
        let before = std::mem::replace(&mut self.swap[old as usize], at);
        let calls = |first, second| Conflict::TwoSwaps { first, second };
        (before != NONE).then(|| calls(self.call(before), self.call(at)))
    }

    fn unwritten(&self) -> Option<Conflict> {
        let first = (1..self.producer.len()).find_map(|value| {
            let observer = match self.swap[value] {
                NONE => self.reads[value].first_end.1,
                swap => swap,
            };
            (self.producer[value] == NONE && observer != NONE).then_some(observer)
        })?;
        Some(Conflict::Unwritten { observer: self.call(first) })
    }

    /// Every chain as a block, once each is known to be ordered within itself.
    fn blocks(&self) -> Result<Vec<Block>, Conflict> {
        let mut blocks = Vec::with_capacity(self.producer.len());
        let mut reached = 1;
        let start = Reach { first_end: (0, NONE), last_start: (0, NONE) };
        blocks.push(Block { reach: self.chain(INITIAL, start, &mut reached)?, root: NONE });
        for (value, &root) in (0..).zip(&self.producer).filter(|&(_, &root)| root != NONE) {
            let op = self.ops[root as usize];
            if matches!(op.action, Action::Write(_)) {
                reached += 1;
                let reach = self.chain(value, Reach::of(op, root), &mut reached)?;
                blocks.push(Block { reach, root });
            }
        }
        // Every value has one producer and at most one swap, so what no root reaches is a ring.
        let set = self.producer.iter().filter(|&&root| root != NONE).count() + 1;
        if reached < set {
            return Err(self.cycle());
        }
        Ok(blocks)
    }

    /// Walks a chain from its root: no call may end before one of an earlier level begins.
    fn chain(&self, root: ValueId, set: Reach, reached: &mut usize) -> Result<Reach, Conflict> {
        let (mut whole, mut value) = (set, root);
        loop {
            self.follow(&mut whole, self.reads[value as usize])?;
            let swap = self.swap[value as usize];
            if swap == NONE {
                return Ok(whole);
            }
            let op = self.ops[swap as usize];
            self.follow(&mut whole, Reach::of(op, swap))?;
            *reached += 1;
            value = op.action.produces().expect("a swap sets a value");
        }
    }

    fn follow(&self, whole: &mut Reach, level: Reach) -> Result<(), Conflict> {
        if level.first_end.0 < whole.last_start.0 {
            return Err(self.out_of_order(level.first_end.1, whole.last_start.1));
        }
        whole.join(level);
        Ok(())
    }

    fn out_of_order(&self, early: u32, late: u32) -> Conflict {
        let held = |at: u32| {
            let action = self.ops[at as usize].action;
            action.produces().or(action.observes()).expect("ops of a chain set or see a value")
        };
        let (mut value, goal, mut links) = (held(late), held(early), Vec::new());
        while value != goal && self.swap[value as usize] != NONE {
            let swap = self.swap[value as usize];
            value = held(swap);
            if swap != early {
                links.push(self.call(swap));
            }
        }
        Conflict::OutOfOrder { early: self.call(early), late: self.call(late), links }
    }

    /// Some ring of swaps; there is one.
    fn cycle(&self) -> Conflict {
        let mut reached = vec![false; self.producer.len()];
        let walk = |from: ValueId, reached: &mut Vec<bool>| {
            let (mut value, mut calls) = (from, Vec::new());
            while !std::mem::replace(&mut reached[value as usize], true) {
                let swap = self.swap[value as usize];
                if swap == NONE {
                    break;
                }
                calls.push(self.call(swap));
                value = self.ops[swap as usize].action.produces().expect("a swap sets a value");
            }
            calls.sort_unstable();
            calls
        };
        walk(INITIAL, &mut reached);
        for op in self.ops {
            if let Action::Write(value) = op.action {
                walk(value, &mut reached);
            }
        }
        let set =
            |&value: &ValueId| self.producer[value as usize] != NONE && !reached[value as usize];
        let start = (1..self.producer.len() as ValueId).find(set).expect("some value is unreached");
        Conflict::SwapCycle(walk(start, &mut reached.clone()))
    }

    fn call(&self, at: u32) -> u32 {
        self.ops[at as usize].call
    }

    fn span(&self, block: &Block) -> Span {
        let call = |at: u32| (at != NONE).then(|| self.call(at));
        Span {
            first_end: call(block.reach.first_end.1),
            last_start: call(block.reach.last_start.1),
            root: call(block.root),
        }
    }
}

/// Looks for two blocks that precede each other.
///
/// A block that must be held from `f` until `s` (a forward zone) excludes every
/// other forward zone from that stretch, and every other block whose calls all
/// overlap (a backward zone) from lying within it.
fn sweep(blocks: &mut [Block], chains: &Chains) -> Result<(), Conflict> {
    let ends = |block: &Block| (block.reach.first_end.0, block.reach.last_start.0);
    blocks.sort_unstable_by_key(|block| {
        let (f, s) = ends(block);
        f.min(s)
    });
    let mut held: Option<&Block> = None;
    for block in blocks.iter() {
        let (f, s) = ends(block);
        if let Some(holder) = held.filter(|holder| ends(holder).1 > f) {
            return Err(Conflict::Interleaved(chains.span(holder), chains.span(block)));
        }
        if f < s {
            held = Some(block);
        }
    }
    Ok(())
}

/// Judges the negative observations among calls that are ordered otherwise.
///
/// `Some(Ok)` if all fit into the order of `blocks` in which every call takes effect as early as
/// it can; `None` if that is not known.
fn deny(chains: &Chains, blocks: &[Block]) -> Option<Result<(), Conflict>> {
    let held = Stretch::all(chains, blocks);
    let mut explained = true;
    for op in chains.ops {
        let Action::Differs(value) = op.action else { continue };
        let stretch = held[value as usize];
        explained &= op.start < stretch.from || stretch.until < op.end;
        if let Some(conflict) = denied(chains, op, value) {
            return Some(Err(conflict));
        }
    }
    explained.then_some(Ok(()))
}

/// When the register holds a value.
#[derive(Clone, Copy)]
struct Stretch {
    from: Point,
    until: Point,
}

impl Stretch {
    /// By value, in the earliest order; from [`NEVER`] if not at all.
    ///
    /// Ordered by the lesser of first end and last start, no block precedes an earlier one: if
    /// `f(A) < s(B)` and B comes first, then by `f(B) < s(B)`, and since B does not precede A,
    /// `s(A) < f(B)`; but `f(B)` is less than that.
    fn all(chains: &Chains, blocks: &[Block]) -> Vec<Self> {
        let mut held = vec![Self { from: NEVER, until: NEVER }; chains.producer.len()];
        let (mut now, mut last) = (0, None);
        for block in blocks {
            let mut next = match block.root {
                NONE => Some((INITIAL, 0)),
                root => chains.ops[root as usize].action.produces().map(|value| (value, root)),
            };
            while let Some((value, setter)) = next {
                if value != INITIAL {
                    now = now.max(chains.ops[setter as usize].start);
                }
                held[value as usize].from = now;
                let before: Option<ValueId> = last.replace(value);
                before.into_iter().for_each(|before| held[before as usize].until = now);
                now = now.max(chains.reads[value as usize].last_start.0);
                let swap = chains.swap[value as usize];
                next = chains
                    .ops
                    .get(swap as usize)
                    .and_then(|op| Some((op.action.produces()?, swap)));
            }
        }
        held
    }
}

/// The conflict that a call which found another value than this is in, if it certainly is.
fn denied(chains: &Chains, op: &Op, value: ValueId) -> Option<Conflict> {
    let (setter, swap) = (chains.producer[value as usize], chains.swap[value as usize]);
    let reads = chains.reads[value as usize];
    let set = match (chains.ops.get(setter as usize), value) {
        (_, INITIAL) => (0, NONE),
        (Some(producer), _) => (producer.end, setter),
        (None, _) => return None,
    };
    let first = reads.first_end.min(set);
    let swapped = chains.ops.get(swap as usize).map_or((0, NONE), |op| (op.start, swap));
    let last = reads.last_start.max(swapped);
    let call = |at: u32| (at != NONE).then(|| chains.call(at));
    (first.0 < op.start && op.end < last.0).then(|| Conflict::Denied {
        negative: op.call,
        first: call(first.1),
        last: chains.call(last.1),
        setter: call(setter),
    })
}
