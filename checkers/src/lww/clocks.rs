//! The clocks of the nodes of a run: those of all as their timestamps show them, and
//! how far apart the clock jumps, or their own two timestamps, put the two behind a
//! lost write.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};
use tribunal_history::{Fault, History, Nanos};

use super::cause::Pair;
use super::estimate::{Exposure, NodeClock};
use super::register::{Stamp, Write, stamper};
use crate::blame::{self, Window};

/// The clocks of all nodes, measured when one is asked for: most histories lose nothing.
pub(super) struct Clocks<'h> {
    history: &'h History,
    faults: &'h [Fault],
    measured: OnceLock<Measured<'h>>,
}

struct Measured<'h> {
    /// What all timestamps are whole numbers of, in nanoseconds.
    grain: i128,
    clocks: FxHashMap<&'h str, NodeClock>,
}

impl<'h> Clocks<'h> {
    pub fn new(history: &'h History, faults: &'h [Fault]) -> Self {
        Self { history, faults, measured: OnceLock::new() }
    }

    /// A node's clock, if it exposed timestamps.
    pub fn of(&self, node: &str) -> Option<&NodeClock> {
        self.measured().clocks.get(node)
    }

    /// What the database counts its timestamps in.
    pub fn grain(&self) -> i128 {
        self.measured().grain
    }

    /// From the acknowledged writes of all keys that tell their timestamp themselves.
    fn measured(&self) -> &Measured<'h> {
        self.measured.get_or_init(|| {
            let exposed = self.exposed();
            let grain = grain(exposed.values().flatten());
            let clock =
                |(node, exposed)| Some((node, NodeClock::of(exposed, grain, node, self.faults)?));
            Measured { grain, clocks: exposed.into_iter().filter_map(clock).collect() }
        })
    }

    fn exposed(&self) -> FxHashMap<&'h str, Vec<Exposure>> {
        let mut exposed: FxHashMap<&str, Vec<Exposure>> = FxHashMap::default();
        let writes = self.history.operations().filter(|op| op.is_ok() && op.f() == "write");
        for op in writes {
            let stamp = Stamp::of(&op).known();
            let (Some(stamp), Some(node), Some(end)) = (stamp, stamper(&op), op.completion())
            else {
                continue;
            };
            let exposure = Exposure { begin: op.invoked_at(), end: end.time(), stamp };
            exposed.entry(node).or_default().push(exposure);
        }
        exposed
    }
}

/// Seconds, milli-, micro- or nanoseconds.
fn grain<'e>(exposed: impl Iterator<Item = &'e Exposure> + Clone) -> i128 {
    let whole = |grain: &i128| exposed.clone().all(|exposure| exposure.stamp % grain == 0);
    [1_000_000_000, 1_000_000, 1_000].into_iter().find(whole).unwrap_or(1)
}

impl<'a> Pair<'a, '_> {
    /// Time between the survivor's effect and the lost write's start: the least
    /// that the survivor's clock must have been ahead of the lost write's.
    pub fn gap(&self) -> Nanos {
        let effect = self.survivor.map_or(0, Write::latest);
        self.lost.op.invoked_at().saturating_sub(effect)
    }

    /// When each of the two can have been stamped.
    fn windows(&self, survivor: &Write) -> (Window, Window) {
        let window = |write: &Write| write.op.invoked_at()..=write.latest();
        (window(survivor), window(self.lost))
    }

    /// Bounds, by the clock jumps alone, of how far the survivor's clock was
    /// ahead of the lost write's.
    pub fn jump_bounds(&self, survivor: &Write) -> (i128, i128) {
        let (kept, lost) = self.windows(survivor);
        let bounds = |write: &Write, window: &Window| {
            write.node().map_or((0, 0), |node| blame::clock_bounds(self.faults, node, window))
        };
        let (kept, lost) = (bounds(survivor, &kept), bounds(self.lost, &lost));
        (kept.0 - lost.1, kept.1 - lost.0)
    }

    /// The clock jumps that put the survivor's clock ahead, or the other behind.
    pub fn jumps(&self, survivor: &Write) -> Vec<&'a Fault> {
        let (kept, lost) = self.windows(survivor);
        let offset = |fault: &Fault, write: &Write, window: &Window| {
            let acting = write.node().filter(|_| blame::overlaps(fault, window));
            acting.map_or(0, |node| blame::clock_offset(fault, node))
        };
        let helps = |fault: &&Fault| {
            offset(fault, survivor, &kept) > 0 || offset(fault, self.lost, &lost) < 0
        };
        self.faults.iter().filter(helps).collect()
    }

    pub fn clock_numbers(&self, survivor: &Write) -> Map<String, Value> {
        let mut numbers = Map::new();
        numbers.insert("needed_skew_ns".into(), json!(self.gap()));
        let jumps = self.jump_bounds(survivor);
        if jumps != (0, 0) {
            numbers.insert("jump_skew_ns".into(), json!([number(jumps.0), number(jumps.1)]));
        }
        if let Some(measured) = measured_skew(survivor, self.lost) {
            let (low, high) = measured.into_inner();
            numbers.insert("measured_skew_ns".into(), json!([number(low), number(high)]));
        }
        numbers
    }
}

/// How far the survivor's clock was ahead, from the timestamps alone: each was
/// taken within its call, so `timestamp - time` bounds its clock's offset.
fn measured_skew(survivor: &Write, lost: &Write) -> Option<RangeInclusive<i128>> {
    let offset = |write: &Write| {
        let stamp = write.stamp.known()?;
        let latest = write.effect?.time();
        Some((stamp - i128::from(latest), stamp - i128::from(write.op.invoked_at())))
    };
    let (kept, lost) = (offset(survivor)?, offset(lost)?);
    Some(kept.0 - lost.1..=kept.1 - lost.0)
}

/// `because its clock ran ahead (clock-jump n1 +5.000 s since 10.000 s)`.
pub(super) fn because(survivor: &Write, lost: &Write, jumps: &[&Fault]) -> String {
    let node = |write: &Write| write.node().map(str::to_owned);
    let clock = match (node(survivor), node(lost)) {
        (Some(one), Some(other)) if one == other => {
            format!("because {one}'s clock went back in between")
        }
        (Some(one), Some(other))
            if jumps.iter().all(|jump| blame::clock_offset(jump, &one) <= 0) =>
        {
            format!("because {other}'s clock ran behind {one}'s")
        }
        (Some(one), _) => format!("because {one}'s clock ran ahead"),
        _ => "because the clocks disagreed".to_owned(),
    };
    format!("{clock} ({})", phrase(jumps))
}

/// The same where no jump explains it.
pub(super) fn disagreed(survivor: &Write, lost: &Write) -> String {
    match (survivor.node(), lost.node()) {
        (Some(one), Some(other)) if one == other => {
            format!("because {one}'s clock went back in between")
        }
        (Some(one), Some(other)) => format!("because the clocks of {one} and {other} disagreed"),
        _ => "because the clocks disagreed".to_owned(),
    }
}

/// Faults in words.
pub(super) fn phrase(faults: &[&Fault]) -> String {
    blame::list(&faults.iter().map(|fault| blame::named(fault)).collect::<Vec<_>>())
}

/// As a JSON number where it fits, and as text where it does not.
pub(super) fn number(value: i128) -> Value {
    let signed = i64::try_from(value).map(Value::from);
    let any = signed.or_else(|_| u64::try_from(value).map(Value::from));
    any.unwrap_or_else(|_| Value::from(value.to_string()))
}
