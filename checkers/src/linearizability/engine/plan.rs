//! A history as the search walks it: from return to return, with the calls that
//! are live at each, every one in a slot.

use rustc_hash::FxHashMap;

use super::super::model::{NEVER, Op};
use super::slots::Slots;
use super::space::{ClassId, StateId};
use super::used::KindId;

/// What is to be put in order.
#[derive(Clone, Debug)]
pub(super) struct Problem {
    /// The calls, in the order of their invocations.
    pub(super) ops: Vec<Op<ClassId>>,
    /// How things may stand before the first return.
    pub(super) starts: Vec<Start>,
}

/// One way things may stand at the beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    /// What the object holds.
    pub(super) state: StateId,
    /// The calls that have taken effect already, as positions in [`Problem::ops`].
    pub(super) done: Vec<u32>,
    /// The crashed calls that have: what they do, once each.
    pub(super) used: Vec<ClassId>,
}

/// A problem laid out in slots.
pub(super) struct Plan<const W: usize> {
    pub(super) ops: Vec<Op<ClassId>>,
    /// The answered calls, in the order of their answers.
    pub(super) returns: Vec<Return>,
    /// What the crashed calls of each kind do.
    pub(super) kinds: Vec<ClassId>,
    /// How many there are of each kind.
    pub(super) totals: Vec<u32>,
    slots: Vec<u16>,
    live: Vec<u32>,
    crashed: Vec<KindId>,
}

/// The end of a call.
#[derive(Clone, Copy)]
pub(super) struct Return {
    /// Which call.
    pub(super) op: u32,
    /// How many calls that will be answered were invoked before.
    live: u32,
    /// How many crashed calls were.
    crashed: u32,
}

/// The call that found no slot.
#[derive(Clone, Copy, Debug)]
pub(super) struct TooWide(pub(super) u32);

impl<const W: usize> Plan<W> {
    /// Lays out calls; those that crashed and would only have looked are left out.
    pub(super) fn new(
        ops: &[Op<ClassId>],
        looks: impl Fn(ClassId) -> bool,
    ) -> Result<Self, TooWide> {
        let mut plan = Self {
            ops: ops.to_vec(),
            returns: Vec::new(),
            kinds: Vec::new(),
            totals: Vec::new(),
            slots: vec![0; ops.len()],
            live: Vec::new(),
            crashed: Vec::new(),
        };
        let mut ends: Vec<u32> = (0..ops.len() as u32).collect();
        ends.retain(|&op| ops[op as usize].end != NEVER);
        ends.sort_unstable_by_key(|&op| ops[op as usize].end);
        let mut kinds: FxHashMap<ClassId, KindId> = FxHashMap::default();
        let (mut next, mut taken) = (0, Slots::<W>::NONE);
        for op in ends {
            let end = ops[op as usize].end;
            while next < ops.len() && ops[next].start < end {
                match ops[next].crashed() {
                    false => taken = plan.seat(next, taken)?,
                    true if looks(ops[next].call) => {}
                    true => plan.count(ops[next].call, &mut kinds),
                }
                next += 1;
            }
            let (live, crashed) = (plan.live.len() as u32, plan.crashed.len() as u32);
            plan.returns.push(Return { op, live, crashed });
            taken = taken.without(plan.slots[op as usize].into());
        }
        Ok(plan)
    }

    fn seat(&mut self, op: usize, taken: Slots<W>) -> Result<Slots<W>, TooWide> {
        let slot = taken.first_free().ok_or(TooWide(op as u32))?;
        self.slots[op] = slot as u16;
        self.live.push(op as u32);
        Ok(taken.with(slot))
    }

    fn count(&mut self, class: ClassId, kinds: &mut FxHashMap<ClassId, KindId>) {
        let kind = *kinds.entry(class).or_insert_with(|| {
            self.kinds.push(class);
            self.totals.push(0);
            self.kinds.len() as KindId - 1
        });
        self.totals[kind as usize] += 1;
        self.crashed.push(kind);
    }

    /// What it occupies.
    pub(super) fn bytes(&self) -> usize {
        size_of_val(&*self.ops) + 2 * size_of_val(&*self.returns)
    }

    /// The slot of a call that is answered.
    pub(super) fn slot(&self, op: u32) -> usize {
        self.slots[op as usize].into()
    }

    /// How many of the calls that are answered, and of those that are not, were invoked
    /// before a layer's return; the range is that of the layer itself.
    fn entering(&self, layer: usize) -> (std::ops::Range<usize>, std::ops::Range<usize>) {
        let none = Return { op: 0, live: 0, crashed: 0 };
        let before = layer.checked_sub(1).map_or(none, |layer| self.returns[layer]);
        let here = self.returns.get(layer).copied().unwrap_or(before);
        let range = |from: u32, to: u32| from as usize..to as usize;
        (range(before.live, here.live), range(before.crashed, here.crashed))
    }
}

/// A place in a plan: the calls that are live just before a return.
pub(super) struct Cursor<'p, const W: usize> {
    plan: &'p Plan<W>,
    /// Which return.
    pub(super) layer: usize,
    /// Changes whenever the place does.
    pub(super) stamp: u64,
    /// What the call in each slot does.
    pub(super) class: Vec<ClassId>,
    /// The live slots, in the order in which their calls return.
    pub(super) order: Vec<u16>,
    /// How many crashed calls of each kind have been invoked.
    pub(super) invoked: Vec<u32>,
    op: Vec<u32>,
    /// For each slot, those that do the same and return before it.
    twins: Vec<Slots<W>>,
}

impl<'p, const W: usize> Cursor<'p, W> {
    /// Before the first return.
    pub(super) fn new(plan: &'p Plan<W>) -> Self {
        let mut cursor = Self {
            plan,
            layer: 0,
            stamp: 1,
            class: vec![0; Slots::<W>::WIDTH],
            order: Vec::new(),
            invoked: vec![0; plan.kinds.len()],
            op: vec![0; Slots::<W>::WIDTH],
            twins: vec![Slots::NONE; Slots::<W>::WIDTH],
        };
        cursor.arrive();
        cursor
    }

    /// Goes to another return, forwards or back.
    pub(super) fn seek(&mut self, layer: usize) {
        self.stamp += u64::from(layer != self.layer);
        while self.layer < layer {
            self.leave(self.plan.returns[self.layer].op);
            self.layer += 1;
            self.arrive();
        }
        while self.layer > layer {
            self.depart();
            self.layer -= 1;
            self.enter(self.plan.returns[self.layer].op);
        }
    }

    /// The slot of the call that returns.
    pub(super) fn due(&self) -> usize {
        self.plan.slot(self.plan.returns[self.layer].op)
    }

    /// The call in a slot.
    pub(super) fn op(&self, slot: usize) -> u32 {
        self.op[slot]
    }

    /// Whether a call is not to wait for one that does the same, returns earlier, and is
    /// not done either: that one may as well go first.
    pub(super) fn may_go(&self, slot: usize, done: &Slots<W>) -> bool {
        self.twins[slot].within(done)
    }

    fn arrive(&mut self) {
        let (live, crashed) = self.plan.entering(self.layer);
        for at in live {
            self.enter(self.plan.live[at]);
        }
        for &kind in &self.plan.crashed[crashed] {
            self.invoked[kind as usize] += 1;
        }
    }

    fn depart(&mut self) {
        let (live, crashed) = self.plan.entering(self.layer);
        for at in live {
            self.leave(self.plan.live[at]);
        }
        for &kind in &self.plan.crashed[crashed] {
            self.invoked[kind as usize] -= 1;
        }
    }

    fn enter(&mut self, op: u32) {
        let (slot, Op { call: class, end, .. }) = (self.plan.slot(op), self.plan.ops[op as usize]);
        let end_of = |other: usize| self.plan.ops[self.op[other] as usize].end;
        let at = self.order.partition_point(|&other| end_of(other.into()) < end);
        let mut earlier = Slots::NONE;
        for (place, &other) in self.order.iter().enumerate() {
            match usize::from(other) {
                other if self.class[other] != class => {}
                other if place < at => earlier = earlier.with(other),
                other => self.twins[other] = self.twins[other].with(slot),
            }
        }
        self.order.insert(at, slot as u16);
        (self.class[slot], self.op[slot], self.twins[slot]) = (class, op, earlier);
    }

    fn leave(&mut self, op: u32) {
        let slot = self.plan.slot(op);
        self.order.retain(|&other| usize::from(other) != slot);
        for &other in &self.order {
            let twins = &mut self.twins[usize::from(other)];
            *twins = twins.without(slot);
        }
    }
}
