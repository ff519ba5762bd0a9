//! How far a node's wall clock is off the run's, as the timestamps tell that it
//! gave to writes. It knows nothing of keys, of loss or of causes.
//!
//! A clock was read at some instant of its call, so `timestamp - end` and
//! `timestamp - begin` bound its offset then (Marzullo and Owicki 1983 on
//! intervals of time). Neighbouring writes narrow that: what holds of one holds
//! of the next, but for the drift in between. Where two such bounds exclude each
//! other the clock has stepped.
//!
//! Three things are supposed, and nothing else: between steps a clock drifts by
//! [`DRIFT_PPM`] at most; a step that no fault of the run explains is of
//! [`LEAST_STEP`] at least; and between two exposed writes that follow each other
//! it steps once at most. So bounds are narrowed by others only as long as all
//! of them fit into less than one step (a *run*): no step can hide in there.
//! Across runs an offset is that of one of its neighbours, whichever.

use std::ops::Range;

use tribunal_history::{Fault, Nanos};

use super::bounds::Bounds;
use super::moves::Moves;
use crate::blame::Window;

/// What the kernel slews at most for ntpd and adjtime(3).
const DRIFT_PPM: i128 = 500;
/// What ntpd slews and does not step (RFC 5905, STEPT); others step later.
const LEAST_STEP: i128 = 128_000_000;
/// A call that went on while so many others were stamped tells too little.
const MOST_BETWEEN: usize = 1_000;
/// One step in so many writes, and it is no clock in nanoseconds.
const STEPS_OF: usize = 8;

/// The timestamp that a node gave to a write, and when.
pub(super) struct Exposure {
    pub begin: Nanos,
    pub end: Nanos,
    pub stamp: i128,
}

/// One node's clock.
pub(super) struct NodeClock {
    /// In the order of their beginnings.
    points: Vec<Point>,
    /// When faults of the run moved it.
    moves: Moves,
    pub steps: Vec<Step>,
}

/// An exposed write, and the offset when it was stamped.
struct Point {
    begin: Nanos,
    end: Nanos,
    offset: Bounds,
    /// Which run it belongs to.
    run: usize,
}

/// A step that the timestamps show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub after: Nanos,
    pub before: Nanos,
    pub by: Bounds,
}

/// An offset at some instant of a window.
#[derive(Clone, Copy, Debug)]
pub(super) struct Estimate {
    pub offset: Bounds,
    /// By how many writes it was measured.
    pub writes: usize,
    /// Whether one was stamped before and one after it for certain. Otherwise a
    /// step may have gone unseen.
    pub enclosed: bool,
}

impl NodeClock {
    /// What the timestamps of a node tell; `None` if they are of no such clock. Their
    /// grain is `grain` nanoseconds: they may be cut off or rounded to it, either way.
    pub fn of(
        mut exposed: Vec<Exposure>,
        grain: i128,
        node: &str,
        faults: &[Fault],
    ) -> Option<Self> {
        exposed.sort_by_key(|exposure| (exposure.begin, exposure.end));
        let point = |exposure: &Exposure| {
            let Exposure { begin, end, stamp } = *exposure;
            Point { begin, end, offset: offset(stamp, grain, &(begin..=end)), run: 0 }
        };
        let points = exposed.iter().map(point).collect();
        let mut clock = Self { points, moves: Moves::of(faults, node), steps: Vec::new() };
        let steps = clock.narrow();
        (steps <= 1 + clock.points.len() / STEPS_OF).then_some(clock)
    }

    /// Tells the runs apart, and narrows the bounds within each from both sides. Says how
    /// often the clock stepped.
    fn narrow(&mut self) -> usize {
        let breaks = self.narrow_forward();
        self.narrow_backward();
        breaks
    }

    fn narrow_forward(&mut self) -> usize {
        let own: Vec<Bounds> = self.points.iter().map(|point| point.offset).collect();
        let mut all = own.first().copied().unwrap_or(Bounds::exactly(0));
        let mut breaks = 0;
        for (at, &offset) in own.iter().enumerate().skip(1) {
            let drift = self.drift_after(at - 1);
            let before = self.points[at - 1].offset.widened(drift);
            let both = before.and(offset);
            all = all.widened(drift).or(offset);
            if both.is_none() {
                breaks += 1;
                self.steps.extend(self.step_after(at - 1, offset.minus(before)));
            }
            let run = self.points[at - 1].run;
            let goes_on = all.length() < LEAST_STEP && !self.moved_after(at - 1);
            match both.filter(|_| goes_on) {
                Some(both) => (self.points[at].offset, self.points[at].run) = (both, run),
                None => (self.points[at].run, all) = (run + 1, offset),
            }
        }
        breaks
    }

    fn narrow_backward(&mut self) {
        for at in (1..self.points.len()).rev() {
            let after = self.points[at].offset.widened(self.drift_after(at - 1));
            let run = self.points[at].run;
            let before = &mut self.points[at - 1];
            if before.run == run {
                // Both hold a path through all bounds of the run, so they meet.
                before.offset = before.offset.and(after).unwrap_or(before.offset);
            }
        }
    }

    /// How far the clock can have drifted from this point to the next.
    fn drift_after(&self, at: usize) -> i128 {
        let (one, next) = (&self.points[at], &self.points[at + 1]);
        drift(one, &(next.begin..=next.end))
    }

    /// The step between this point and the next. Of calls that overlap nobody knows
    /// which was stamped first, and so not which way it went.
    fn step_after(&self, at: usize, by: Bounds) -> Option<Step> {
        let (one, next) = (&self.points[at], &self.points[at + 1]);
        (one.end <= next.begin).then_some(Step { after: one.begin, before: next.end, by })
    }

    /// Whether a fault may have moved it from this point to the next.
    fn moved_after(&self, at: usize) -> bool {
        let (one, next) = (&self.points[at], &self.points[at + 1]);
        self.moves.any(&(one.begin..=one.end.max(next.end)))
    }

    /// Its offset at some instant of the window, if enough is known.
    pub fn at(&self, window: &Window) -> Option<Estimate> {
        let near = self.near(window);
        let (first, last) = (self.points.get(near.start)?, self.points.get(near.end - 1)?);
        let moved =
            self.moves.count(&(first.begin.min(*window.start())..=last.end.max(*window.end())));
        if moved > 1 || near.len() > MOST_BETWEEN {
            return None;
        }
        let enclosed = first.end <= *window.start() && *window.end() <= last.begin;
        let known = |point: &Point| point.offset.widened(drift(point, window));
        let offset = if first.run == last.run && moved == 0 {
            known(first).and(known(last))?
        } else if enclosed {
            self.points[near].iter().map(known).reduce(Bounds::or)?
        } else {
            return None;
        };
        let writes = self.points.partition_point(|point| point.run <= last.run)
            - self.points.partition_point(|point| point.run < first.run);
        Some(Estimate { offset, writes, enclosed })
    }

    /// The points from the last that was stamped before the window to the first after it.
    fn near(&self, window: &Window) -> Range<usize> {
        let begun = self.points.partition_point(|point| point.begin <= *window.start());
        let before = self.points[..begun].iter().rposition(|it| it.end <= *window.start());
        let after = self.points.partition_point(|point| point.begin < *window.end());
        before.unwrap_or(0)..(after + 1).min(self.points.len()).max(1)
    }
}

/// By how much a clock was off that gave this timestamp within that window.
pub(super) fn offset(stamp: i128, grain: i128, window: &Window) -> Bounds {
    let (begin, end) = (i128::from(*window.start()), i128::from(*window.end()));
    Bounds { low: stamp - end, high: stamp - begin }.widened(grain - 1)
}

/// The timestamps that a clock can have given within that window, being off by so much.
pub(super) fn stamps(offset: Bounds, grain: i128, window: &Window) -> Bounds {
    let (begin, end) = (i128::from(*window.start()), i128::from(*window.end()));
    Bounds { low: begin + offset.low, high: end + offset.high }.widened(grain - 1)
}

/// How far a clock drifts at most between a point and an instant of the window.
fn drift(point: &Point, window: &Window) -> i128 {
    let apart = window.end().saturating_sub(point.begin);
    let apart = apart.max(point.end.saturating_sub(*window.start()));
    (i128::from(apart) * DRIFT_PPM).div_euclid(1_000_000) + 1
}
