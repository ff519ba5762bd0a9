//! Semaphores and mutexes: permits that nobody owns, exact in n log n.
//!
//! Whoever acquires takes any permit, whoever releases gives one back. A call
//! is put off until something forces it: its own end, or a call that ends and
//! cannot go before it has. Of several that would do, the one that must end first goes.
//!
//! Why nothing is missed: let L be this lazy schedule and S one that is legal.
//! Calls of a kind are alike, so S may also take those with the earliest end
//! first. Then L never has more acquires or releases behind it than S. For
//! suppose an acquire X is forced by its end in L while L and S agree so far.
//! Since the last acquire that L took early although it could have waited beyond
//! X's end, L took only acquires that end by X's, and S took all of these and X
//! too; so S is ahead of L by then. If L has no permit left for X it must take a
//! release first, and S, being ahead in acquires, has at least one more release
//! behind it than L, so one is there. Where none is, there is no S.
//!
//! Calls of unknown outcome have no end: they are taken last, or never.
//!
//! That the lock was found held is a matter of this one schedule: if it is full
//! at some instant of every such call, all is well; otherwise the search decides.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use tribunal_history::{History, Operation};

use super::super::model::{Conflict, Decision, Model, NEVER, Object, Op, Point};
use super::super::moments::{Moment, moments};
use super::{Call, numbers, wording};

/// A semaphore whose permits are all there before the first call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Semaphore {
    /// How many may hold one at once.
    pub permits: u32,
}

impl Semaphore {
    /// A lock that one may hold, and that anybody may release.
    pub const MUTEX: Self = Self { permits: 1 };
}

impl Model for Semaphore {
    type Call = Call;
    /// How many permits are taken.
    type State = u32;

    fn init(&self) -> u32 {
        0
    }

    fn shown(&self, &held: &u32, _history: &History) -> String {
        format!("{} of its {} permits", self.permits - held, self.permits)
    }

    fn step(&self, &held: &u32, call: &Call) -> impl IntoIterator<Item = u32> {
        match call {
            Call::Acquire { .. } => (held < self.permits).then_some(held + 1),
            Call::Refused { .. } => (held >= self.permits).then_some(held),
            Call::Release { .. } => held.checked_sub(1),
        }
    }

    fn call(&self, operation: &Operation) -> Result<Option<Call>, String> {
        Call::read(operation)
    }

    fn looks(&self, call: &Call) -> bool {
        matches!(call, Call::Refused { .. })
    }

    fn decide(&self, object: &Object<Call>) -> Option<Decision> {
        let conflict = match check(&object.ops, self.permits)? {
            Ok(()) => None,
            Err(jam) => Some(Conflict {
                kind: jam.kind(&object.ops),
                message: wording::jam(object, jam.call, &jam.calls, self.permits),
                calls: numbers(object, &jam.calls),
            }),
        };
        Some(Decision { judge: "permits", conflict })
    }
}

/// A call that must have happened and cannot have. Calls are positions among the ops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Jam {
    /// The call that ended and had no way to go.
    pub call: u32,
    /// The permits that were taken then, at the least if it releases and at the most if it acquires.
    pub held: u32,
    /// Calls that cannot be ordered whatever went before them, this one included.
    pub calls: Vec<u32>,
}

impl Jam {
    fn kind(&self, ops: &[Op<Call>]) -> &'static str {
        match ops[self.call as usize].call {
            Call::Release { .. } => "released-unheld",
            _ => "too-many-holders",
        }
    }
}

/// Judges the calls on a semaphore, in the order of their starts.
///
/// `None` where some were refused and the schedule found does not tell why.
pub fn check(ops: &[Op<Call>], permits: u32) -> Option<Result<(), Jam>> {
    let mut schedule = Schedule::new(ops, permits);
    match schedule.run() {
        Ok(()) => schedule.explains_refusals().then_some(Ok(())),
        Err(call) => Some(Err(schedule.jam(call))),
    }
}

/// Calls of one kind that have begun and not been taken.
#[derive(Default)]
struct Waiting {
    /// Those that end, by their ends.
    ending: BinaryHeap<Reverse<(Point, u32)>>,
    /// Those of unknown outcome.
    crashed: Vec<u32>,
}

impl Waiting {
    fn add(&mut self, end: Point, at: u32) {
        match end {
            NEVER => self.crashed.push(at),
            end => self.ending.push(Reverse((end, at))),
        }
    }

    /// Takes the one that must end first.
    fn take(&mut self) -> Option<u32> {
        let ending = self.ending.pop().map(|Reverse((_, at))| at);
        ending.or_else(|| self.crashed.pop())
    }

    fn first(&self) -> Option<u32> {
        self.ending.peek().map(|&Reverse((_, at))| at)
    }
}

/// The lazy schedule.
struct Schedule<'a> {
    ops: &'a [Op<Call>],
    permits: u32,
    held: u32,
    acquires: Waiting,
    releases: Waiting,
    /// Refused calls of which no instant is known yet at which all permits were taken.
    unexplained: Vec<u32>,
    /// Refused calls that ended so.
    doubts: usize,
    /// The acquires taken so far.
    granted: Vec<u32>,
}

impl<'a> Schedule<'a> {
    fn new(ops: &'a [Op<Call>], permits: u32) -> Self {
        Self {
            ops,
            permits,
            held: 0,
            acquires: Waiting::default(),
            releases: Waiting::default(),
            unexplained: Vec::new(),
            doubts: 0,
            granted: Vec::new(),
        }
    }

    /// Takes every call that must be taken; the one that cannot, if there is one.
    fn run(&mut self) -> Result<(), u32> {
        self.run_until(NEVER)
    }

    /// The same, but only until a call begins.
    fn run_until(&mut self, stop: u32) -> Result<(), u32> {
        let ops = self.ops;
        for moment in moments(ops) {
            match moment {
                Moment::Start(at) if at == stop => break,
                Moment::Start(at) => self.begin(at),
                Moment::End(at) => self.end(at)?,
            }
        }
        Ok(())
    }

    fn begin(&mut self, at: u32) {
        let op = &self.ops[at as usize];
        match op.call {
            Call::Acquire { .. } => self.acquires.add(op.end, at),
            Call::Release { .. } => self.releases.add(op.end, at),
            Call::Refused { .. } if op.crashed() || self.held == self.permits => {}
            Call::Refused { .. } => self.unexplained.push(at),
        }
    }

    fn end(&mut self, at: u32) -> Result<(), u32> {
        match self.ops[at as usize].call {
            Call::Acquire { .. } if self.acquires.first() == Some(at) => {
                if self.held == self.permits {
                    self.releases.take().ok_or(at)?;
                    self.held -= 1;
                }
                self.grant().ok_or(at)?;
            }
            Call::Release { .. } if self.releases.first() == Some(at) => {
                if self.held == 0 {
                    self.grant().ok_or(at)?;
                    self.settle();
                }
                self.releases.take();
                self.held -= 1;
            }
            Call::Refused { .. } => {
                let open = self.unexplained.len();
                self.unexplained.retain(|&other| other != at);
                self.doubts += open - self.unexplained.len();
            }
            _ => {}
        }
        self.settle();
        Ok(())
    }

    /// Takes the acquire that must end first.
    fn grant(&mut self) -> Option<()> {
        self.granted.push(self.acquires.take()?);
        self.held += 1;
        Some(())
    }

    /// All permits are taken at this instant: whoever is being refused can be told so.
    fn settle(&mut self) {
        if self.held == self.permits {
            self.unexplained.clear();
        }
    }
}

/// The calls that make a witness are looked for among so many of the last ones,
/// and among so many times as many where those do not suffice.
const REACH: usize = 16;

impl Schedule<'_> {
    fn explains_refusals(&self) -> bool {
        self.doubts == 0
    }

    fn jam(&self, call: u32) -> Jam {
        let end = self.ops[call as usize].end;
        let begun = self.ops.partition_point(|op| op.start < end);
        let mut reach = REACH;
        loop {
            let calls = self.since(begun.saturating_sub(reach), begun);
            if reach >= begun || self.convicts(&calls) {
                return Jam { call, held: self.held, calls };
            }
            reach *= REACH;
        }
    }

    /// The calls that began since then, those that were put off until then, and as many
    /// acquires from before as there were permits taken.
    fn since(&self, from: usize, begun: usize) -> Vec<u32> {
        let mut before = Schedule::new(self.ops, self.permits);
        // What is stuck ended later, so nothing is stuck yet.
        let _ = before.run_until(from as u32);
        let mut calls = before.granted.split_off(before.granted.len() - before.held as usize);
        for waiting in [before.acquires, before.releases] {
            calls.extend(waiting.ending.into_iter().map(|Reverse((_, at))| at));
            calls.extend(waiting.crashed);
        }
        let refused = |at: &u32| matches!(self.ops[*at as usize].call, Call::Refused { .. });
        calls.extend((from as u32..begun as u32).filter(|at| !refused(at)));
        calls.sort_unstable();
        calls
    }

    fn convicts(&self, calls: &[u32]) -> bool {
        let ops: Vec<Op<Call>> = calls.iter().map(|&at| self.ops[at as usize]).collect();
        Schedule::new(&ops, self.permits).run().is_err()
    }
}
